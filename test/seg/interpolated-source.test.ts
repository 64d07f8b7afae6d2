import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeDicomSeg } from '../../src/seg/encode-dicom-seg.ts';
import { verifyDicomSeg } from '../../src/verify.ts';
import type { Labelmap } from '../../src/labelmap/labelmap.ts';
import { labelmapFromSourceSlices, labelmapOnSourceSlices } from '../../src/labelmap/source-slices.ts';
import { parseDicom } from '../../src/dicom/read-dicom.ts';
import { readDicomSeg } from '../../src/seg/read-dicom-seg.ts';
import { indexToWorld, worldToIndex } from '../../src/volume/geometry.ts';
import { planResampling } from '../../src/volume/resample.ts';
import type { SourceSeries } from '../../src/volume/volume.ts';
import { obliqueGeometry, seriesOn, testProvenance, testSegments } from '../support/labelled-series.ts';

/** Images of an oblique series at the given depths, each shifted by some columns and rows for every millimetre of depth. */
function imagesAt(depths: readonly number[], lean: readonly [number, number] = [0, 0]): SourceSeries {
  const geometry = obliqueGeometry([16, 8, depths.length]);
  const upright = seriesOn(geometry);
  const instances = upright.instances.map((instance, n) => {
    const depth = depths[n] ?? 0;
    const point = indexToWorld(geometry, [lean[0] * depth, lean[1] * depth, depth / geometry.spacing[2]]);
    return { ...instance, imagePositionPatient: point.map((v) => v.toFixed(6)) as unknown as [string, string, string] };
  });
  return { ...upright, instances, interpolated: { columns: 16, rows: 8 } };
}

/** A block of label 2 in a sea of 1, on the grid that the reader would interpolate. */
function labelled(source: SourceSeries): Labelmap {
  const { geometry } = planResampling({
    geometry: obliqueGeometry([16, 8, source.instances.length]),
    positions: source.instances.map(({ imagePositionPatient: [x, y, z] }) => [Number(x), Number(y), Number(z)]),
  });
  const [columns, rows, slices] = geometry.dimensions;
  const voxels = new Uint8Array(columns * rows * slices).fill(1);
  for (let at = 0; at < voxels.length; at++) {
    const [i, j] = [at % columns, Math.floor(at / columns) % rows];
    if (i >= 5 && i < 9 && j >= 3 && j < 5) voxels[at] = 2;
  }
  return { geometry, voxels, segments: testSegments(2) };
}

const options = { provenance: testProvenance, now: new Date(0) };
const unequal = imagesAt([0, 3, 6, 13, 16]);
const tilted = imagesAt([0, 4, 8, 12], [0.13, 0.3]);

describe('a labelmap of an interpolated volume', () => {
  test.each([
    ['unequal gaps', unequal],
    ['a tilted gantry', tilted],
  ])('has frames on the images themselves, %s', async (_, source) => {
    const labelmap = labelled(source);
    for (const segType of ['binary', 'labelmap'] as const) {
      const { parts } = await encodeDicomSeg(labelmap, source, { ...options, segType });
      await verifyDicomSeg(parts, labelmap, source);
      const dataset = parseDicom(Buffer.concat(parts), 'test');
      const positions = dataset
        .items('PerFrameFunctionalGroupsSequence')
        .map((frame) => frame.items('PlanePositionSequence')[0]?.strings('ImagePositionPatient').join());
      expect(new Set(positions)).toEqual(new Set(source.instances.map((i) => i.imagePositionPatient.join())));
      expect(dataset.number('Columns')).toBe(16);
    }
  });

  test('gives no gap where the gaps are unequal', async () => {
    const measures = async (source: SourceSeries) => {
      const { parts } = await encodeDicomSeg(labelled(source), source, options);
      const [shared] = parseDicom(Buffer.concat(parts), 'test').items('SharedFunctionalGroupsSequence');
      return shared?.items('PixelMeasuresSequence')[0];
    };
    expect((await measures(unequal))?.has('SpacingBetweenSlices')).toBe(false);
    expect((await measures(unequal))?.number('SliceThickness')).toBeCloseTo(4, 4);
    expect((await measures(tilted))?.number('SpacingBetweenSlices')).toBeCloseTo(4, 4);
  });

  test('keeps every label at its place: each image has the label of the voxel nearest to its own', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 1, max: 9, noNaN: true }), { minLength: 1, maxLength: 6 }),
        fc.tuple(fc.double({ min: -0.4, max: 0.4, noNaN: true }), fc.double({ min: -0.4, max: 0.4, noNaN: true })),
        (gaps, lean) => {
          const depths = gaps.reduce((all, gap) => [...all, (all.at(-1) ?? 0) + gap], [0]);
          const source = imagesAt(depths, lean);
          const labelmap = labelled(source);
          const onImages = labelmapOnSourceSlices(labelmap, source);
          const [width, height, depth] = labelmap.geometry.dimensions;
          source.instances.forEach(({ imagePositionPatient: [x, y, z] }, n) => {
            const [i, j, k] = worldToIndex(labelmap.geometry, [Number(x), Number(y), Number(z)]).map(Math.round) as [
              number,
              number,
              number,
            ];
            for (const [column, row] of [
              [0, 0],
              [6, 3],
              [15, 7],
            ] as const) {
              const at = (Math.min(k, depth - 1) * height + j + row) * width + i + column;
              const inside = i + column >= 0 && i + column < width && j + row >= 0 && j + row < height;
              expect(onImages.voxels[(n * 8 + row) * 16 + column]).toBe(inside ? labelmap.voxels[at] : 0);
            }
          });
        },
      ),
    );
  });

  test('comes back onto the interpolated grid, where the images cover it', async () => {
    const labelmap = labelled(unequal);
    const { parts } = await encodeDicomSeg(labelmap, unequal, options);
    const read = await readDicomSeg(Buffer.concat(parts), {
      reference: { geometry: labelmap.geometry, source: unequal },
    });
    expect(read.labelmap.geometry).toEqual(labelmap.geometry);
    // The labels are the same on every slice, so that nothing is lost between the images.
    expect([...read.labelmap.voxels]).toEqual([...labelmap.voxels]);
    const onImages = labelmapOnSourceSlices(labelmap, unequal);
    expect([...labelmapFromSourceSlices(onImages, unequal, labelmap.geometry).voxels]).toEqual([...labelmap.voxels]);
  });

  test('that was not interpolated is left alone', () => {
    const { interpolated, ...source } = unequal;
    expect(interpolated).toBeDefined();
    const labelmap = labelled(unequal);
    expect(labelmapOnSourceSlices(labelmap, source)).toBe(labelmap);
  });
});
