import { describe, expect, test } from 'vitest';
import { encodeDicomSeg } from '../../src/seg/encode-dicom-seg.ts';
import { parseDicom } from '../../src/dicom/read-dicom.ts';
import { readDicomSeg } from '../../src/seg/read-dicom-seg.ts';
import { createLabelmapExport, type ExportFormat, type LabelmapExport } from '../../src/browser/labelmap-export.ts';
import { obliqueGeometry, seriesOn, testLabelmap, testProvenance, testSegments } from '../support/labelled-series.ts';

const labelmap = testLabelmap([0, 0, 1, 2, 2, 0, 3, 3, 3, 0, 0]);
const source = seriesOn(labelmap.geometry);
const reference = { geometry: labelmap.geometry, source };
const now = new Date(2024, 1, 29, 12, 30, 15);
const binary: ExportFormat = { kind: 'dicom-seg', provenance: testProvenance, now };

function exportOf(voxels = labelmap.voxels): LabelmapExport {
  return createLabelmapExport({ ...reference, voxels });
}

async function fileOf(voxels = labelmap.voxels): Promise<Uint8Array<ArrayBuffer>> {
  const { parts } = await encodeDicomSeg({ ...labelmap, voxels }, source, { provenance: testProvenance, now });
  return parts[0] ?? new Uint8Array();
}

/** The one UID that only the file tells. */
function dimensionOrganizationUidOf(file: Uint8Array): string | undefined {
  const [organization] = parseDicom(file, 'the file').items('DimensionOrganizationSequence');
  return organization?.string('DimensionOrganizationUID');
}

/** A copy with one voxel changed. */
function painted(at: number, label: number): Uint8Array<ArrayBuffer> {
  const voxels = Uint8Array.from(labelmap.voxels);
  voxels[at] = label;
  return voxels;
}

test('the labels that occur are found, without background', () => {
  expect(exportOf().labels()).toEqual([1, 2, 3]);
  expect(exportOf(new Uint8Array(labelmap.voxels.length)).labels()).toEqual([]);
  expect(exportOf(Uint16Array.from(labelmap.voxels, (label) => label * 300)).labels()).toEqual([300, 600, 900]);
});

describe('encoding', () => {
  test('gives the bytes that the command line gives, UIDs and times aside', async () => {
    const { parts, instance } = await exportOf().encode(labelmap.segments, binary);
    const [ours = new Uint8Array()] = parts;
    const uids = [instance?.sopInstanceUID, instance?.seriesInstanceUID, dimensionOrganizationUidOf(ours)];
    const other = await encodeDicomSeg(labelmap, source, {
      provenance: testProvenance,
      now,
      createUid: () => uids.shift() ?? '',
    });
    expect(Buffer.from(other.parts[0] ?? []).equals(ours)).toBe(true);
  });

  test('numbers segments anew where BINARY wants it, and only there', async () => {
    const segments = testSegments(3).map((segment, at) => ({ ...segment, segmentNumber: [2, 5, 9][at] ?? 0 }));
    const gapped = exportOf(labelmap.voxels.map((label) => [0, 2, 5, 9][label] ?? 0));
    const [file] = (await gapped.encode(segments, binary)).parts;
    expect((await readDicomSeg(file ?? new Uint8Array(), { reference })).labelmap.voxels).toEqual(labelmap.voxels);
    const [labels] = (await gapped.encode(segments, { ...binary, segType: 'labelmap' })).parts;
    expect(
      (await readDicomSeg(labels ?? new Uint8Array(), { reference })).labelmap.segments.map((s) => s.segmentNumber),
    ).toEqual([2, 5, 9]);
  });

  test('never drops a label that no segment describes', async () => {
    const [one, , three] = testSegments(3);
    if (one === undefined || three === undefined) throw new Error('no segments');
    await expect(exportOf().encode([one, three], binary)).rejects.toMatchObject({ code: 'invalid-voxels' });
    await expect(exportOf().encode([one], { ...binary, segType: 'labelmap' })).rejects.toMatchObject({
      code: 'invalid-voxels',
    });
  });

  test('of images without identity is possible as NIfTI only', async () => {
    const nameless = createLabelmapExport({ geometry: labelmap.geometry, voxels: labelmap.voxels });
    await expect(nameless.encode(labelmap.segments, binary)).rejects.toMatchObject({ code: 'source-without-identity' });
    const { parts, instance } = await nameless.encode(labelmap.segments, { kind: 'nifti', gzip: true });
    expect([...(parts[0] ?? []).slice(0, 2)]).toEqual([0x1f, 0x8b]);
    expect(instance).toBeUndefined();
  });
});

describe('what came back', () => {
  test('passes if it is what was encoded, and says what it is', async () => {
    const labels = exportOf();
    const { parts, instance } = await labels.encode(labelmap.segments, binary);
    expect(await labels.verifyStored(parts[0] ?? new Uint8Array())).toMatchObject({
      sopInstanceUID: instance?.sopInstanceUID,
      seriesInstanceUID: instance?.seriesInstanceUID,
    });
  });

  test('fails at the first voxel that differs', async () => {
    const labels = exportOf();
    await labels.encode(labelmap.segments, binary);
    await expect(labels.verifyStored(await fileOf(painted(0, 3)))).rejects.toMatchObject({
      code: 'verification-failed',
      message: expect.stringMatching(/voxel \(0, 0, 0\) is 3, not 0/) as string,
    });
  });
});

describe('compared with the stored segmentation that they were opened from', () => {
  test('labels tell which segments have changed', async () => {
    expect((await exportOf().compareWithStored(await fileOf())).changed).toEqual([]);
    expect((await exportOf(painted(2, 0)).compareWithStored(await fileOf())).changed).toEqual([1]);
    expect((await exportOf(painted(2, 3)).compareWithStored(await fileOf())).changed).toEqual([1, 3]);
  });

  test('the stored one is described even where its voxels cannot be compared', async () => {
    const other = obliqueGeometry([6, 5, 4]);
    const elsewhere = createLabelmapExport({ geometry: other, voxels: new Uint8Array(120), source: seriesOn(other) });
    const { changed, identity, segments } = await elsewhere.compareWithStored(await fileOf());
    expect(changed).toBeUndefined();
    expect(identity.sopInstanceUID).toMatch(/^2\.25\./);
    expect(segments.map(({ trackingUID }) => trackingUID)).toEqual(
      labelmap.segments.map(({ trackingUID }) => trackingUID),
    );
  });

  test('a file that is no segmentation is refused', async () => {
    await expect(exportOf().compareWithStored(new Uint8Array(200))).rejects.toMatchObject({ code: 'not-dicom' });
  });
});

test('labels are equal only if every voxel is', () => {
  expect(exportOf().equals(labelmap.voxels.slice())).toBe(true);
  expect(exportOf().equals(painted(139, 1))).toBe(false);
  expect(exportOf().equals(labelmap.voxels.subarray(1))).toBe(false);
});
