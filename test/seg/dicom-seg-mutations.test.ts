import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { encodeDicomSeg } from '../../src/seg/encode-dicom-seg.ts';
import { readDicomSeg, readDicomSegLayers } from '../../src/seg/read-dicom-seg.ts';
import { dataPath, describeWithData } from '../support/data.ts';
import { obliqueGeometry, seriesOn, testLabelmap, testProvenance } from '../support/labelled-series.ts';
import { mutateBytes, survive } from '../support/mutations.ts';
import { overlappingSegFile } from '../support/seg-files.ts';

const labelmap = testLabelmap([0, 0, 1, 2, 2, 0, 3], { geometry: obliqueGeometry([23, 17, 6]) });
const source = seriesOn(labelmap.geometry);
const reference = { geometry: labelmap.geometry, source };

/** Half of the files are changed everywhere, half where the attributes are that say how the pixels lie. */
async function mutated(name: string, file: Uint8Array, count: number): Promise<void> {
  const { results, refused } = await survive(
    count,
    (random) => mutateBytes(file, random, random() < 0.5 ? [0, file.length] : [132, Math.min(file.length, 6000)]),
    async (bytes) => {
      await readDicomSegLayers(bytes, { name });
      await readDicomSeg(bytes, { name, reference });
    },
  );
  const refusals = Object.values(refused).reduce((sum, n) => sum + n, 0);
  expect(results + refusals).toBe(count);
  expect(Object.keys(refused)).toContain('damaged-file');
}

describe('a damaged segmentation is read or refused within 2 s and 1 GB', () => {
  const files = new Map<string, Uint8Array>();
  beforeAll(async () => {
    const options = { provenance: testProvenance, now: new Date(0) };
    const forms = {
      binary: {},
      labelmap: { segType: 'labelmap' },
      rle: { segType: 'labelmap', compress: true },
    } as const;
    for (const [name, form] of Object.entries(forms)) {
      files.set(name, Buffer.concat((await encodeDicomSeg(labelmap, source, { ...options, ...form })).parts));
    }
    files.set('overlapping', await overlappingSegFile());
  });

  test.each(['binary', 'labelmap', 'rle', 'overlapping'])('500 mutations of %s', async (name) => {
    await mutated(name, files.get(name) ?? new Uint8Array(), 500);
  });
});

describeWithData('so is one by another writer', () => {
  test.each([
    'dcmqi/segmentations/24x38x3/seg/label.seg',
    'dcmqi/segmentations/sparse-labelmap-ppv5.dcm',
    'highdicom/seg_image_ct_binary.dcm',
    'highdicom/seg_image_ct_true_fractional.dcm',
  ])('200 mutations of %s', async (name) => {
    await mutated(name, readFileSync(dataPath('dicom/seg-objects', name)), 200);
  });
});
