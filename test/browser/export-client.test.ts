import { describe, expect, test } from 'vitest';
import { encodeDicomSeg } from '../../src/seg/encode-dicom-seg.ts';
import { readDicomSeg } from '../../src/seg/read-dicom-seg.ts';
import { openLabelmapExport, type LabelmapExportClient } from '../../src/browser/export-client.ts';
import { obliqueGeometry, seriesOn, testLabelmap, testProvenance } from '../support/labelled-series.ts';

const labelmap = testLabelmap([0, 0, 1, 2, 2, 0, 3, 3, 3, 0, 0]);
const source = seriesOn(labelmap.geometry);
const reference = { geometry: labelmap.geometry, source };
const format = { kind: 'dicom-seg', provenance: testProvenance, now: new Date(2024, 1, 29) } as const;

function open(signal?: AbortSignal): Promise<LabelmapExportClient> {
  const createWorker = () =>
    new Worker(new URL('../../src/browser/export-worker.ts', import.meta.url), { type: 'module' });
  return openLabelmapExport(
    { ...reference, voxels: labelmap.voxels.slice() },
    { createWorker, ...(signal && { signal }) },
  );
}

describe('a labelmap export in a worker of its own', () => {
  test('encodes, compares and verifies as it does here', async () => {
    const exported = await open();
    expect(await exported.labels()).toEqual([1, 2, 3]);
    const { parts } = await exported.encode(labelmap.segments, format);
    const file = parts[0] ?? new Uint8Array();
    expect((await readDicomSeg(file, { reference })).labelmap.voxels).toEqual(labelmap.voxels);
    expect((await exported.compareWithStored(file.slice())).changed).toEqual([]);
    expect(await exported.equals(labelmap.voxels.slice())).toBe(true);
    expect((await exported.verifyStored(file.slice())).sopInstanceUID).toMatch(/^2\.25\./);
    exported.dispose();
  });

  test('fails with the same typed error', async () => {
    const exported = await open();
    await expect(exported.encode([], format)).rejects.toMatchObject({
      name: 'InputError',
      code: 'unsupported-segmentation',
      remedy: 'Describe a segment for every label.',
    });
    const other = testLabelmap([0, 1], { geometry: obliqueGeometry() });
    const { parts } = await encodeDicomSeg(other, source, format);
    await exported.encode(labelmap.segments, format);
    await expect(exported.verifyStored(parts[0] ?? new Uint8Array())).rejects.toMatchObject({
      name: 'InternalError',
      code: 'verification-failed',
    });
    exported.dispose();
  });

  test('ends with its signal, whatever it is doing', async () => {
    const controller = new AbortController();
    const exported = await open(controller.signal);
    const encoding = exported.encode(labelmap.segments, format);
    controller.abort(new DOMException('Cancelled by the test.', 'AbortError'));
    await expect(encoding).rejects.toThrow('Cancelled by the test.');
    await expect(exported.labels()).rejects.toThrow('Cancelled by the test.');
  });

  test('that cannot load says so', async () => {
    const broken = openLabelmapExport(
      { ...reference, voxels: labelmap.voxels.slice() },
      { createWorker: () => new Worker(URL.createObjectURL(new Blob(['throw new Error("no such file")']))) },
    );
    await expect(broken).rejects.toMatchObject({
      code: 'worker-silent',
      message: expect.stringMatching(/no such file/) as string,
    });
  });

  test('whose worker is an empty file says so', async () => {
    const silent = openLabelmapExport(
      { ...reference, voxels: labelmap.voxels.slice() },
      { createWorker: () => new Worker(URL.createObjectURL(new Blob([''], { type: 'text/javascript' }))) },
    );
    await expect(silent).rejects.toMatchObject({
      code: 'worker-silent',
      message: "The worker's script does not run: it did not answer within 9 s.",
    });
  });
});
