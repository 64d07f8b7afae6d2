import type { Labelmap } from '../labelmap/labelmap.ts';
import { distancesToSurface } from './nearest-cells.ts';
import { surfaceAreas } from './surface-areas.ts';
import { findSurfaceCells, type SurfaceCells, type VoxelBox } from './surface-cells.ts';

/** How far two surfaces are from each other. Figures that do not exist are null: of an empty mask. */
export interface SurfaceDistances {
  /** The part of both surfaces' area that is no farther than the tolerance from the other; 0 where one mask is empty. */
  readonly surfaceDice: number | null;
  /** The larger of both directions' 95th percentiles, in mm: 95 % of a surface's area is no farther from the other. */
  readonly hd95Mm: number | null;
  /** The mean of the two averages below, in mm. */
  readonly averageSymmetricSurfaceDistanceMm: number | null;
  /** Over the prediction's surface, each part weighted by its area, in mm. */
  readonly predictionToReferenceMm: number | null;
  readonly referenceToPredictionMm: number | null;
}

/** Measures the distances between the surfaces of one label in two labelmaps on one grid, by the definitions of Nikolov
 * et al. (10.2196/26151) and their package surface-distance: a surface lies half a voxel around the voxel centres of a
 * mask, in cells of 2 × 2 × 2 voxels, each of which counts by the area of its triangles of marching cubes; a distance is
 * that of a cell's centre to the nearest cell of the other surface. At the border of the image a mask is closed. One
 * slice is a volume as thick as its spacing.
 * @param box holds the label in both
 * @param toleranceMm of the surface Dice */
export function measureSurfaceDistances(
  prediction: Labelmap,
  reference: Labelmap,
  { label, box, toleranceMm }: { readonly label: number; readonly box: VoxelBox; readonly toleranceMm: number },
): SurfaceDistances {
  const { spacing } = reference.geometry;
  const areas = surfaceAreas(spacing);
  const [a, b] = [findSurfaceCells(prediction, label, box), findSurfaceCells(reference, label, box)];
  const there = areaByDistance(distancesToSurface(a, b, spacing), a, areas);
  const back = areaByDistance(distancesToSurface(b, a, spacing), b, areas);
  if (there.area + back.area === 0) return NO_DISTANCES;
  const surfaceDice = (there.areaWithin(toleranceMm) + back.areaWithin(toleranceMm)) / (there.area + back.area);
  if (there.area === 0 || back.area === 0) return { ...NO_DISTANCES, surfaceDice };
  return {
    surfaceDice,
    hd95Mm: Math.max(there.percentile(0.95), back.percentile(0.95)),
    averageSymmetricSurfaceDistanceMm: (there.mean() + back.mean()) / 2,
    predictionToReferenceMm: there.mean(),
    referenceToPredictionMm: back.mean(),
  };
}

/** Of two empty masks. */
export const NO_DISTANCES: SurfaceDistances = {
  surfaceDice: null,
  hd95Mm: null,
  averageSymmetricSurfaceDistanceMm: null,
  predictionToReferenceMm: null,
  referenceToPredictionMm: null,
};

/** Area of a surface at each distance: a grid has few distances, so that no list of all cells needs sorting. */
function areaByDistance(distances: Float64Array, { codes }: SurfaceCells, areas: Float64Array) {
  const areaAt = new Map<number, number>();
  for (let cell = 0; cell < distances.length; cell++) {
    const distance = distances[cell] ?? 0;
    areaAt.set(distance, (areaAt.get(distance) ?? 0) + (areas[codes[cell] ?? 0] ?? 0));
  }
  const sorted = [...areaAt].sort(([a], [b]) => a - b);
  const area = sorted.reduce((sum, [, part]) => sum + part, 0);
  return {
    area,
    areaWithin: (mm: number) => sorted.reduce((sum, [distance, part]) => (distance <= mm ? sum + part : sum), 0),
    mean: () => sorted.reduce((sum, [distance, part]) => sum + distance * part, 0) / area,
    percentile(share: number): number {
      let sum = 0;
      const found = sorted.find(([, part]) => (sum += part) / area >= share);
      return (found ?? sorted.at(-1))?.[0] ?? NaN;
    },
  };
}
