import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { parseManifest } from '../../src/models/manifest.ts';
import { dataPath, describeWithData } from '../support/data.ts';
import { inFull, isFull } from '../support/full.ts';
import { compareNifti, logTestReading, mean, readModelsJson, slicewise } from './command.ts';

// The card's figures are means over every own test patient, recorded by slicewise_training.deployed; a few of those
// patients, the worst among them, are run again through the built command.

interface Released {
  readonly id: string;
  /** What the mean Dice over some of its segments has to reach. */
  readonly floors: readonly { readonly segments: readonly string[]; readonly dice: number }[];
  readonly files: (patient: string) => readonly { image: string; label: string }[];
  /** The worst patient is the first. */
  readonly patients: readonly string[];
}

/** Files are named by patient and date. */
const scanOf = (patient: string): string =>
  `${patient}_${{ TCGA_DU_7299: '19910417', TCGA_HT_8114: '19981030' }[patient] ?? ''}`;

/** Crops 2n − 1 and 2n are person n's; of each of these persons one is in the data. */
const cropOf = (person: string): string =>
  ({
    'hippocampus-person-165': 'hippocampus_329',
    'hippocampus-person-007': 'hippocampus_014',
    'hippocampus-person-080': 'hippocampus_160',
  })[person] ?? person;

const released: Released[] = [
  {
    id: 'hippocampus-mr',
    floors: [{ segments: ['Anterior hippocampus', 'Posterior hippocampus'], dice: 0.86 }],
    files: (person) => [{ image: `images/${cropOf(person)}.nii.gz`, label: `labels/${cropOf(person)}.nii.gz` }],
    patients: inFull(['hippocampus-person-165'], ['hippocampus-person-007', 'hippocampus-person-080']),
  },
  {
    id: 'glioma-flair',
    floors: [{ segments: ['FLAIR abnormality'], dice: 0.82 }],
    files: (patient) => [{ image: `${scanOf(patient)}_flair.nii.gz`, label: `${scanOf(patient)}_mask.nii.gz` }],
    patients: inFull(['TCGA_DU_7299'], ['TCGA_HT_8114']),
  },
  {
    id: 'abdomen-ct',
    floors: [
      {
        segments: ['Aorta', 'Gallbladder', 'Right kidney', 'Left kidney', 'Liver', 'Pancreas', 'Spleen', 'Stomach'],
        dice: 0.83,
      },
      { segments: ['Liver'], dice: 0.94 },
    ],
    files: (patient) => [{ image: `${patient}_image.nii.gz`, label: `${patient}_label.nii.gz` }],
    patients: ['patient05'],
  },
];

// A full run takes cardiac-mr over its whole test part, in cardiac-mr.test.ts.
const cardiac: Released = {
  id: 'cardiac-mr',
  floors: [{ segments: ['Right ventricle', 'Left ventricular myocardium', 'Left ventricle'], dice: 0.895 }],
  files: (patient) =>
    ['01', '08'].map((frame) => ({
      image: `${patient}_frame${frame}_image.nii.gz`,
      label: `${patient}_frame${frame}_label.nii.gz`,
    })),
  patients: ['patient048'],
};

/** At most so much is a fast model below the accurate one of its name, on the same patients. */
const FAST_BELOW = 0.03;

const fast = [...released, cardiac].map((model) => ({ ...model, id: `${model.id}-fast`, floors: [] }));

/** The abdomen's accurate network takes minutes a patient; abdomen-ct.test.ts runs it once in every run. */
const isRunHere = (id: string): boolean => isFull || id !== 'abdomen-ct';

/** Other machines round sums differently, which moves a few voxels on a border. */
const TOLERANCE = 0.005;

const recordSchema = z.object({
  part: z.literal('test'),
  tta: z.literal(false),
  mean: z.number(),
  perSegment: z.record(z.string(), z.number()),
  /** null where neither result nor reference has the structure. */
  patients: z.record(z.string(), z.record(z.string(), z.number().nullable())),
});

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slicewise-quality-'));
});
afterAll(() => rm(folder, { recursive: true }));

describe.each([...released, cardiac, ...fast])('$id', ({ id, floors, files, patients }) => {
  const accurateId = id.replace(/-fast$/, '');
  const readRecord = async (of = id) =>
    recordSchema.parse(await readModelsJson(`training/evaluations/${of}.deployed.json`));

  test('the card has the mean over every own test patient, and it reaches its floors', async () => {
    const record = await readRecord();
    const split = z
      .object({ test: z.array(z.string()) })
      .parse(await readModelsJson(`training/splits/${accurateId}.json`));
    expect(Object.keys(record.patients).sort()).toEqual(split.test.sort());
    expect(mean(Object.values(record.patients).map((figures) => figures['mean'] ?? NaN))).toBeCloseTo(record.mean, 3);
    const manifest = parseManifest(await readModelsJson(id, 'manifest.json'));
    const figure = manifest.evaluation.find(({ metric }) => metric === 'mean Dice');
    expectRounded(figure?.value, record.mean);
    for (const [segment, dice] of Object.entries(record.perSegment)) {
      expectRounded(figure?.perSegment?.[segment], dice);
    }
    for (const { segments, dice } of floors) {
      expect(mean(segments.map((segment) => record.perSegment[segment] ?? NaN))).toBeGreaterThanOrEqual(dice);
    }
  });

  if (id !== accurateId) {
    test('is hardly below the accurate one, in the mean and over the structures that it has a floor for', async () => {
      const [own, accurate] = [await readRecord(), await readRecord(accurateId)];
      expect(own.mean).toBeGreaterThanOrEqual(accurate.mean - FAST_BELOW);
      for (const { segments } of [...released, cardiac].find((model) => model.id === accurateId)?.floors ?? []) {
        const over = ({ perSegment }: typeof own): number =>
          mean(segments.map((segment) => perSegment[segment] ?? NaN));
        expect(over(own)).toBeGreaterThanOrEqual(over(accurate) - FAST_BELOW);
      }
    });
  }

  const throughTheCommand = (): void => {
    test.each(patients)('%s has the Dice that was recorded', async (patient) => {
      await logTestReading(id, `${patient}, recorded figures`);
      const found: Readonly<Record<string, number>>[] = [];
      for (const { image, label } of files(patient)) {
        const output = join(folder, `${id}-${basename(image)}`);
        await slicewise('segment', dataPath(accurateId, image), '--model', id, '--output', output);
        found.push(await compareNifti(output, dataPath(accurateId, label)));
      }
      const { segments } = parseManifest(await readModelsJson(id, 'manifest.json'));
      const recorded = (await readRecord()).patients[patient] ?? {};
      for (const { segmentNumber, segmentLabel } of segments) {
        const dices = found.flatMap((figures) => figures[String(segmentNumber)] ?? []);
        if (recorded[segmentLabel] === null) expect(dices, segmentLabel).toEqual([]);
        else expect(Math.abs(mean(dices) - (recorded[segmentLabel] ?? NaN)), segmentLabel).toBeLessThan(TOLERANCE);
      }
    });
  };
  if (isRunHere(id)) describeWithData('through the built command', throughTheCommand);
});

/** Figures have three digits, records four. */
function expectRounded(figure: number | undefined, recorded: number): void {
  expect(Math.abs((figure ?? NaN) - recorded)).toBeLessThan(0.0006);
}
