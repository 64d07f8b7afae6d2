import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { InputError, ModelError } from '../../src/errors.ts';
import type { Tensor } from '../../src/inference/backend.ts';
import { segmentVolume, type SegmentedSlice } from '../../src/pipeline/segment-volume.ts';
import { outwardFrom } from '../../src/pipeline/slice-runs.ts';
import { createGeometry, voxelCount, type Direction, type Vector3 } from '../../src/volume/geometry.ts';
import type { SliceAxis } from '../../src/volume/reorient.ts';
import type { Volume } from '../../src/volume/volume.ts';
import { allStorageOrders, indexOf, sameVoxel, storedAlong } from '../support/storage-orders.ts';
import { createFakeSession, createManifest, scoreByValue, type ManifestParts } from './fake-session.ts';

const UPRIGHT: Direction = [
  [1, 0, 0],
  [0, 1, 0],
  [0, 0, 1],
];

function createVolume(
  dimensions: Vector3,
  valueAt: (i: number, j: number, k: number) => number,
  direction = UPRIGHT,
): Volume {
  const geometry = createGeometry({ dimensions, spacing: [1, 1, 5], origin: [-3, 20, 7], direction });
  const voxels = new Float32Array(voxelCount(geometry));
  const [columns, rows] = dimensions;
  voxels.forEach((_, at) => {
    voxels[at] = valueAt(at % columns, Math.floor(at / columns) % rows, Math.floor(at / (columns * rows)));
  });
  return { geometry, voxels, modality: 'MR', bodyPartExamined: 'HEART' };
}

/** Values that repeat nowhere nearby. */
const textured = (i: number, j: number, k: number): number => ((i * 7 + j * 13 + k * 29) % 31) / 31;

/** Tilted along rows and columns and uneven over the channels, so that every flip, swap and order shows. */
function tiltedScores(classes: number): (input: Tensor) => Float32Array {
  return ({ data, shape }) => {
    const [, channels = 0, rows = 0, columns = 0] = shape;
    const size = rows * columns;
    return Float32Array.from({ length: classes * size }, (_, at) => {
      const [c, pixel] = [Math.floor(at / size), at % size];
      let score = Math.sin(c * 5 + 0.9 * (pixel % columns)) + Math.cos(c * 3 - 0.7 * Math.floor(pixel / columns));
      for (let channel = 0; channel < channels; channel++) {
        score += (data[channel * size + pixel] ?? 0) * Math.sin(1 + c * 2 + channel * 4);
      }
      return score;
    });
  };
}

function segmentTilted(
  volume: Volume,
  parts: ManifestParts,
  options: Partial<Parameters<typeof segmentVolume>[1]> = {},
) {
  const manifest = createManifest(parts);
  const session = createFakeSession(manifest, tiltedScores(manifest.segments.length + 1));
  return segmentVolume(volume, { session, softwareVersion: 'test', ...options });
}

const NEIGHBOURS: ManifestParts = {
  input: { shape: [1, 3, 6, 6], channels: { offsetsInSlices: [-1, 0, 1], edge: 'replicate' }, spacing: 1.3 },
};
const SCORES: readonly [string, ManifestParts][] = [
  ['scores of its own', NEIGHBOURS],
  ["a share of its neighbours' scores", { ...NEIGHBOURS, output: { neighbourWeight: 0.2 } }],
];

describe('segmentVolume', () => {
  test('a model that reads labels off the intensity gives them back voxel by voxel', async () => {
    const labels = (i: number, j: number, k: number): number =>
      Math.hypot(i - 7 - k, j - 5) < 2 ? 3 : Math.hypot(i - 7, j - 5) < 4 + k / 2 ? 2 : i > 12 ? 1 : 0;
    const volume = createVolume([16, 12, 4], (i, j, k) => labels(i, j, k) / 3);
    const session = createFakeSession(createManifest(), scoreByValue(4));
    const result = await segmentVolume(volume, { session, softwareVersion: 'slicewise 9.9' });
    expect(result.labelmap.voxels).toEqual(Uint8Array.from(volume.voxels, (value) => Math.round(value * 3)));
    expect(result.uncertainty.voxels.every((value) => value === 0)).toBe(true);
    expect(result.labelmap.geometry).toBe(volume.geometry);
    expect(result.warnings).toEqual([]);
    expect(result.provenance).toMatchObject({
      modelId: 'fake',
      modelVersion: '1.2.3',
      modelTitle: 'Fake model',
      softwareVersion: 'slicewise 9.9',
      backendPerSlice: ['fake', 'fake', 'fake', 'fake'],
      viewsPerSlice: 1,
    });
  });

  test('segments say what made them and have identities of their own', async () => {
    const volume = createVolume([16, 12, 1], () => 1);
    const session = createFakeSession(createManifest(), scoreByValue(4));
    const run = () => segmentVolume(volume, { session, softwareVersion: 'x' });
    const [first, second] = [await run(), await run()];
    expect(first.labelmap.segments.map((segment) => segment.segmentNumber)).toEqual([1, 2, 3]);
    for (const segment of first.labelmap.segments) {
      expect(segment).toMatchObject({ algorithmType: 'AUTOMATIC', algorithmName: 'Fake model 1.2.3' });
      expect(segment.trackingID.length).toBeLessThanOrEqual(64);
    }
    const uids = [first, second].flatMap(({ labelmap }) => labelmap.segments.map((segment) => segment.trackingUID));
    expect(new Set(uids).size).toBe(6);
  });

  test.each(['axial', 'sagittal', 'coronal'] as const)(
    'all 48 ways to store a volume give the same result in the patient: %s slices, LPS',
    async (sliceAxis) => {
      const parts = { input: { ...NEIGHBOURS.input, sliceAxis, orientation: 'LPS' as const } };
      const upright = createVolume([7, 6, 5], textured);
      const expected = await segmentTilted(upright, parts);
      expect(new Set(expected.labelmap.voxels).size).toBe(4);
      for (const stored of allStorageOrders(upright)) {
        const result = await segmentTilted(stored, parts);
        upright.voxels.forEach((_, at) => {
          const there = sameVoxel(upright.geometry, stored.geometry, at);
          expect(result.labelmap.voxels[there]).toBe(expected.labelmap.voxels[at]);
          expect(result.uncertainty.voxels[there]).toBe(expected.uncertainty.voxels[at]);
        });
      }
    },
  );

  test('a model for any orientation gets the slices as stored, so flips of the volume change what it sees', async () => {
    const upright = createVolume([7, 6, 5], textured);
    const [expected, mirrored] = [upright, flipped(upright)];
    const results = await Promise.all([expected, mirrored].map((volume) => segmentTilted(volume, NEIGHBOURS)));
    const there = upright.voxels.map((_, at) => sameVoxel(upright.geometry, mirrored.geometry, at));
    const [first, second] = results.map((result) => result.labelmap.voxels);
    expect(Array.from(there, (at) => second?.[at])).not.toEqual([...(first ?? [])]);
  });

  test.each(SCORES)('the order of the slices does not change the result: %s', async (_, manifest) => {
    const volume = createVolume([11, 9, 6], textured);
    const expected = await segmentTilted(volume, manifest);
    const order = fc.shuffledSubarray([0, 1, 2, 3, 4, 5], { minLength: 6 });
    await fc.assert(
      fc.asyncProperty(order, async (slices) => {
        const seen: number[] = [];
        const result = await segmentTilted(volume, manifest, {
          order: slices,
          onSlice: ({ index }) => seen.push(index),
        });
        expect(seen).toEqual(slices);
        expect(result.labelmap.voxels).toEqual(expected.labelmap.voxels);
        expect(result.uncertainty).toEqual(expected.uncertainty);
      }),
      { numRuns: 20 },
    );
  });

  test.each<[SliceAxis, 'LPS' | 'any', number]>([
    ['acquired', 'any', 5],
    ['acquired', 'LPS', 5],
    ['sagittal', 'LPS', 7],
    ['coronal', 'LPS', 6],
  ])('hands over each slice of the final labels: %s, %s', async (sliceAxis, orientation, count) => {
    const volume = createVolume([7, 6, 5], textured, [
      [-1, 0, 0],
      [0, -1, 0],
      [0, 0, -1],
    ]);
    const handed: SegmentedSlice[] = [];
    const progress: number[] = [];
    const result = await segmentTilted(
      volume,
      { input: { ...NEIGHBOURS.input, sliceAxis, orientation } },
      {
        onSlice: ({ labels, ...slice }) => handed.push({ ...slice, labels: labels.slice() }),
        onProgress: ({ done, total }) => progress.push(done / total),
      },
    );
    expect(handed.map((slice) => slice.index)).toEqual(Array.from({ length: count }, (_, n) => n));
    expect(progress).toEqual(Array.from({ length: count }, (_, n) => (n + 1) / count));
    const axis = { acquired: 2, axial: 2, sagittal: 0, coronal: 1 }[sliceAxis];
    for (const { index, labels, uncertainty } of handed) {
      const members = [...result.labelmap.voxels.keys()].filter((at) => indexOf(volume.geometry, at)[axis] === index);
      expect([...labels]).toEqual(members.map((at) => result.labelmap.voxels[at]));
      expect([...uncertainty]).toEqual(members.map((at) => result.uncertainty.voxels[at]));
    }
  });

  test.each(SCORES)('an order of some slices labels these alone, as in a whole run: %s', async (_, manifest) => {
    const volume = createVolume([7, 6, 5], textured);
    const rules = { segmentNumber: 1, keepLargestComponent: true, fillHoles: false, minimumVolumeMl: 1000 };
    const whole = await segmentTilted(volume, manifest);
    const progress: string[] = [];
    const part = await segmentTilted(
      volume,
      { ...manifest, postProcess: [rules] },
      { order: [3, 1], onProgress: ({ done, total }) => progress.push(`${done}/${total}`) },
    );
    expect(progress).toEqual(['1/2', '2/2']);
    expect(part.provenance.backendPerSlice).toEqual(['', 'fake', '', 'fake', '']);
    expect(part.warnings.map((warning) => warning.code)).toContain('partial-run');
    whole.labelmap.voxels.forEach((label, at) => {
      const wasRun = [1, 3].includes(Math.floor(at / 42));
      expect(part.labelmap.voxels[at]).toBe(wasRun ? label : 0);
      expect(part.uncertainty.voxels[at]).toBe(wasRun ? whole.uncertainty.voxels[at] : 0);
    });
    expect(new Set(part.labelmap.voxels).size).toBe(4);
  });

  test('an abort at any slice rejects with its reason, after the run in flight, and no slice follows', async () => {
    const volume = createVolume([16, 12, 6], textured);
    for (let last = 0; last < 6; last++) {
      const controller = new AbortController();
      const reason = new Error(`stopped at ${last}`);
      let [running, handed] = [0, 0];
      const session = createFakeSession(createManifest(), async (input) => {
        running++;
        await new Promise((resolve) => setTimeout(resolve, 2));
        running--;
        return scoreByValue(4)(input);
      });
      const promise = segmentVolume(volume, {
        session,
        softwareVersion: 'x',
        signal: controller.signal,
        onSlice: ({ index }) => {
          handed++;
          if (index === last) controller.abort(reason);
        },
      });
      if (last === 5) await expect(promise).resolves.toBeDefined();
      else await expect(promise).rejects.toBe(reason);
      expect(handed).toBe(last + 1);
      expect(running).toBe(0);
    }
  });

  test('an abort before the start runs nothing', async () => {
    const session = createFakeSession(createManifest(), () => expect.unreachable());
    const signal = AbortSignal.abort(new Error('no'));
    const promise = segmentVolume(createVolume([4, 4, 2], textured), { session, softwareVersion: 'x', signal });
    await expect(promise).rejects.toThrow('no');
  });

  test('an error of the model or of onSlice rejects, and leaves no run in flight', async () => {
    const volume = createVolume([16, 12, 6], textured);
    let runs = 0;
    const failing = createFakeSession(createManifest(), (input) => {
      if (++runs === 3) throw new Error('device lost');
      return scoreByValue(4)(input);
    });
    await expect(segmentVolume(volume, { session: failing, softwareVersion: 'x' })).rejects.toThrow('device lost');
    expect(runs).toBe(3);

    const session = createFakeSession(createManifest(), scoreByValue(4));
    const onSlice = (): never => {
      throw new Error('viewer closed');
    };
    await expect(segmentVolume(volume, { session, softwareVersion: 'x', onSlice })).rejects.toThrow('viewer closed');
  });

  test.each([NaN, Infinity, -Infinity])('%s among the voxels is refused before the model runs', async (value) => {
    const volume = createVolume([4, 3, 2], (i, j, k) => (i === 1 && j === 2 && k === 1 ? value : 0.5));
    const session = createFakeSession(createManifest(), () => expect.unreachable());
    const error: unknown = await segmentVolume(volume, { session, softwareVersion: 'x' }).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(InputError);
    expect(error).toMatchObject({ code: 'invalid-voxels', details: { count: 1, index: [1, 2, 1] } });
  });

  test.each([NaN, Infinity])('%s among the scores is an error, not a label', async (value) => {
    const session = createFakeSession(createManifest(), ({ data }) =>
      new Float32Array(4 * data.length).fill(value, 9, 10),
    );
    const promise = segmentVolume(createVolume([4, 3, 2], textured), { session, softwareVersion: 'x' });
    await expect(promise).rejects.toThrow(ModelError);
  });

  test.each([[[]], [[0, 1, 1]], [[0, 1, 3]], [[0, 1, 0.5]], [[0, 1, 2, 2]], [[-1]]])(
    'the slice order %j of three slices is refused',
    async (order) => {
      const promise = segmentTilted(createVolume([4, 3, 3], textured), {}, { order });
      await expect(promise).rejects.toMatchObject({ code: 'invalid-arguments' });
    },
  );

  test('a model for another modality is refused, and only warned of when forced', async () => {
    const volume = { ...createVolume([16, 12, 1], () => 1), modality: 'CT' };
    const session = createFakeSession(createManifest(), scoreByValue(4));
    const error: unknown = await segmentVolume(volume, { session, softwareVersion: 'x' }).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(ModelError);
    expect(error).toMatchObject({ code: 'model-mismatch' });
    const { warnings } = await segmentVolume(volume, { session, softwareVersion: 'x', force: true });
    expect(warnings.map((warning) => warning.code)).toEqual(['model-mismatch']);
  });

  test('nothing found is a result, and said', async () => {
    const session = createFakeSession(createManifest(), scoreByValue(4));
    const result = await segmentVolume(
      createVolume([16, 12, 2], () => 0),
      { session, softwareVersion: 'x' },
    );
    expect(result.labelmap.voxels.every((label) => label === 0)).toBe(true);
    expect(result.warnings.map((warning) => warning.code)).toEqual(['empty-result']);
    expect([...result.uncertainty.perSlice]).toEqual([0, 0]);
  });

  test('the more of a slice may be foreground and was not found, the more uncertain it is', async () => {
    const volume = createVolume([16, 12, 2], (i, _, k) => (k === 1 && i < 8 ? 0.5 : 0));
    const result = await segmentVolume(volume, {
      session: createFakeSession(createManifest({ segments: 1 }), scoreByValue(2)),
      softwareVersion: 'x',
    });
    // Half of slice 1, 96 mm², lies half way between both classes; 20 mm² are taken for known.
    const [first, second] = result.uncertainty.perSlice;
    expect(first).toBe(0);
    expect(second).toBeCloseTo(1 - 20 / (48 + 20), 2);
  });

  test.each([
    ['alone', 0],
    ['with a share of its neighbours', 0.2],
  ])('memory beside the result does not grow with the number of slices, each %s', async (_, neighbourWeight) => {
    setFlagsFromString('--expose-gc');
    const collect: unknown = runInNewContext('gc');
    if (typeof collect !== 'function') throw new Error('This test needs the garbage collector.');
    const bufferBytes = (): number => {
      // Buffers are freed in the background: a second collection waits for the first one's.
      for (let n = 0; n < 2; n++) Reflect.apply(collect, undefined, []);
      return process.memoryUsage().arrayBuffers;
    };
    const size = 128;
    const manifest = createManifest({
      input: { shape: [1, 1, size, size], intensity: { kind: 'percentile', scope: 'volume', low: 1, high: 99 } },
      output: { neighbourWeight },
    });
    const peak = async (slices: number): Promise<number> => {
      const geometry = createGeometry({
        dimensions: [size, size, slices],
        spacing: [1, 1, 5],
        origin: [0, 0, 0],
        direction: UPRIGHT,
      });
      const voxels = new Int16Array(size * size * slices).map((_, at) => at % 251);
      let highest = 0;
      const before = bufferBytes();
      await segmentVolume(
        { geometry, voxels },
        {
          session: createFakeSession(manifest, scoreByValue(4)),
          softwareVersion: 'x',
          onSlice: ({ index }) => {
            if (index % 16 === 15) highest = Math.max(highest, bufferBytes() - before);
          },
        },
      );
      return highest - 2 * voxels.length; // labels and uncertainty, a byte each
    };
    const [few, many] = [await peak(16), await peak(176)];
    // 160 more slices as float32 would be 10.5 MB.
    expect(many - few).toBeLessThan(3e6);
  });
});

describe('outwardFrom', () => {
  test('starts at the slice and goes outward, each slice once', () => {
    expect(outwardFrom(2, 6)).toEqual([2, 3, 1, 4, 0, 5]);
    expect(outwardFrom(0, 3)).toEqual([0, 1, 2]);
    expect(outwardFrom(2, 3)).toEqual([2, 1, 0]);
  });
});

function flipped(volume: Volume): Volume {
  return storedAlong(volume, [0, 1, 2], 0b011);
}
