import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { readDicomSeg, readVolume, type Volume } from '../../src/index.ts';
import { openFiles } from '../../src/node/index.ts';
import { runCli } from '../e2e/run-cli.ts';
import { readWithDcmqi } from '../support/dcmqi.ts';
import type { LabelsByImage } from './viewer-page.ts';

/** What the command line makes of a series: the reference for what the viewer shows.
 * @param model id or folder */
export async function labelsOfCli(series: string, model: string): Promise<LabelsByImage> {
  const folder = mkdtempSync(join(tmpdir(), 'slicewise-ohif-cli-'));
  try {
    const output = join(folder, 'seg.dcm');
    const { code, stderr } = await runCli(['segment', series, '--model', model, '--output', output, '--quiet']);
    expect({ code, stderr }).toMatchObject({ code: 0 });
    return await labelsOfSeg(output, series);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The labels of a DICOM-SEG by the images of its series, as our own reader reads them. */
async function labelsOfSeg(seg: string, series: string): Promise<LabelsByImage> {
  const volume = await volumeOf(series);
  const { labelmap } = await readDicomSeg(readFileSync(seg), { reference: volume });
  return byImage(labelmap.voxels, volume);
}

/** The labels of a DICOM-SEG by the images of its series, as dcmqi reads them. */
export async function labelsOfSegByDcmqi(seg: string, series: string): Promise<LabelsByImage> {
  const volume = await volumeOf(series);
  return byImage(await readWithDcmqi(seg, volume.geometry), volume);
}

/** How far two labellings of the same images agree; both must have every image. */
export function agreementOf(
  actual: LabelsByImage,
  expected: LabelsByImage,
): { differing: number; voxels: number; labelled: number } {
  expect([...actual.keys()].sort()).toEqual([...expected.keys()].sort());
  let [differing, voxels, labelled] = [0, 0, 0];
  for (const [uid, labels] of expected) {
    const others = actual.get(uid);
    expect(others?.length).toBe(labels.length);
    voxels += labels.length;
    for (const [at, label] of labels.entries()) {
      if (label > 0) labelled++;
      if (others?.[at] !== label) differing++;
    }
  }
  return { differing, voxels, labelled };
}

/** Voxels of a label, over all images. */
export function countLabel(labels: LabelsByImage, label: number): number {
  let count = 0;
  for (const slice of labels.values()) for (const voxel of slice) if (voxel === label) count++;
  return count;
}

function byImage(voxels: ArrayLike<number>, { source }: Volume): LabelsByImage {
  const instances = source?.instances ?? [];
  const length = voxels.length / instances.length;
  const all = Uint8Array.from(voxels);
  return new Map(
    instances.map(({ sopInstanceUID, sliceIndex }) => [
      sopInstanceUID,
      all.subarray(sliceIndex * length, (sliceIndex + 1) * length),
    ]),
  );
}

async function volumeOf(series: string): Promise<Volume> {
  return (await readVolume(openFiles([series]))).volume;
}
