import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Tensor } from '../../src/inference/backend.ts';
import { segmentVolume } from '../../src/pipeline/segment-volume.ts';
import { inverseTurn, testTimeViews, turnPlanes } from '../../src/pipeline/slice-runs.ts';
import { createGeometry } from '../../src/volume/geometry.ts';
import type { Volume } from '../../src/volume/volume.ts';
import { createFakeSession, createManifest, scoreByValue } from './fake-session.ts';

const NONE = { flips: [], rotations: [], scales: [] };

describe('testTimeViews', () => {
  test.each([
    ['nothing', NONE, 1],
    ['one flip', { ...NONE, flips: ['i' as const] }, 2],
    ['both flips and their combination', { ...NONE, flips: ['i' as const, 'j' as const] }, 4],
    [
      'half turns, which both flips give already',
      { ...NONE, flips: ['i' as const, 'j' as const], rotations: [180 as const] },
      4,
    ],
    [
      'all eight',
      { ...NONE, flips: ['i' as const, 'j' as const], rotations: [90 as const, 180 as const, 270 as const] },
      8,
    ],
    ['quarter turns without flips', { ...NONE, rotations: [90 as const, 180 as const, 270 as const] }, 4],
    ['scales with flips', { ...NONE, flips: ['i' as const], scales: [0.75, 1, 1.25] }, 6],
  ])('%s', (_, tta, count) => {
    const views = testTimeViews(tta);
    expect(views.length).toBe(count);
    expect(JSON.stringify(views[0])).toBe('{"scale":1,"turn":[1,0,0,1]}');
    expect(new Set(views.map((view) => JSON.stringify(view))).size).toBe(count);
  });
});

describe('turnPlanes', () => {
  const turns = testTimeViews({ flips: ['i', 'j'], rotations: [90, 180, 270], scales: [] }).map((view) => view.turn);

  test('a flip along i mirrors the columns, a quarter turn is counter-clockwise on the screen', () => {
    const plane = Float32Array.of(1, 2, 3, 4, 5, 6);
    expect([...turnPlanes(plane, 3, 2, [-1, 0, 0, 1])]).toEqual([3, 2, 1, 6, 5, 4]);
    expect([...turnPlanes(plane, 3, 2, [1, 0, 0, -1])]).toEqual([4, 5, 6, 1, 2, 3]);
    expect([...turnPlanes(Float32Array.of(1, 2, 3, 4), 2, 2, [0, -1, 1, 0])]).toEqual([2, 4, 1, 3]);
  });

  test('each turn is undone by its inverse', () => {
    fc.assert(
      fc.property(fc.constantFrom(...turns), fc.float32Array({ minLength: 32, maxLength: 32 }), (turn, planes) => {
        expect(turnPlanes(turnPlanes(planes, 4, 4, turn), 4, 4, inverseTurn(turn))).toEqual(planes);
      }),
    );
  });
});

describe('segmentVolume with tta', () => {
  const volume: Volume = {
    geometry: createGeometry({
      dimensions: [9, 7, 2],
      spacing: [1, 1, 5],
      origin: [0, 0, 0],
      direction: [
        [1, 0, 0],
        [0, 1, 0],
        [0, 0, 1],
      ],
    }),
    voxels: Float32Array.from({ length: 126 }, (_, at) => ((at * 37) % 64) / 63),
    modality: 'MR',
    bodyPartExamined: 'HEART',
  };
  const all = { flips: ['i' as const, 'j' as const], rotations: [90 as const, 180 as const, 270 as const] };
  const input = { shape: [1, 1, 9, 9] as [1, number, number, number] };

  test('a model that does not care for orientation gives what it gives without', async () => {
    const session = createFakeSession(createManifest({ input, tta: all }), scoreByValue(4, 5));
    const plain = await segmentVolume(volume, { session, softwareVersion: 'x' });
    const augmented = await segmentVolume(volume, { session, softwareVersion: 'x', tta: true });
    expect(augmented.labelmap.voxels).toEqual(plain.labelmap.voxels);
    augmented.uncertainty.voxels.forEach((value, at) => {
      expect(Math.abs(value - (plain.uncertainty.voxels[at] ?? NaN))).toBeLessThanOrEqual(1);
    });
    expect(augmented.provenance.viewsPerSlice).toBe(8);
  });

  test('what the model sees at one side of its input only is averaged over all sides', async () => {
    // Class 1 in the left half of the input, whatever is there: each voxel is left in half of the views.
    const leftHalf = ({ data }: Tensor): Float32Array =>
      Float32Array.from({ length: 2 * data.length }, (_, at) => {
        const column = at % 9;
        const score = column < 4 ? 1 : column > 4 ? -1 : 0;
        return at < data.length ? 0 : 10 * score;
      });
    const session = createFakeSession(createManifest({ input, tta: all, segments: 1 }), leftHalf);
    const { probabilities } = await segmentVolume(volume, {
      session,
      softwareVersion: 'x',
      tta: true,
      keepProbabilities: true,
    });
    expect(new Set(probabilities)).toEqual(new Set([128]));
  });

  test('a scale shows the model an enlarged slice, and brings its scores back to their place', async () => {
    const smooth: Volume = { ...volume, voxels: Float32Array.from({ length: 126 }, (_, at) => (at % 9) / 8) };
    const widths: number[] = [];
    const manifest = createManifest({ input: { shape: [1, 1, 15, 17], padValue: -1 }, tta: { scales: [2] } });
    const session = createFakeSession(manifest, (tensor) => {
      widths.push(tensor.data.subarray(7 * 17, 8 * 17).filter((value) => value >= 0).length);
      return scoreByValue(4, 20)(tensor);
    });
    const plain = await segmentVolume(smooth, { session, softwareVersion: 'x' });
    const scaled = await segmentVolume(smooth, { session, softwareVersion: 'x', tta: true });
    expect(widths).toEqual([9, 9, 9, 17, 17, 9, 17, 17]); // twice as large it needs two windows
    expect(scaled.labelmap.voxels).toEqual(plain.labelmap.voxels);
  });

  test('a model that allows no views is run once, and that is said', async () => {
    const session = createFakeSession(createManifest({ input }), scoreByValue(4));
    const { warnings, provenance } = await segmentVolume(volume, { session, softwareVersion: 'x', tta: true });
    expect(warnings.map((warning) => warning.code)).toEqual(['no-test-time-views']);
    expect(provenance.viewsPerSlice).toBe(1);
  });
});
