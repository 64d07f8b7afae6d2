import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { measureSegments } from '../../src/labelmap/measure.ts';
import type { Segment } from '../../src/labelmap/labelmap.ts';
import { createGeometry, indexToWorld } from '../../src/volume/geometry.ts';

const concept = { codeValue: '1', codingSchemeDesignator: 'SCT', codeMeaning: 'x' };
const segment = (segmentNumber: number): Segment => ({
  segmentNumber,
  segmentLabel: `segment ${segmentNumber}`,
  segmentedPropertyCategory: concept,
  segmentedPropertyType: concept,
  recommendedDisplayCIELab: [0, 0, 0],
  algorithmType: 'MANUAL',
  trackingID: 'x',
  trackingUID: '2.25.1',
});

const oblique = createGeometry({
  dimensions: [5, 4, 3],
  spacing: [0.5, 2, 10],
  origin: [-20, 7, 3],
  direction: [
    [0.6, 0.8, 0],
    [-0.8, 0.6, 0],
    [0, 0, 1],
  ],
});

describe('measureSegments', () => {
  test('a box has the volume of its voxels and its middle as centroid', () => {
    const voxels = new Uint8Array(60);
    for (const k of [1, 2]) for (const j of [0, 1]) for (const i of [2, 3, 4]) voxels[i + 5 * (j + 4 * k)] = 2;
    const [first, second] = measureSegments({ geometry: oblique, voxels, segments: [segment(1), segment(2)] });
    expect(first).toEqual({ segmentNumber: 1, voxelCount: 0, volumeMl: 0 });
    expect(second?.voxelCount).toBe(12);
    expect(second?.volumeMl).toBeCloseTo(0.12, 12);
    expect(second?.centroid).toEqual(indexToWorld(oblique, [3, 0.5, 1.5]));
  });

  test('any labelmap gives the same figures as one voxel after the other', () => {
    const labels = fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 60, maxLength: 60 });
    fc.assert(
      fc.property(labels, (values) => {
        const voxels = Uint16Array.from(values);
        const measures = measureSegments({ geometry: oblique, voxels, segments: [1, 2, 3].map(segment) });
        for (const { segmentNumber, voxelCount, centroid } of measures) {
          const members = values.flatMap((value, at) => (value === segmentNumber ? [at] : []));
          expect(voxelCount).toBe(members.length);
          const points = members.map((at) =>
            indexToWorld(oblique, [at % 5, Math.floor(at / 5) % 4, Math.floor(at / 20)]),
          );
          for (const axis of [0, 1, 2] as const) {
            const mean = points.reduce((sum, point) => sum + point[axis], 0) / points.length;
            if (points.length > 0) expect(centroid?.[axis]).toBeCloseTo(mean, 9);
          }
        }
      }),
    );
  });
});
