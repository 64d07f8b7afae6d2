import { voxelCount } from '../volume/geometry.ts';
import type { StackResampling } from '../volume/resample-stack.ts';
import { assertWithinLimit, type ReadLimits } from './read-limits.ts';

/** Checks the grid that slices would be interpolated onto before memory is taken for it: one slice far away, or far
 * aside, asks for a grid of any size.
 * @param name of the image, for messages
 * @throws InputError `limit-exceeded` */
export function assertResampledSize({ geometry, source }: StackResampling, limits: ReadLimits, name: string): void {
  const voxels = voxelCount(geometry);
  const grid = `a grid of ${geometry.dimensions.join(' × ')}`;
  assertWithinLimit(voxels, 'voxels', limits, { name, what: `voxels, resampled onto ${grid}` });
  assertWithinLimit(voxels / voxelCount(source), 'resampleRatio', limits, {
    name,
    what: `voxels from one of its own, resampled onto ${grid}`,
  });
}
