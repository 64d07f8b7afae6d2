import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { parseManifest } from '../../src/models/manifest.ts';
import { dataPath, describeWithData } from '../support/data.ts';
import { compareNifti, mean, readModelsJson, slicewise } from './command.ts';

// The card's figures are means over every own test patient, recorded by slicewise_training.deployed; a few of those
// patients, the worst among them, are run again through the built command.

interface Released {
  readonly id: string;
  /** The floor of the mean Dice over all segments. */
  readonly floor: number;
  readonly files: (patient: string) => { image: string; label: string };
  readonly patients: readonly string[];
}

const released: Released[] = [
  {
    id: 'hippocampus-mr',
    floor: 0.86,
    files: (patient) => ({ image: `images/${patient}.nii.gz`, label: `labels/${patient}.nii.gz` }),
    patients: ['hippocampus_329', 'hippocampus_014', 'hippocampus_126'],
  },
];

/** Other machines round sums differently, which moves a few voxels on a border. */
const TOLERANCE = 0.005;

const recordSchema = z.object({
  part: z.literal('test'),
  tta: z.literal(false),
  mean: z.number(),
  perSegment: z.record(z.string(), z.number()),
  patients: z.record(z.string(), z.record(z.string(), z.number())),
});

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slicewise-quality-'));
});
afterAll(() => rm(folder, { recursive: true }));

describe.each(released)('$id', ({ id, floor, files, patients }) => {
  const readRecord = async () => recordSchema.parse(await readModelsJson(`training/evaluations/${id}.deployed.json`));

  test('the card has the mean over every own test patient, and it reaches the floor', async () => {
    const record = await readRecord();
    const split = z.object({ test: z.array(z.string()) }).parse(await readModelsJson(`training/splits/${id}.json`));
    expect(Object.keys(record.patients).sort()).toEqual(split.test.sort());
    expect(mean(Object.values(record.patients).map((figures) => figures['mean'] ?? NaN))).toBeCloseTo(record.mean, 3);
    const manifest = parseManifest(await readModelsJson(id, 'manifest.json'));
    const figure = manifest.evaluation.find(({ metric }) => metric === 'mean Dice');
    expect(figure?.value).toBeCloseTo(record.mean, 3);
    for (const [segment, dice] of Object.entries(record.perSegment)) {
      expect(figure?.perSegment?.[segment]).toBeCloseTo(dice, 3);
    }
    expect(record.mean).toBeGreaterThanOrEqual(floor);
  });

  describeWithData('through the built command', () => {
    test.each(patients)('%s has the Dice that was recorded', async (patient) => {
      const { image, label } = files(patient);
      const output = join(folder, `${patient}.nii.gz`);
      await slicewise('segment', dataPath(id, image), '--model', id, '--output', output);
      const dice = await compareNifti(output, dataPath(id, label));
      const { segments } = parseManifest(await readModelsJson(id, 'manifest.json'));
      const recorded = (await readRecord()).patients[patient] ?? {};
      for (const { segmentNumber, segmentLabel } of segments) {
        const difference = Math.abs((dice[String(segmentNumber)] ?? 1) - (recorded[segmentLabel] ?? NaN));
        expect(difference, segmentLabel).toBeLessThan(TOLERANCE);
      }
    });
  });
});
