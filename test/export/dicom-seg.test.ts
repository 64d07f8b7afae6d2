import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeDicomSeg, type DicomSegOptions } from '../../src/export/dicom-seg.ts';
import type { Labelmap } from '../../src/labelmap/labelmap.ts';
import type { Segment } from '../../src/labelmap/segment.ts';
import { parseDicom } from '../../src/readers/dicom-dataset.ts';
import { readDicomSeg } from '../../src/readers/dicom-seg.ts';
import { createGeometry, gridDistanceMm } from '../../src/volume/geometry.ts';
import type { SourceSeries } from '../../src/volume/volume.ts';
import { anyGeometry } from '../support/any-geometry.ts';
import { obliqueGeometry, seriesOn, testLabelmap, testProvenance, testSegments } from '../support/labelled-series.ts';

const options: DicomSegOptions = { provenance: testProvenance, now: new Date(2026, 2, 4, 5, 6, 7) };

function encode(labelmap: Labelmap, source = seriesOn(labelmap.geometry), more: Partial<DicomSegOptions> = {}) {
  const encoded = encodeDicomSeg(labelmap, source, { ...options, ...more });
  const bytes = Buffer.concat(encoded.parts);
  return { ...encoded, bytes, dataset: parseDicom(bytes, 'test') };
}

/** Any labels on any small grid, often with whole slices without one. */
const anyLabelmap: fc.Arbitrary<Labelmap> = fc
  .record({
    geometry: anyGeometry({ dimensions: [19, 13, 6], leftHanded: false }),
    segmentCount: fc.integer({ min: 1, max: 4 }),
    values: fc.array(fc.nat({ max: 40 }), { minLength: 1, maxLength: 60 }),
    wide: fc.boolean(),
  })
  .map(({ geometry, segmentCount, values, wide }) => {
    const labels = values.map((value) => (value <= segmentCount ? value : 0));
    const labelmap = testLabelmap(labels, { geometry, segments: testSegments(segmentCount) });
    return wide ? { ...labelmap, voxels: Uint16Array.from(labelmap.voxels) } : labelmap;
  });

describe('encodeDicomSeg', () => {
  test('a labelmap read back on its own grid is the same labelmap', () => {
    fc.assert(
      fc.property(anyLabelmap, (labelmap) => {
        const source = seriesOn(labelmap.geometry);
        const { bytes } = encode(labelmap, source);
        const read = readDicomSeg(bytes, { reference: { geometry: labelmap.geometry, source } });
        expect([...read.labelmap.voxels]).toEqual([...labelmap.voxels]);
        expect(read.labelmap.segments).toEqual(labelmap.segments);
        expect(read.warnings).toEqual([]);
      }),
    );
  });

  test('a labelmap read back by nothing but its bytes is the labelmap without its outer empty slices', () => {
    fc.assert(
      fc.property(anyLabelmap, (labelmap) => {
        const [columns, rows] = labelmap.geometry.dimensions;
        const read = readDicomSeg(encode(labelmap).bytes).labelmap;
        const labelled = [...labelmap.voxels.keys()].filter((at) => labelmap.voxels[at] !== 0);
        const first = Math.floor((labelled[0] ?? 0) / (columns * rows));
        const last = Math.floor((labelled.at(-1) ?? 0) / (columns * rows));
        expect(read.geometry.dimensions).toEqual([columns, rows, last - first + 1]);
        expect([...read.voxels]).toEqual([
          ...labelmap.voxels.subarray(first * columns * rows, (last + 1) * columns * rows),
        ]);
      }),
    );
  });

  test('the grid comes back to the digits of the attributes', () => {
    const labelmap = testLabelmap([1]);
    const read = readDicomSeg(encode(labelmap).bytes).labelmap;
    // Positions and cosines have six decimals here.
    expect(gridDistanceMm(read.geometry, labelmap.geometry)).toBeLessThan(1e-4);
    expect(read.geometry.frameOfReferenceUID).toBe(labelmap.geometry.frameOfReferenceUID);
  });

  test('frames are ordered by segment, then by slice, and empty ones are left out', () => {
    const labelmap = testLabelmap([0]);
    const [columns, rows] = labelmap.geometry.dimensions;
    labelmap.voxels[0] = 3;
    labelmap.voxels[2 * columns * rows] = 3;
    labelmap.voxels[2 * columns * rows + 1] = 1;
    const { bytes, frameCount } = encode(labelmap);
    const source = seriesOn(labelmap.geometry);
    const { frames } = readDicomSeg(bytes, { reference: { geometry: labelmap.geometry, source } });
    expect(frameCount).toBe(3);
    expect(frames.map((f) => [f.segmentNumber, f.sliceIndex])).toEqual([
      [1, 2],
      [3, 0],
      [3, 2],
    ]);
  });

  test('a labelmap without any label has one empty frame a segment', () => {
    const labelmap = testLabelmap([0]);
    const { bytes, frameCount } = encode(labelmap);
    const read = readDicomSeg(bytes);
    expect(frameCount).toBe(3);
    expect(read.frames.map((frame) => frame.segmentNumber)).toEqual([1, 2, 3]);
    expect(read.labelmap.voxels.every((voxel) => voxel === 0)).toBe(true);
  });

  test('every source instance is referenced, also those without a frame', () => {
    const labelmap = testLabelmap([0]);
    labelmap.voxels[0] = 1;
    const source = seriesOn(labelmap.geometry);
    const [series] = encode(labelmap, source).dataset.items('ReferencedSeriesSequence');
    expect(series?.string('SeriesInstanceUID')).toBe(source.seriesInstanceUID);
    expect(series?.items('ReferencedInstanceSequence').map((item) => item.string('ReferencedSOPInstanceUID'))).toEqual(
      source.instances.map((instance) => instance.sopInstanceUID),
    );
  });

  test('each frame names its source image, the derivation and the purpose', () => {
    const labelmap = testLabelmap([1]);
    const source = seriesOn(labelmap.geometry);
    const frames = encode(labelmap, source).dataset.items('PerFrameFunctionalGroupsSequence');
    expect(frames).toHaveLength(source.instances.length);
    frames.forEach((frame, k) => {
      const [derivation] = frame.items('DerivationImageSequence');
      const [image] = derivation?.items('SourceImageSequence') ?? [];
      expect(derivation?.items('DerivationCodeSequence')[0]?.string('CodeValue')).toBe('113076');
      expect(image?.string('ReferencedSOPInstanceUID')).toBe(source.instances[k]?.sopInstanceUID);
      expect(image?.string('ReferencedSOPClassUID')).toBe(source.instances[k]?.sopClassUID);
      expect(image?.has('ReferencedFrameNumber')).toBe(false);
      expect(frame.items('PlanePositionSequence')[0]?.strings('ImagePositionPatient')).toEqual(
        source.instances[k]?.imagePositionPatient,
      );
      expect(frame.items('FrameContentSequence')[0]?.numbers('DimensionIndexValues')).toEqual([1, k + 1]);
    });
  });

  test('frames of a multi-frame source name their frame', () => {
    const labelmap = testLabelmap([1]);
    const source = seriesOn(labelmap.geometry);
    const instances = source.instances.map((instance, k) => ({
      ...instance,
      sopInstanceUID: source.seriesInstanceUID,
      frameNumber: k + 1,
    }));
    const { bytes, dataset } = encode(labelmap, { ...source, instances });
    const images = dataset
      .items('PerFrameFunctionalGroupsSequence')
      .map((frame) => frame.items('DerivationImageSequence')[0]?.items('SourceImageSequence')[0]);
    expect(images.map((image) => image?.number('ReferencedFrameNumber'))).toEqual([1, 2, 3, 4]);
    const [series] = dataset.items('ReferencedSeriesSequence');
    expect(series?.items('ReferencedInstanceSequence')).toHaveLength(1);
    const reference = { geometry: labelmap.geometry, source: { ...source, instances } };
    expect([...readDicomSeg(bytes, { reference }).labelmap.voxels]).toEqual([...labelmap.voxels]);
  });

  test('the dimension pointers are segment number and image position', () => {
    // dciodvfy accepts any pointers, so they are looked at here.
    const items = encode(testLabelmap([1])).dataset.items('DimensionIndexSequence');
    expect(items.map((item) => item.number('DimensionIndexPointer'))).toEqual([0x0062000b, 0x00200032]);
    expect(items.map((item) => item.number('FunctionalGroupPointer'))).toEqual([0x0062000a, 0x00209113]);
  });

  test("patient, study and frame of reference are the source's, in Unicode", () => {
    const labelmap = testLabelmap([1]);
    const source = seriesOn(labelmap.geometry);
    const { dataset } = encode(labelmap, {
      ...source,
      attributes: { ...source.attributes, PatientName: 'Yamada^Tarou=山田^太郎', PatientWeight: '61.5' },
    });
    expect(dataset.string('SpecificCharacterSet')).toBe('ISO_IR 192');
    expect(dataset.string('PatientName')).toBe('Yamada^Tarou=山田^太郎');
    expect(dataset.string('PatientWeight')).toBe('61.5');
    expect(dataset.string('StudyDate')).toBe('20240229');
    expect(dataset.string('StudyInstanceUID')).toBe(source.studyInstanceUID);
    expect(dataset.string('FrameOfReferenceUID')).toBe(source.frameOfReferenceUID);
    expect(dataset.string('ContentDate')).toBe('20260304');
    expect(dataset.string('ContentTime')).toBe('050607');
  });

  test('a source without a frame of reference gives none', () => {
    const labelmap = testLabelmap([1]);
    const { frameOfReferenceUID, ...source } = seriesOn(labelmap.geometry);
    expect(frameOfReferenceUID).toBeDefined();
    const attributes = { ...source.attributes, PositionReferenceIndicator: 'XY' };
    const { dataset } = encode(labelmap, { ...source, attributes });
    expect(dataset.has('FrameOfReferenceUID')).toBe(false);
    expect(dataset.has('PositionReferenceIndicator')).toBe(false);
  });

  test('a UID with leading zeroes is not rewritten', () => {
    const labelmap = testLabelmap([1]);
    const odd = { ...seriesOn(labelmap.geometry), studyInstanceUID: '2.16.124.113543.6006.99.08980635789900778171' };
    expect(encode(labelmap, odd).dataset.string('StudyInstanceUID')).toBe(odd.studyInstanceUID);
  });

  test("orientation and spacing are the source's strings; one too long for DS is shortened, not cut", () => {
    const labelmap = testLabelmap([1], {
      geometry: createGeometry({ ...obliqueGeometry(), spacing: [1.25, 1.5, 8.1] }),
    });
    const source: SourceSeries = { ...seriesOn(labelmap.geometry), pixelSpacing: ['1.500', '1.25000000000000001'] };
    const [shared] = encode(labelmap, source).dataset.items('SharedFunctionalGroupsSequence');
    const [measures] = shared?.items('PixelMeasuresSequence') ?? [];
    expect(measures?.strings('PixelSpacing')).toEqual(['1.500', '1.25']);
    expect(measures?.strings('SpacingBetweenSlices')).toEqual(['8.1']);
    expect(shared?.items('PlaneOrientationSequence')[0]?.strings('ImageOrientationPatient')).toEqual(
      source.imageOrientationPatient,
    );
  });

  test('the model is named with its SHA-256, and use is said to be research only', () => {
    const { dataset, bytes } = encode(testLabelmap([1]));
    expect(dataset.string('ContentDescription')).toMatch(/^Research use only/);
    expect(dataset.string('SeriesDescription')).toMatch(/research use only/);
    expect(dataset.items('SegmentSequence')[0]?.items('SegmentationAlgorithmIdentificationSequence')).toHaveLength(1);
    // Once in the algorithm of each of three segments, once in the contributing equipment.
    expect(bytes.toString('latin1').split(`sha256=${testProvenance.modelSha256}`)).toHaveLength(5);
  });

  test('a segment drawn by hand has no algorithm, a corrected one keeps it', () => {
    const [first, second, third] = testSegments(3);
    if (!first || !second || !third) throw new Error('three segments');
    const segments: Segment[] = [
      first,
      { ...second, algorithmType: 'SEMIAUTOMATIC' },
      { ...third, algorithmType: 'MANUAL' },
    ];
    const items = encode(testLabelmap([1, 2, 3], { segments })).dataset.items('SegmentSequence');
    expect(items.map((item) => item.string('SegmentAlgorithmType'))).toEqual(['AUTOMATIC', 'SEMIAUTOMATIC', 'MANUAL']);
    expect(items.map((item) => item.string('SegmentAlgorithmName'))).toEqual([
      'test net 1.0.0',
      'test net 1.0.0',
      undefined,
    ]);
    expect(items.map((item) => item.has('SegmentationAlgorithmIdentificationSequence'))).toEqual([true, true, false]);
  });

  test('without a model no algorithm is identified', () => {
    const { dataset, bytes } = encode(testLabelmap([1]), undefined, { provenance: { softwareVersion: '0.1.0' } });
    expect(bytes.includes('Processing Equipment')).toBe(false);
    expect(dataset.items('SegmentSequence')[0]?.has('SegmentationAlgorithmIdentificationSequence')).toBe(false);
  });

  test('UIDs come from the given source', () => {
    let n = 0;
    const { sopInstanceUID, seriesInstanceUID, dataset } = encode(testLabelmap([1]), undefined, {
      createUid: () => `2.25.${++n}`,
    });
    expect([sopInstanceUID, seriesInstanceUID]).toEqual(['2.25.1', '2.25.2']);
    expect(dataset.string('SOPInstanceUID')).toBe('2.25.1');
    expect(dataset.string('SeriesInstanceUID')).toBe('2.25.2');
  });

  test('a view into a larger buffer is written as itself', () => {
    const labelmap = testLabelmap([0, 1, 2, 0, 3]);
    const padded = new Uint8Array(labelmap.voxels.length + 5).fill(3);
    padded.set(labelmap.voxels, 3);
    const view = { ...labelmap, voxels: padded.subarray(3, 3 + labelmap.voxels.length) };
    expect([...readDicomSeg(encode(view).bytes).labelmap.voxels]).toEqual([...labelmap.voxels]);
  });
});

describe('encodeDicomSeg refuses', () => {
  const labelmap = testLabelmap([0, 1, 2]);
  const source = seriesOn(labelmap.geometry);
  const [first, second, third] = testSegments(3);
  if (!first || !second || !third) throw new Error('three segments');

  test.each<[string, string, Labelmap, SourceSeries]>([
    ['a source without a series UID', 'source-without-identity', labelmap, { ...source, seriesInstanceUID: '' }],
    [
      'a source whose images have no UID',
      'source-without-identity',
      labelmap,
      { ...source, instances: source.instances.map((instance) => ({ ...instance, sopInstanceUID: '' })) },
    ],
    [
      'fewer source images than slices',
      'geometry-mismatch',
      labelmap,
      { ...source, instances: source.instances.slice(1) },
    ],
    ['another pixel spacing', 'geometry-mismatch', labelmap, { ...source, pixelSpacing: ['1.25', '1.5'] }],
    [
      'slices in the opposite order',
      'geometry-mismatch',
      labelmap,
      {
        ...source,
        instances: source.instances.map((instance, k) => ({
          ...instance,
          ...source.instances.at(-1 - k),
          sliceIndex: k,
        })),
      },
    ],
    ['fewer voxels than the grid has', 'geometry-mismatch', { ...labelmap, voxels: new Uint8Array(7) }, source],
    ['a label without a segment', 'invalid-voxels', { ...labelmap, segments: [first] }, source],
    ['no segment', 'unsupported-segmentation', { ...labelmap, segments: [] }, source],
    ['numbers with a gap', 'unsupported-segmentation', { ...labelmap, segments: [first, third] }, source],
    ['a number twice', 'unsupported-segmentation', { ...labelmap, segments: [first, first, second] }, source],
    ['more than 255 segments', 'unsupported-segmentation', { ...labelmap, segments: testSegments(256) }, source],
    [
      'an automatic segment without an algorithm',
      'unsupported-segmentation',
      { ...labelmap, segments: [{ ...first, algorithmName: '' }, second] },
      source,
    ],
  ])('%s (%s)', (_, code, badLabelmap, badSource) => {
    expect(() => encodeDicomSeg(badLabelmap, badSource, options)).toThrow(expect.objectContaining({ code }) as Error);
  });
});
