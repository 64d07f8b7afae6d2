import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { deflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeDicomSeg, type DicomSegOptions } from '../../src/seg/encode-dicom-seg.ts';
import type { DicomAttributes } from '../../src/dicom/write-dicom.ts';
import { findFrames, packedByteLength } from '../../src/seg/seg-frames.ts';
import type { Labelmap } from '../../src/labelmap/labelmap.ts';
import { openFiles } from '../../src/node/files.ts';
import { measureSegments } from '../../src/labelmap/measure.ts';
import { readDicomSeg, readDicomSegLayers } from '../../src/seg/read-dicom-seg.ts';
import { readVolume } from '../../src/series/read-volume.ts';
import { cross, dot, indexToWorld } from '../../src/volume/geometry.ts';
import type { SourceSeries } from '../../src/volume/volume.ts';
import { dataPath, describeWithData } from '../support/data.ts';
import {
  asStored,
  obliqueGeometry,
  seriesOn,
  testLabelmap,
  testProvenance,
  testSegments,
  testUid,
} from '../support/labelled-series.ts';
import { encodeJpeg2000 } from '../support/jpeg-2000.ts';
import { textContaining } from '../support/matchers.ts';
import { encodeRle } from '../support/rle.ts';
import { overlappingSegFile, segFile } from '../support/seg-files.ts';
import { allStorageOrders } from '../support/storage-orders.ts';
import goldens from './dicom-seg-goldens.json' with { type: 'json' };

function withMeasures(usual: DicomAttributes, measures: DicomAttributes): DicomAttributes {
  const [shared] = usual['SharedFunctionalGroupsSequence'] as readonly DicomAttributes[];
  const [pixelMeasures] = shared?.['PixelMeasuresSequence'] as readonly DicomAttributes[];
  return {
    ...usual,
    SharedFunctionalGroupsSequence: [{ ...shared, PixelMeasuresSequence: [{ ...pixelMeasures, ...measures }] }],
  };
}

const labelmap = testLabelmap([0, 0, 1, 2, 2, 0, 3, 3, 3, 0, 0]);
const source = seriesOn(labelmap.geometry);
const reference = { geometry: labelmap.geometry, source };

describe('readDicomSeg', () => {
  test('the order of the frames does not matter', async () => {
    const frames = findFrames(labelmap);
    const shuffled = frames.map((_, at) => frames[(at * 7 + 3) % frames.length]).filter((frame) => frame !== undefined);
    expect(new Set(shuffled).size).toBe(frames.length);
    for (const options of [{}, { reference }]) {
      const read = await readDicomSeg(await segFile(labelmap, { frames: shuffled }), options);
      expect([...read.labelmap.voxels]).toEqual([...labelmap.voxels]);
    }
  });

  test('segments come back with codes, colours, tracking and algorithm', async () => {
    const read = await readDicomSeg(await segFile(labelmap));
    expect(read.labelmap.segments).toEqual(asStored(labelmap.segments));
    expect(read.sourceSeriesInstanceUID).toBe(source.seriesInstanceUID);
  });

  test('slices left out between others are empty slices', async () => {
    const gapped = testLabelmap([0]);
    gapped.voxels[0] = 1;
    gapped.voxels[gapped.voxels.length - 1] = 2;
    const read = await readDicomSeg(await segFile(gapped));
    expect([...read.labelmap.voxels]).toEqual([...gapped.voxels]);
  });

  test('on a reference the whole grid is filled, found by position where images are not named', async () => {
    const lowest = testLabelmap([0]);
    lowest.voxels[40] = 2;
    for (const grid of [reference, { geometry: labelmap.geometry }]) {
      const read = await readDicomSeg(await segFile(lowest), { reference: grid });
      expect(read.labelmap.geometry).toBe(labelmap.geometry);
      expect([...read.labelmap.voxels]).toEqual([...lowest.voxels]);
    }
  });

  test('images of other frames of reference are no obstacle', async () => {
    const geometry = { ...labelmap.geometry, frameOfReferenceUID: testUid(77) };
    const read = await readDicomSeg(await segFile(labelmap), { reference: { geometry, source } });
    expect([...read.labelmap.voxels]).toEqual([...labelmap.voxels]);
  });

  test('labels above 255 come back as 16 bits', async () => {
    const segments = labelmap.segments.map((segment) => ({ ...segment, segmentNumber: segment.segmentNumber + 299 }));
    const wide = { ...labelmap, segments, voxels: Uint16Array.from(labelmap.voxels, (v) => (v === 0 ? 0 : v + 299)) };
    const { voxels } = (await readDicomSeg(await segFile(wide))).labelmap;
    expect(voxels).toBeInstanceOf(Uint16Array);
    expect([...voxels]).toEqual([...wide.voxels]);
  });

  test('without Spacing Between Slices the gap is the smallest distance of two frames', async () => {
    const file = await segFile(labelmap, {
      attributes: (usual) => withMeasures(usual, { SpacingBetweenSlices: undefined }),
    });
    expect((await readDicomSeg(file)).labelmap.geometry.spacing[2]).toBeCloseTo(8, 5);
  });

  test('a Spacing Between Slices that the positions contradict is not used', async () => {
    const file = await segFile(labelmap, { attributes: (usual) => withMeasures(usual, { SpacingBetweenSlices: '3' }) });
    expect((await readDicomSeg(file)).labelmap.geometry.spacing[2]).toBeCloseTo(8, 5);
  });

  test('what another writer leaves out of a segment is substituted, a missing code with a warning', async () => {
    const file = await segFile(labelmap, {
      attributes: (usual) => ({ ...usual, SegmentSequence: [1, 2, 3].map((n) => ({ SegmentNumber: n })) }),
    });
    const { labelmap: read, warnings } = await readDicomSeg(file);
    expect(warnings.map(({ code }) => code)).toEqual(Array(3).fill('segment-without-code'));
    expect(read.segments[1]).toMatchObject({
      segmentNumber: 2,
      segmentLabel: 'Segment 2',
      segmentedPropertyType: { codeValue: '91723000' },
      trackingUID: expect.stringMatching(/^2\.25\.\d+$/) as string,
    });
  });
});

describe('single bits', () => {
  const RLE = '1.2.840.10008.1.2.5';
  // 23 × 17 voxels: no whole number of bytes.
  const odd = testLabelmap([0, 1, 2, 2, 0, 3], { geometry: obliqueGeometry([23, 17, 6]) });

  test.each([
    ['RLE', RLE, encodeRle],
    ['encapsulated, uncompressed', '1.2.840.10008.1.2.1.98', (bits: Uint8Array) => bits],
  ])('of frames that are %s begin on a byte of their own', async (_, transferSyntaxUID, encode) => {
    const read = await readDicomSeg(await segFile(odd, { encapsulated: { transferSyntaxUID, encode } }), {
      reference: { geometry: odd.geometry },
    });
    expect([...read.labelmap.voxels]).toEqual([...odd.voxels]);
  });

  test('that are JPEG 2000 images are read', async () => {
    const [columns, rows] = odd.geometry.dimensions;
    const format = { rows, columns, bitsAllocated: 8, bitsStored: 1, isSigned: false } as const;
    const frames = findFrames(odd);
    const images = await Promise.all(
      frames.map(({ segmentNumber, sliceIndex }) => {
        const slice = odd.voxels.subarray(sliceIndex * columns * rows, (sliceIndex + 1) * columns * rows);
        return encodeJpeg2000(
          Uint8Array.from(slice, (label) => (label === segmentNumber ? 1 : 0)),
          format,
        );
      }),
    );
    let next = 0;
    const encode = (): Uint8Array => images[next++] ?? new Uint8Array();
    const file = await segFile(odd, { encapsulated: { transferSyntaxUID: '1.2.840.10008.1.2.4.90', encode } });
    const read = await readDicomSeg(file, { reference: { geometry: odd.geometry } });
    expect([...read.labelmap.voxels]).toEqual([...odd.voxels]);
  });

  test('of a deflated file are read', async () => {
    const file = await segFile(odd);
    const read = await readDicomSeg(deflated(file), { reference: { geometry: odd.geometry } });
    expect([...read.labelmap.voxels]).toEqual([...odd.voxels]);
  });

  test('in an RLE frame that is too short are damaged', async () => {
    const encode = (bits: Uint8Array): Uint8Array => encodeRle(bits.subarray(1));
    const file = await segFile(odd, { encapsulated: { transferSyntaxUID: RLE, encode } });
    await expect(readDicomSeg(file)).rejects.toMatchObject({ code: 'damaged-file' });
  });

  test('in a syntax of lossy images are refused by its name', async () => {
    const encapsulated = { transferSyntaxUID: '1.2.840.10008.1.2.4.50', encode: (bits: Uint8Array) => bits };
    await expect(readDicomSeg(await segFile(odd, { encapsulated }))).rejects.toMatchObject({
      code: 'unsupported-transfer-syntax',
      message: textContaining('JPEG Baseline'),
    });
  });

  test('that the file says to be bytes are not guessed at', async () => {
    const attributes = (usual: DicomAttributes): DicomAttributes => ({ ...usual, BitsAllocated: 8 });
    const pixels = new Uint8Array(23 * 17 * findFrames(odd).length + 1);
    await expect(readDicomSeg(await segFile(odd, { attributes, pixels }))).rejects.toMatchObject({
      code: 'unsupported-segmentation',
      message: textContaining('8 bits'),
    });
  });
});

/** The file with its data set deflated. */
function deflated(file: Buffer): Uint8Array {
  const begin = 132 + 12 + file.readUInt32LE(140);
  const meta = file.subarray(0, begin);
  const at = meta.indexOf('1.2.840.10008.1.2.1\0', 0, 'latin1');
  const uid = Buffer.from('1.2.840.10008.1.2.1.99', 'latin1');
  const renamed = Buffer.concat([meta.subarray(0, at), uid, meta.subarray(at + 20)]);
  renamed.writeUInt16LE(uid.length, at - 2);
  renamed.writeUInt32LE(file.readUInt32LE(140) + uid.length - 20, 140);
  return Buffer.concat([renamed, deflateRawSync(file.subarray(begin))]);
}

describe('a LABELMAP', () => {
  const options = { provenance: testProvenance, now: new Date(0), segType: 'labelmap' } as const;
  const encoded = async (more: Partial<DicomSegOptions> = {}, of: Labelmap = labelmap): Promise<Buffer> =>
    Buffer.concat((await encodeDicomSeg(of, source, { ...options, ...more })).parts);

  test('without a reference, spans the frames that are there', async () => {
    const middle = testLabelmap([0]);
    middle.voxels[middle.voxels.length / 2] = 3;
    const read = await readDicomSeg(await encoded({}, middle));
    expect(read.labelmap.geometry.dimensions).toEqual([7, 5, 1]);
    expect([...read.labelmap.voxels].filter((voxel) => voxel !== 0)).toEqual([3]);
    expect(read.frames).toEqual([{ sliceIndex: 0, sourceSOPInstanceUID: source.instances[2]?.sopInstanceUID }]);
  });

  test('has its Pixel Padding Value as background, whatever that is', async () => {
    const file = await encoded();
    const at = file.indexOf(Buffer.from([0x28, 0x00, 0x20, 0x01])) + 8;
    file.writeUInt16LE(2, at);
    const { voxels } = (await readDicomSeg(file)).labelmap;
    expect([...voxels]).toEqual([...labelmap.voxels.map((label) => (label === 2 ? 0 : label))]);
  });

  test('with a value that no segment describes is refused', async () => {
    const file = await encoded();
    file[file.length - 3] = 77;
    await expect(readDicomSeg(file)).rejects.toThrow(/a voxel of segment 77, which it lacks/);
  });

  test('is one layer', async () => {
    const { layers, segmentationType } = await readDicomSegLayers(await encoded(), { reference });
    expect(segmentationType).toBe('LABELMAP');
    expect(layers.map(({ voxels }) => [...voxels])).toEqual([[...labelmap.voxels]]);
  });
});

describe('a FRACTIONAL segmentation', () => {
  /** One segment on the first slice of a 7 × 5 grid, whose voxels count up from 0 in tens. */
  const fractional = (maximum: number): Promise<Buffer> => {
    const dot = testLabelmap([0], { segments: labelmap.segments.slice(0, 1) });
    dot.voxels[0] = 1;
    return segFile(dot, {
      pixels: Uint8Array.from({ length: 36 }, (_, at) => (at < 35 ? (at * 10) % 256 : 0)),
      attributes: (usual) => ({
        ...usual,
        SegmentationType: 'FRACTIONAL',
        SegmentationFractionalType: 'PROBABILITY',
        MaximumFractionalValue: maximum,
        BitsAllocated: 8,
        BitsStored: 8,
        HighBit: 7,
      }),
    });
  };

  test.each([255, 100, 31])('is taken where it is at least half of its maximum, %i, and says so', async (maximum) => {
    const { labelmap: read, warnings, segmentationType } = await readDicomSeg(await fractional(maximum));
    const expected = Array.from({ length: 35 }, (_, at) => ((at * 10) % 256 >= maximum / 2 ? 1 : 0));
    expect([...read.voxels]).toEqual(expected);
    expect(segmentationType).toBe('FRACTIONAL');
    expect(warnings).toEqual([
      {
        code: 'fractional-thresholded',
        message: expect.stringContaining(`a probability of at least one half (${maximum / 2} of ${maximum})`) as string,
      },
    ]);
  });
});

describe('overlapping segments', () => {
  const painted = (from: number, to: number, label: number): number[] =>
    Array.from({ length: 24 }, (_, at) => (at >= from && at < to ? label : 0));

  test('are kept apart, each whole', async () => {
    const { layers, warnings } = await readDicomSegLayers(await overlappingSegFile());
    expect(layers.map(({ voxels }) => [...voxels])).toEqual([painted(0, 10, 1), painted(4, 16, 2)]);
    expect(layers.map(({ segments }) => segments.map((s) => s.segmentNumber))).toEqual([[1], [2]]);
    expect(warnings).toEqual([]);
  });

  test('become one labelmap by a rule, and how many voxels both claim is told', async () => {
    for (const [overlap, edge] of [
      ['first', 10],
      ['last', 4],
    ] as const) {
      const { labelmap: read, warnings } = await readDicomSeg(await overlappingSegFile(), { overlap });
      const expected = painted(edge, 16, 2).map((label, at) => (at < edge ? 1 : label));
      expect([...read.voxels]).toEqual(expected);
      expect(warnings.map(({ code, message }) => [code, message])).toEqual([
        [
          'segments-overlap',
          `Segments 1 and 2 overlap: 6 voxels of segment ${overlap === 'first' ? '2 are given to segment 1' : '1 are given to segment 2'}.`,
        ],
      ]);
    }
  });

  test('any masks come back from as many layers as their overlaps need', async () => {
    const geometry = obliqueGeometry([5, 3, 2]);
    const anyMasks = fc.array(fc.array(fc.boolean(), { minLength: 30, maxLength: 30 }), { minLength: 1, maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(anyMasks, async (masks) => {
        const bits = masks.flatMap((mask) => [...mask.slice(0, 15), ...mask.slice(15)]);
        const pixels = new Uint8Array(2 * Math.ceil(bits.length / 16));
        bits.forEach((bit, at) => {
          if (bit) pixels[at >> 3] = (pixels[at >> 3] ?? 0) | (1 << (at & 7));
        });
        const segments = testSegments(masks.length);
        const frames = segments.flatMap(({ segmentNumber }) =>
          [0, 1].map((sliceIndex) => ({ segmentNumber, sliceIndex })),
        );
        const file = await segFile(testLabelmap([0], { geometry, segments }), { frames, pixels });
        const { layers } = await readDicomSegLayers(file);
        for (const { voxels, segments: own } of layers) {
          for (const { segmentNumber } of own) {
            expect(Array.from(voxels, (label) => label === segmentNumber)).toEqual(masks[segmentNumber - 1]);
          }
        }
        expect(layers.flatMap(({ segments: own }) => own)).toHaveLength(masks.length);
        const overlap =
          bits.length > 30 && masks.some((a, n) => masks.slice(n + 1).some((b) => a.some((x, at) => x && b[at])));
        expect(layers.length > 1).toBe(overlap);
      }),
      { numRuns: 60 },
    );
  });
});

describe('on a reference, by the place of their voxels', () => {
  const whole = { geometry: labelmap.geometry, voxels: labelmap.voxels };

  test('frames of any order and direction of the axes give the labels where they were', async () => {
    for (const { geometry, voxels } of allStorageOrders(whole)) {
      // Frames lie along the third axis, whose direction DICOM has as the cross product of the others.
      const { direction } = geometry;
      if (dot(cross(direction[0], direction[1]), direction[2]) < 0) continue;
      const stored = { ...labelmap, geometry, voxels: Uint8Array.from(voxels) };
      // Each of its frames is derived from several images, and names none of them alone.
      const series = seriesOn(geometry);
      const instances = series.instances.map((one, k) => ({ ...one, sopInstanceUID: testUid(700 + k) }));
      const file = await segFile(stored, { source: { ...series, instances } });
      for (const grid of [reference, { geometry: labelmap.geometry }]) {
        const read = await readDicomSeg(file, { reference: grid });
        expect(read.labelmap.geometry).toEqual(labelmap.geometry);
        expect([...read.labelmap.voxels]).toEqual([...labelmap.voxels]);
      }
    }
  });

  test('a part of the slices, or more than them, fills what it covers', async () => {
    const inner = testLabelmap([0]);
    const at = 2 * 35 + 2 * 7 + 3; // (3, 2, 2)
    inner.voxels[at] = 2;
    const cases = [
      { dimensions: [2, 2, 2], first: [3, 1, 1], voxel: [0, 1, 1] },
      { dimensions: [11, 9, 6], first: [-2, -3, -1], voxel: [5, 5, 3] },
    ] as const;
    for (const { dimensions, first, voxel } of cases) {
      const geometry = { ...labelmap.geometry, dimensions, origin: indexToWorld(labelmap.geometry, first) };
      const cropped = testLabelmap([0], { geometry });
      cropped.voxels[voxel[0] + dimensions[0] * (voxel[1] + dimensions[1] * voxel[2])] = 2;
      const read = await readDicomSeg(await segFile(cropped), { reference });
      expect([...read.labelmap.voxels]).toEqual([...inner.voxels]);
    }
  });

  test('of every second slice need no gap of their own', async () => {
    const sparse = testLabelmap([0]);
    for (const slice of [0, 2]) sparse.voxels[slice * 35 + 3] = 1;
    const file = await segFile(sparse, {
      attributes: (usual) => withMeasures(usual, { SpacingBetweenSlices: undefined }),
    });
    const read = await readDicomSeg(file, { reference: { geometry: reversedRows(labelmap.geometry) } });
    expect([...read.labelmap.voxels].filter((label) => label === 1)).toHaveLength(2);
    expect(measureSegments(read.labelmap)[0]?.centroid).toEqual(
      measureSegments(sparse)[0]?.centroid?.map((mm) => expect.closeTo(mm, 3) as number),
    );
  });

  test('a warning says that none of the source images is there', async () => {
    const instances = source.instances.map((one, k) => ({ ...one, sopInstanceUID: testUid(700 + k) }));
    const other = { geometry: labelmap.geometry, source: { ...source, instances } };
    const read = await readDicomSeg(await segFile(labelmap), { reference: other });
    expect([...read.labelmap.voxels]).toEqual([...labelmap.voxels]);
    expect(read.warnings.map(({ code }) => code)).toEqual(['source-not-in-reference']);
    expect((await readDicomSeg(await segFile(labelmap), { reference })).warnings).toEqual([]);
  });
});

/** The same voxels with the rows from last to first. */
function reversedRows(geometry: Labelmap['geometry']): Labelmap['geometry'] {
  const [i, j, k] = geometry.direction;
  const origin = indexToWorld(geometry, [0, geometry.dimensions[1] - 1, 0]);
  return { ...geometry, origin, direction: [i, [-j[0], -j[1], -j[2]], k] };
}

describe('of what writers round or leave out', () => {
  test.each([undefined, '0'])('a Number of Frames of %s is one frame', async (NumberOfFrames) => {
    const dot = testLabelmap([0]);
    dot.voxels[3] = 2;
    const file = await segFile(dot, { attributes: (usual) => ({ ...usual, NumberOfFrames }) });
    const read = await readDicomSeg(file, { reference });
    expect([...read.labelmap.voxels]).toEqual([...dot.voxels]);
  });
});

test('frames of single-frame images may be numbered', async () => {
  const numbered = { ...source, instances: source.instances.map((instance) => ({ ...instance, frameNumber: 1 })) };
  const read = await readDicomSeg(await segFile(labelmap, { source: numbered }), { reference });
  expect([...read.labelmap.voxels]).toEqual([...labelmap.voxels]);
});

describe('readDicomSeg refuses', () => {
  test('more layers of overlapping segments than the limit holds, naming it', async () => {
    const file = await overlappingSegFile();
    await expect(readDicomSegLayers(file, { limits: { voxels: 47 } })).rejects.toMatchObject({
      code: 'limit-exceeded',
      message: textContaining('limit voxels'),
    });
    expect((await readDicomSegLayers(file, { limits: { voxels: 48 } })).layers).toHaveLength(2);
  });

  test('more voxels than the limit, naming it', async () => {
    await expect(readDicomSeg(await segFile(labelmap), { limits: { voxels: 139 } })).rejects.toThrow(
      expect.objectContaining({
        code: 'limit-exceeded',
        message: expect.stringContaining('140 voxels') as string,
        details: expect.objectContaining({ option: 'limit', choices: ['voxels'] }) as object,
      }) as Error,
    );
  });

  const frames = findFrames(labelmap);
  const dot = testLabelmap([0]);
  dot.voxels[0] = 1;
  const [dotFrame = { segmentNumber: 1, sliceIndex: 0 }] = findFrames(dot);
  const moved = (k: number, mm: number): SourceSeries => ({
    ...source,
    instances: source.instances.map((instance) =>
      instance.sliceIndex === k
        ? {
            ...instance,
            imagePositionPatient: indexToWorld(labelmap.geometry, [0, 0, k + mm / 8]).map((value) =>
              value.toFixed(6),
            ) as unknown as [string, string, string],
          }
        : instance,
    ),
  });
  const sheared: SourceSeries = {
    ...source,
    instances: source.instances.map((instance, k) => ({
      ...instance,
      imagePositionPatient: indexToWorld(labelmap.geometry, [0.4 * k, 0, k]).map((value) =>
        value.toFixed(6),
      ) as unknown as [string, string, string],
    })),
  };

  test.each<[string, string, () => Promise<Uint8Array>, RegExp]>([
    [
      'an image',
      'not-segmentation',
      () => segFile(labelmap, { attributes: (a) => ({ ...a, SOPClassUID: '1.2.3' }) }),
      /1\.2\.3/,
    ],
    [
      'a type that there is not',
      'unsupported-segmentation',
      () => segFile(labelmap, { attributes: (a) => ({ ...a, SegmentationType: 'TERNARY' }) }),
      /TERNARY/,
    ],
    [
      'two frames of a segment at one place',
      'unsupported-segmentation',
      () => segFile(dot, { frames: [dotFrame, dotFrame] }),
      /several frames/,
    ],
    [
      'a frame of an unknown segment',
      'invalid-attribute',
      () => segFile(labelmap, { attributes: (a) => ({ ...a, SegmentSequence: [{ SegmentNumber: 1 }] }) }),
      /segment 2/,
    ],
    [
      'a segment number twice',
      'invalid-attribute',
      () =>
        segFile(labelmap, {
          attributes: (a) => ({ ...a, SegmentSequence: [{ SegmentNumber: 1 }, { SegmentNumber: 1 }] }),
        }),
      /several segments/,
    ],
    [
      'no segments',
      'missing-attribute',
      () => segFile(labelmap, { attributes: (a) => ({ ...a, SegmentSequence: undefined }) }),
      /SegmentSequence/,
    ],
    [
      'no Rows',
      'missing-attribute',
      () => segFile(labelmap, { attributes: (a) => ({ ...a, Rows: undefined }) }),
      /Rows/,
    ],
    [
      'no orientation',
      'missing-attribute',
      () => segFile(labelmap, { attributes: (a) => ({ ...a, SharedFunctionalGroupsSequence: undefined }) }),
      /PixelMeasures|Orientation/,
    ],
    [
      'a spacing that is no number',
      'invalid-attribute',
      () => segFile(labelmap, { attributes: (a) => withMeasures(a, { PixelSpacing: ['x', '1'] }) }),
      /PixelSpacing/,
    ],
    [
      'a spacing of zero',
      'invalid-geometry',
      () => segFile(labelmap, { attributes: (a) => withMeasures(a, { PixelSpacing: ['0', '1'] }) }),
      /spacing/,
    ],
    [
      'another number of frames than it describes',
      'damaged-file',
      () => segFile(labelmap, { attributes: (a) => ({ ...a, NumberOfFrames: '99' }) }),
      /99 frames/,
    ],
    ['pixel data that end early', 'damaged-file', async () => (await segFile(labelmap)).subarray(0, -12), /pixel data/],
    [
      'frames that are not evenly apart',
      'irregular-slices',
      () => segFile(labelmap, { source: moved(2, 2.7) }),
      /not on slices of one gap/,
    ],
    [
      'frames that drift sideways',
      'gantry-tilt',
      () => segFile(labelmap, { source: sheared }),
      /shifted by 0\.5|shifted by/,
    ],
    ['what is not DICOM', 'not-dicom', () => Promise.resolve(new Uint8Array(500)), /not a DICOM/],
  ])('%s (%s)', async (_, code, file, message) => {
    await expect(readDicomSeg(await file())).rejects.toThrow(
      expect.objectContaining({ code, message: expect.stringMatching(message) as string }) as Error,
    );
  });

  test('segments that overlap, naming both', async () => {
    const overlapping = await segFile(labelmap);
    // The first voxel of the first frame of every segment.
    const start = overlapping.length - packedByteLength(labelmap, frames.length);
    for (let at = start; at < overlapping.length; at++) overlapping[at] = 0xff;
    await expect(readDicomSeg(overlapping)).rejects.toThrow(/segments 1 and 2 overlap/);
  });

  test.each<[string, Labelmap['geometry'], RegExp]>([
    ['a reference that is smaller than the segments', obliqueGeometry([5, 7, 4]), /label 3 lies outside it/],
    ['a reference beside it', { ...labelmap.geometry, origin: [0, 0, 0] }, /between each other|away from slice/],
    ['a reference with other spacing', { ...labelmap.geometry, spacing: [1.35, 1.5, 8] }, /1\.25 and 1\.35 mm/],
  ])('%s (geometry-mismatch)', async (_, geometry, message) => {
    for (const grid of [{ geometry, source }, { geometry }]) {
      await expect(readDicomSeg(await segFile(labelmap), { reference: grid })).rejects.toThrow(
        expect.objectContaining({
          code: 'geometry-mismatch',
          message: expect.stringMatching(message) as string,
        }) as Error,
      );
    }
  });

  test('a frame whose image and position contradict each other (geometry-mismatch)', async () => {
    const swapped = source.instances.map((instance, k) => ({
      ...instance,
      sopInstanceUID: source.instances[k ^ 1]?.sopInstanceUID ?? '',
    }));
    const file = await segFile(labelmap, { source: { ...source, instances: swapped } });
    await expect(readDicomSeg(file, { reference })).rejects.toThrow(/8\.00 mm away from slice 1/);
    expect([...(await readDicomSeg(file, { reference: { geometry: labelmap.geometry } })).labelmap.voxels]).toEqual([
      ...labelmap.voxels,
    ]);
  });
});

describeWithData('segmentations by other writers', () => {
  test.each(Object.entries(goldens))('%s reads as highdicom reads it', async (name, golden) => {
    const { labelmap: read } = await readDicomSeg(readFileSync(dataPath('dicom/seg-objects', name)), { name });
    const { geometry, voxels } = read;
    expect(geometry.dimensions).toEqual(golden.dimensions);
    expect(createHash('sha256').update(voxels).digest('hex')).toBe(golden.sha256);
    for (const axis of [0, 1, 2, 3] as const) {
      const index = [0, 1, 2].map((n) => (n === axis ? 1 : 0)) as unknown as [number, number, number];
      const point = indexToWorld(geometry, index);
      golden.affine.forEach((row, n) => {
        const expected = (row[3] ?? 0) + (axis === 3 ? 0 : (row[axis] ?? 0));
        // highdicom takes the gap from the positions, which have fewer digits.
        expect(Math.abs((point[n] ?? NaN) - expected)).toBeLessThan(1e-4);
      });
    }
  });

  test.each([
    ['dcmqi/segmentations/partial_overlaps.dcm', 'unsupported-segmentation', /segments 1 and [23] overlap/],
    ['highdicom/ct_image.dcm', 'not-segmentation', /is not a DICOM Segmentation/],
  ])('%s ends in its error', async (name, code, message) => {
    await expect(readDicomSeg(readFileSync(dataPath('dicom/seg-objects', name)))).rejects.toThrow(
      expect.objectContaining({ code, message: expect.stringMatching(message) as string }) as Error,
    );
  });

  test('partial_overlaps.dcm: five segments in layers, their overlaps by a rule', async () => {
    const file = readFileSync(dataPath('dicom/seg-objects/dcmqi/segmentations/partial_overlaps.dcm'));
    const { layers } = await readDicomSegLayers(file);
    const counts = layers.flatMap((layer) =>
      measureSegments(layer).map(({ segmentNumber, voxelCount }) => [segmentNumber, voxelCount] as const),
    );
    expect(counts.toSorted(([a], [b]) => a - b)).toEqual([
      [1, 9602],
      [2, 11888],
      [3, 10743],
      [4, 6693],
      [5, 4713],
    ]);
    const { warnings } = await readDicomSeg(file, { overlap: 'last' });
    expect(warnings.map(({ message }) => message)).toEqual([
      'Segments 1 and 2 overlap: 3017 voxels of segment 1 are given to segment 2.',
      // Of the 95 that they share, 28 were given to segment 2 before.
      'Segments 1 and 3 overlap: 67 voxels of segment 1 are given to segment 3.',
      'Segments 2 and 3 overlap: 50 voxels of segment 2 are given to segment 3.',
    ]);
  });

  test.each(['24x38x3', '23x38x3'])('%s on the series it was made from has its slices there', async (folder) => {
    const base = dataPath('dicom/seg-objects/dcmqi/segmentations', folder);
    const { volume } = await readVolume(openFiles([`${base}/image`]));
    const seg = readFileSync(`${base}/seg/label.seg`);
    const { labelmap: read } = await readDicomSeg(seg, { reference: volume });
    const alone = (await readDicomSeg(seg)).labelmap;
    expect(read.geometry).toBe(volume.geometry);
    expect([...read.voxels].filter((v) => v !== 0)).toEqual([...alone.voxels].filter((v) => v !== 0));
  });
});
