import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type DicomSegOptions, encodeDicomSeg } from '../../src/seg/encode-dicom-seg.ts';
import { editedSegment, type Labelmap, type Segment } from '../../src/labelmap/labelmap.ts';
import { parseDicom } from '../../src/dicom/read-dicom.ts';
import { readDicomSeg } from '../../src/seg/read-dicom-seg.ts';
import { createGeometry, gridDistanceMm, indexToWorld, type VolumeGeometry } from '../../src/volume/geometry.ts';
import { sliceView, type SourceSeries } from '../../src/volume/volume.ts';
import { anyGeometry } from '../support/any-geometry.ts';
import {
  asStored,
  obliqueGeometry,
  seriesOn,
  testLabelmap,
  testProvenance,
  testSegments,
} from '../support/labelled-series.ts';
import { expectSameValues } from '../support/matchers.ts';

const options: DicomSegOptions = { provenance: testProvenance, now: new Date(2026, 2, 4, 5, 6, 7) };

async function encode(labelmap: Labelmap, source = seriesOn(labelmap.geometry), more: Partial<DicomSegOptions> = {}) {
  const encoded = await encodeDicomSeg(labelmap, source, { ...options, ...more });
  const bytes = Buffer.concat(encoded.parts);
  return { ...encoded, bytes, dataset: parseDicom(bytes, 'test') };
}

/** Any labels on any small grid down to one voxel, with any subset of the slices empty. */
function anyLabelmapOn(geometries: fc.Arbitrary<VolumeGeometry>): fc.Arbitrary<Labelmap> {
  return fc
    .record({
      geometry: geometries,
      segmentCount: fc.integer({ min: 1, max: 4 }),
      values: fc.array(fc.nat({ max: 8 }), { minLength: 1, maxLength: 60 }),
      emptySlices: fc.array(fc.boolean(), { minLength: 6, maxLength: 6 }),
      wide: fc.boolean(),
    })
    .map(({ geometry, segmentCount, values, emptySlices, wide }) => {
      const labels = values.map((value) => (value <= segmentCount ? value : 0));
      const labelmap = testLabelmap(labels, { geometry, segments: testSegments(segmentCount) });
      for (let k = 0; k < geometry.dimensions[2]; k++) {
        if (emptySlices[k] === true) sliceView(labelmap.voxels, geometry, k).fill(0);
      }
      return wide ? { ...labelmap, voxels: Uint16Array.from(labelmap.voxels) } : labelmap;
    });
}

const dimensions = [19, 13, 6] as const;
const anyLabelmap = anyLabelmapOn(anyGeometry({ dimensions, leftHanded: true }));
const anyUprightLabelmap = anyLabelmapOn(anyGeometry({ dimensions, leftHanded: false }));
const forms = [{}, { segType: 'labelmap' }, { segType: 'labelmap', compress: true }] as const;

describe('encodeDicomSeg', () => {
  test.each(forms)('a labelmap read back on its own grid is the same labelmap, %j', async (form) => {
    await fc.assert(
      fc.asyncProperty(anyLabelmap, async (labelmap) => {
        const source = seriesOn(labelmap.geometry);
        const { bytes } = await encode(labelmap, source, form);
        const read = await readDicomSeg(bytes, { reference: { geometry: labelmap.geometry, source } });
        expectSameValues(read.labelmap.voxels, labelmap.voxels);
        expect(read.labelmap.segments).toEqual(asStored(labelmap.segments));
        expect(read.warnings).toEqual([]);
      }),
    );
  });

  test.each(forms)('nothing but its bytes give the labelmap without its outer empty slices, %j', async (form) => {
    await fc.assert(
      fc.asyncProperty(anyUprightLabelmap, async (labelmap) => {
        const [columns, rows] = labelmap.geometry.dimensions;
        const { geometry, voxels } = (await readDicomSeg((await encode(labelmap, undefined, form)).bytes)).labelmap;
        const labelled = [...labelmap.voxels.keys()].filter((at) => labelmap.voxels[at] !== 0);
        const first = Math.floor((labelled[0] ?? 0) / (columns * rows));
        const last = Math.floor((labelled.at(-1) ?? 0) / (columns * rows));
        expect(geometry.dimensions).toEqual([columns, rows, last - first + 1]);
        expectSameValues(voxels, labelmap.voxels.subarray(first * columns * rows, (last + 1) * columns * rows));
        const origin = indexToWorld(labelmap.geometry, [0, 0, first]);
        const cropped = { ...labelmap.geometry, dimensions: geometry.dimensions, origin };
        expect(gridDistanceMm(geometry, cropped)).toBeLessThan(1e-4);
      }),
    );
  });

  test('the frame of reference is the source’s', async () => {
    const labelmap = testLabelmap([1]);
    const read = (await readDicomSeg((await encode(labelmap)).bytes)).labelmap;
    expect(read.geometry.frameOfReferenceUID).toBe(labelmap.geometry.frameOfReferenceUID);
  });

  test.each(forms)('of images that were compressed with losses says so, %j', async (form) => {
    const labelmap = testLabelmap([1]);
    const whole = seriesOn(labelmap.geometry);
    expect((await encode(labelmap, whole, form)).dataset.string('LossyImageCompression')).toBe('00');
    const lossy: SourceSeries = {
      ...whole,
      lossyImageCompression: true,
      lossyImageCompressionRatio: ['12.5', '3'],
      lossyImageCompressionMethod: ['ISO_10918_1', 'ISO_15444_1'],
    };
    const { dataset } = await encode(labelmap, lossy, form);
    expect(dataset.string('LossyImageCompression')).toBe('01');
    expect(dataset.strings('LossyImageCompressionRatio')).toEqual(['12.5', '3']);
    expect(dataset.strings('LossyImageCompressionMethod')).toEqual(['ISO_10918_1', 'ISO_15444_1']);
  });

  test('frames are ordered by segment, then by slice, and empty ones are left out', async () => {
    const labelmap = testLabelmap([0]);
    const [columns, rows] = labelmap.geometry.dimensions;
    labelmap.voxels[0] = 3;
    labelmap.voxels[2 * columns * rows] = 3;
    labelmap.voxels[2 * columns * rows + 1] = 1;
    const { bytes, frameCount } = await encode(labelmap);
    const source = seriesOn(labelmap.geometry);
    const { frames } = await readDicomSeg(bytes, { reference: { geometry: labelmap.geometry, source } });
    expect(frameCount).toBe(3);
    expect(frames.map((f) => [f.segmentNumber, f.sliceIndex])).toEqual([
      [1, 2],
      [3, 0],
      [3, 2],
    ]);
  });

  test('a labelmap without any label has one empty frame a segment', async () => {
    const labelmap = testLabelmap([0]);
    const { bytes, frameCount } = await encode(labelmap);
    const read = await readDicomSeg(bytes);
    expect(frameCount).toBe(3);
    expect(read.frames.map((frame) => frame.segmentNumber)).toEqual([1, 2, 3]);
    expect(read.labelmap.voxels.every((voxel) => voxel === 0)).toBe(true);
  });

  test('every source instance is referenced, also those without a frame', async () => {
    const labelmap = testLabelmap([0]);
    labelmap.voxels[0] = 1;
    const source = seriesOn(labelmap.geometry);
    const [series] = (await encode(labelmap, source)).dataset.items('ReferencedSeriesSequence');
    expect(series?.string('SeriesInstanceUID')).toBe(source.seriesInstanceUID);
    expect(series?.items('ReferencedInstanceSequence').map((item) => item.string('ReferencedSOPInstanceUID'))).toEqual(
      source.instances.map((instance) => instance.sopInstanceUID),
    );
  });

  test('each frame names its source image, the derivation and the purpose', async () => {
    const labelmap = testLabelmap([1]);
    const source = seriesOn(labelmap.geometry);
    const frames = (await encode(labelmap, source)).dataset.items('PerFrameFunctionalGroupsSequence');
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

  test('frames of a multi-frame source name their frame', async () => {
    const labelmap = testLabelmap([1]);
    const source = seriesOn(labelmap.geometry);
    const instances = source.instances.map((instance, k) => ({
      ...instance,
      sopInstanceUID: source.seriesInstanceUID,
      frameNumber: k + 1,
    }));
    const { bytes, dataset } = await encode(labelmap, { ...source, instances });
    const images = dataset
      .items('PerFrameFunctionalGroupsSequence')
      .map((frame) => frame.items('DerivationImageSequence')[0]?.items('SourceImageSequence')[0]);
    expect(images.map((image) => image?.number('ReferencedFrameNumber'))).toEqual([1, 2, 3, 4]);
    const [series] = dataset.items('ReferencedSeriesSequence');
    expect(series?.items('ReferencedInstanceSequence')).toHaveLength(1);
    const reference = { geometry: labelmap.geometry, source: { ...source, instances } };
    expect([...(await readDicomSeg(bytes, { reference })).labelmap.voxels]).toEqual([...labelmap.voxels]);
  });

  test('the dimension pointers are segment number and image position', async () => {
    // dciodvfy accepts any pointers, so they are looked at here.
    const items = (await encode(testLabelmap([1]))).dataset.items('DimensionIndexSequence');
    expect(items.map((item) => item.number('DimensionIndexPointer'))).toEqual([0x0062000b, 0x00200032]);
    expect(items.map((item) => item.number('FunctionalGroupPointer'))).toEqual([0x0062000a, 0x00209113]);
  });

  test("patient, study and frame of reference are the source's, in Unicode", async () => {
    const labelmap = testLabelmap([1]);
    const source = seriesOn(labelmap.geometry);
    const { dataset } = await encode(labelmap, {
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

  test('a source without a frame of reference gives none', async () => {
    const labelmap = testLabelmap([1]);
    const { frameOfReferenceUID, ...source } = seriesOn(labelmap.geometry);
    expect(frameOfReferenceUID).toBeDefined();
    const attributes = { ...source.attributes, PositionReferenceIndicator: 'XY' };
    const { dataset } = await encode(labelmap, { ...source, attributes });
    expect(dataset.has('FrameOfReferenceUID')).toBe(false);
    expect(dataset.has('PositionReferenceIndicator')).toBe(false);
  });

  test('a UID with leading zeroes is not rewritten', async () => {
    const labelmap = testLabelmap([1]);
    const odd = { ...seriesOn(labelmap.geometry), studyInstanceUID: '2.16.124.113543.6006.99.08980635789900778171' };
    expect((await encode(labelmap, odd)).dataset.string('StudyInstanceUID')).toBe(odd.studyInstanceUID);
  });

  test("orientation and spacing are the source's strings; one too long for DS is shortened, not cut", async () => {
    const labelmap = testLabelmap([1], {
      geometry: createGeometry({ ...obliqueGeometry(), spacing: [1.25, 1.5, 8.1] }),
    });
    const source: SourceSeries = { ...seriesOn(labelmap.geometry), pixelSpacing: ['1.500', '1.25000000000000001'] };
    const [shared] = (await encode(labelmap, source)).dataset.items('SharedFunctionalGroupsSequence');
    const [measures] = shared?.items('PixelMeasuresSequence') ?? [];
    expect(measures?.strings('PixelSpacing')).toEqual(['1.500', '1.25']);
    expect(measures?.strings('SpacingBetweenSlices')).toEqual(['8.1']);
    expect(shared?.items('PlaneOrientationSequence')[0]?.strings('ImageOrientationPatient')).toEqual(
      source.imageOrientationPatient,
    );
  });

  test('the model is named with its SHA-256, and use is said to be research only', async () => {
    const { dataset, bytes } = await encode(testLabelmap([1]));
    expect(dataset.string('ContentDescription')).toMatch(/^Research use only/);
    expect(dataset.string('SeriesDescription')).toMatch(/research use only/);
    expect(dataset.items('SegmentSequence')[0]?.items('SegmentationAlgorithmIdentificationSequence')).toHaveLength(1);
    // Once in the algorithm of each of three segments, once in the contributing equipment.
    expect(bytes.toString('latin1').split(`sha256=${testProvenance.modelSha256}`)).toHaveLength(5);
  });

  test('a segment drawn by hand has no algorithm, a corrected one keeps it', async () => {
    const [first, second, third] = testSegments(3);
    if (!first || !second || !third) throw new Error('three segments');
    const segments: Segment[] = [
      first,
      { ...second, algorithmType: 'SEMIAUTOMATIC' },
      { ...third, algorithmType: 'MANUAL' },
    ];
    const items = (await encode(testLabelmap([1, 2, 3], { segments }))).dataset.items('SegmentSequence');
    expect(items.map((item) => item.string('SegmentAlgorithmType'))).toEqual(['AUTOMATIC', 'SEMIAUTOMATIC', 'MANUAL']);
    expect(items.map((item) => item.string('SegmentAlgorithmName'))).toEqual([
      'test net 1.0.0',
      'test net 1.0.0',
      undefined,
    ]);
    expect(items.map((item) => item.has('SegmentationAlgorithmIdentificationSequence'))).toEqual([true, true, false]);
  });

  test('without a model no algorithm is identified', async () => {
    const { dataset, bytes } = await encode(testLabelmap([1]), undefined, { provenance: { softwareVersion: '0.1.0' } });
    expect(bytes.includes('Processing Equipment')).toBe(false);
    expect(dataset.items('SegmentSequence')[0]?.has('SegmentationAlgorithmIdentificationSequence')).toBe(false);
  });

  test('UIDs come from the given source', async () => {
    let n = 0;
    const { sopInstanceUID, seriesInstanceUID, dataset } = await encode(testLabelmap([1]), undefined, {
      createUid: () => `2.25.${++n}`,
    });
    expect([sopInstanceUID, seriesInstanceUID]).toEqual(['2.25.1', '2.25.2']);
    expect(dataset.string('SOPInstanceUID')).toBe('2.25.1');
    expect(dataset.string('SeriesInstanceUID')).toBe('2.25.2');
  });

  test('a view into a larger buffer is written as itself', async () => {
    const labelmap = testLabelmap([0, 1, 2, 0, 3]);
    const padded = new Uint8Array(labelmap.voxels.length + 5).fill(3);
    padded.set(labelmap.voxels, 3);
    const view = { ...labelmap, voxels: padded.subarray(3, 3 + labelmap.voxels.length) };
    expect([...(await readDicomSeg((await encode(view)).bytes)).labelmap.voxels]).toEqual([...labelmap.voxels]);
  });
});

describe('a LABELMAP segmentation', () => {
  test.each([false, true])('holds any labelmap, RLE %s', async (compress) => {
    await fc.assert(
      fc.asyncProperty(anyLabelmap, fc.constantFrom(0, 299), async (labelmap, shift) => {
        const source = seriesOn(labelmap.geometry);
        const shifted: Labelmap = {
          ...labelmap,
          voxels: Uint16Array.from(labelmap.voxels, (label) => (label === 0 ? 0 : label + shift)),
          segments: labelmap.segments.map((s) => ({ ...s, segmentNumber: s.segmentNumber + shift })),
        };
        const { bytes } = await encode(shifted, source, { segType: 'labelmap', compress });
        const read = await readDicomSeg(bytes, { reference: { geometry: labelmap.geometry, source } });
        expect(read.segmentationType).toBe('LABELMAP');
        expectSameValues(read.labelmap.voxels, shifted.voxels);
        expect(read.labelmap.segments).toEqual(asStored(shifted.segments));
      }),
    );
  });

  test('describes its background and has no segment in its frames and dimensions', async () => {
    const labelmap = testLabelmap([0, 1, 2]);
    const { dataset, frameCount } = await encode(labelmap, undefined, { segType: 'labelmap' });
    expect(dataset.string('SOPClassUID')).toBe('1.2.840.10008.5.1.4.1.1.66.7');
    expect(dataset.string('MediaStorageSOPClassUID')).toBe('1.2.840.10008.5.1.4.1.1.66.7');
    expect(dataset.number('BitsAllocated')).toBe(8);
    expect(dataset.numbers('PixelPaddingValue')).toEqual([0]);
    expect(dataset.items('SegmentSequence').map((item) => item.number('SegmentNumber'))).toEqual([1, 2, 3, 0]);
    expect(
      dataset.items('SegmentSequence')[3]?.items('SegmentedPropertyTypeCodeSequence')[0]?.string('CodeValue'),
    ).toBe('125040');
    expect(dataset.items('DimensionIndexSequence')).toHaveLength(1);
    const frames = dataset.items('PerFrameFunctionalGroupsSequence');
    expect(frames).toHaveLength(frameCount);
    expect(frames[1]?.items('FrameContentSequence')[0]?.numbers('DimensionIndexValues')).toEqual([2]);
    expect(frames[1]?.has('SegmentIdentificationSequence')).toBe(false);
  });

  test('has 16 bits only where a segment number needs them', async () => {
    const wide = { ...testLabelmap([0, 1]), voxels: Uint16Array.from(testLabelmap([0, 1]).voxels) };
    expect((await encode(wide, undefined, { segType: 'labelmap' })).dataset.number('BitsAllocated')).toBe(8);
    const segments = wide.segments.map((s) => ({ ...s, segmentNumber: s.segmentNumber + 254 }));
    const empty = { ...wide, voxels: new Uint8Array(wide.voxels.length), segments };
    expect((await encode(empty, undefined, { segType: 'labelmap' })).dataset.number('BitsAllocated')).toBe(16);
  });
});

describe('a segmentation that continues a stored one', () => {
  test('refers to it, keeps the identity of its segments and says what was edited', async () => {
    const labelmap = testLabelmap([0, 1, 2, 3]);
    const source = seriesOn(labelmap.geometry);
    const first = await readDicomSeg((await encode(labelmap, source)).bytes);
    const segments = first.labelmap.segments.map((s) => (s.segmentNumber === 2 ? editedSegment(s) : s));
    const { bytes, dataset } = await encode({ ...labelmap, segments }, source, {
      provenance: { softwareVersion: '0.2.0' },
      predecessor: first.identity,
      instanceNumber: 2,
      seriesNumber: 301,
      seriesDescription: 'corrected',
      contentLabel: 'CORRECTED',
    });
    const [reference] = dataset.items('ReferencedInstanceSequence');
    expect(reference?.string('ReferencedSOPInstanceUID')).toBe(first.identity.sopInstanceUID);
    expect(reference?.items('PurposeOfReferenceCodeSequence')).toHaveLength(1);
    const series = dataset.items('ReferencedSeriesSequence').map((item) => item.string('SeriesInstanceUID'));
    expect(series).toEqual([source.seriesInstanceUID, first.identity.seriesInstanceUID]);

    const second = await readDicomSeg(bytes);
    expect(second.identity).toMatchObject({
      instanceNumber: 2,
      seriesNumber: 301,
      seriesDescription: 'corrected',
      contentLabel: 'CORRECTED',
      predecessorSOPInstanceUID: first.identity.sopInstanceUID,
    });
    expect(second.identity.sopInstanceUID).not.toBe(first.identity.sopInstanceUID);
    expect(second.sourceSeriesInstanceUID).toBe(source.seriesInstanceUID);
    expect(second.labelmap.segments).toEqual(segments);
    expect(segments.map((s) => [s.algorithmType, s.isEdited])).toEqual([
      ['AUTOMATIC', undefined],
      ['SEMIAUTOMATIC', true],
      ['AUTOMATIC', undefined],
    ]);
  });

  test('an edit is a second algorithm: manual processing', async () => {
    const labelmap = testLabelmap([1]);
    const segments = labelmap.segments.map(editedSegment);
    const [item] = (await encode({ ...labelmap, segments })).dataset.items('SegmentSequence');
    const families = item
      ?.items('SegmentationAlgorithmIdentificationSequence')
      .map((algorithm) => algorithm.items('AlgorithmFamilyCodeSequence')[0]?.string('CodeValue'));
    expect(families).toEqual(['123110', '123109']);
  });

  test('an edited segment that was drawn by hand stays so', () => {
    const [segment] = testSegments(1);
    if (segment === undefined) throw new Error('one segment');
    const drawn: Segment = { ...segment, algorithmType: 'MANUAL' };
    expect(editedSegment(drawn)).toEqual(drawn);
  });
});

test('BINARY frames that are no even number of bytes come with a warning, a LABELMAP has none', async () => {
  const labelmap = testLabelmap([0, 1], { geometry: obliqueGeometry([12, 2, 3]) });
  const codes = async (segType: 'binary' | 'labelmap', of = labelmap): Promise<string[]> =>
    (await encode(of, undefined, { segType })).warnings.map(({ code }) => code);
  expect(await codes('binary')).toEqual(['frames-not-whole-bytes']);
  expect(await codes('labelmap')).toEqual([]);
  expect(await codes('binary', testLabelmap([0, 1], { geometry: obliqueGeometry([8, 2, 3]) }))).toEqual([]);
});

test('more than 255 segments are written as BINARY too', async () => {
  const labelmap = testLabelmap([0, 1, 2]);
  const segments = testSegments(300);
  const voxels = Uint16Array.from(labelmap.voxels, (_, at) => (at * 7) % 301);
  const { bytes } = await encode({ ...labelmap, voxels, segments });
  const read = await readDicomSeg(bytes);
  expectSameValues(read.labelmap.voxels, voxels);
});

describe('encodeDicomSeg refuses', () => {
  test('to compress single bits', async () => {
    const bits = encode(testLabelmap([1]), undefined, { compress: true });
    await expect(bits).rejects.toThrow(expect.objectContaining({ code: 'unsupported-segmentation' }) as Error);
  });

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
    [
      'a segment number above 65535',
      'unsupported-segmentation',
      { ...labelmap, segments: [first, second, { ...third, segmentNumber: 65536 }] },
      source,
    ],
    [
      'an automatic segment without an algorithm',
      'unsupported-segmentation',
      { ...labelmap, segments: [{ ...first, algorithmName: '' }, second] },
      source,
    ],
  ])('%s (%s)', async (_, code, badLabelmap, badSource) => {
    await expect(encodeDicomSeg(badLabelmap, badSource, options)).rejects.toThrow(
      expect.objectContaining({ code }) as Error,
    );
  });
});
