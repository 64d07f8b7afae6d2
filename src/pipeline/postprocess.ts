import type { ModelManifest } from '../models/manifest.ts';
import { classCount } from '../models/manifest-facts.ts';
import { type VolumeGeometry, voxelVolumeMl } from '../volume/geometry.ts';
import { stackedAxis } from '../volume/reorient.ts';
import type { Notice } from '../volume/volume.ts';
import { sliceUncertainty, type VoxelTarget } from './classify.ts';
import { emptyNotice } from './result.ts';
import type { SliceSegmentation } from './segment-slices.ts';
import { boundingBox, type Box, type Components, findComponents } from '../labelmap/components.ts';

/** A volume's labels and what is only known when all slices are there. */
export interface FinishedVolume extends Pick<VoxelTarget, 'labels' | 'uncertainty'> {
  /** As in SegmentationResult.uncertainty. */
  readonly perSlice: Float32Array;
  readonly notices: readonly Notice[];
}

/** Cleans the labels in place by the manifest's rules, and sums up.
 *
 * The rules judge whole organs (the largest component, a least volume), so that labels of some slices only stay as the
 * model gave them; a notice says so where the manifest has rules. */
export function postprocessVolume(
  target: VoxelTarget,
  geometry: VolumeGeometry,
  manifest: ModelManifest,
  { order, sliceCount }: Pick<SliceSegmentation, 'order' | 'sliceCount'>,
): FinishedVolume {
  const isWhole = order.length === sliceCount;
  const cleaning = isWhole
    ? postprocess(target.labels, geometry, manifest)
    : partialNotice(manifest, order, sliceCount);
  const notices = [...cleaning, ...emptyNotice(target, geometry, manifest)];
  return {
    labels: target.labels,
    uncertainty: target.uncertainty,
    perSlice: ofSlicesRun(sliceUncertainty(target, geometry, classCount(manifest)), geometry, manifest, order),
    notices,
  };
}

/** A slice that was not run has no certainty: NaN. Where the model slices along another axis than k, each slice along k is
 * run in part, or none is. */
function ofSlicesRun(
  perSlice: Float32Array,
  geometry: VolumeGeometry,
  { input }: ModelManifest,
  order: readonly number[],
): Float32Array {
  const wasRun = new Set(order);
  const isAlongK = stackedAxis(geometry, input.sliceAxis) === 2;
  return perSlice.map((value, k) => ((isAlongK ? wasRun.has(k) : wasRun.size > 0) ? value : NaN));
}

function partialNotice({ postProcess }: ModelManifest, { length }: readonly number[], count: number): Notice[] {
  if (postProcess.length === 0) return [];
  const message = `Only ${length} of ${count} slices were run: the model's cleaning of stray pieces needs all of them and was left out.`;
  return [{ code: 'partial-run', message }];
}

type Labels = Uint8Array | Uint16Array;
type Rule = ModelManifest['postProcess'][number];

/** A user is told where at least this share of a segment was removed. */
const NOTABLE_SHARE = 0.2;

/** Cleans a labelmap in place by the manifest's rules, in this order:
 *
 * keepLargestComponent: of a segment's components (26 neighbours, so that thick slices of an oblique organ hold
 * together) only the largest stays. minimumVolumeMl: components below it go. fillHoles: a pocket of background (6
 * neighbours) that does not reach the border of the volume goes to the segment it touches most (the lower number, if two), if that segment's rule
 * says so. All in 3D; the border of an axis with a single voxel does not count.
 * @returns a notice for each segment of which much or all was removed */
export function postprocess(voxels: Labels, geometry: VolumeGeometry, manifest: ModelManifest): Notice[] {
  const rules = manifest.postProcess;
  const box = rules.length > 0 ? boundingBox(voxels, geometry.dimensions) : undefined;
  if (!box) return [];
  const notices = removeComponents(voxels, geometry, manifest, box);
  const filled = new Set(rules.filter((rule) => rule.fillHoles).map((rule) => rule.segmentNumber));
  if (filled.size > 0) fillHoles(voxels, geometry, filled, box);
  return notices;
}

function removeComponents(voxels: Labels, geometry: VolumeGeometry, manifest: ModelManifest, box: Box): Notice[] {
  const rules = manifest.postProcess.filter((rule) => rule.keepLargestComponent || rule.minimumVolumeMl > 0);
  if (rules.length === 0) return [];
  const components = findComponents(voxels, geometry.dimensions, { of: 'segments', connectivity: 26, box });
  const removed = new Set(rules.flatMap((rule) => unwanted(components, rule, geometry)));
  components.starts.forEach((start, run) => {
    if (removed.has(components.owners[run] ?? -1)) voxels.fill(0, start, start + (components.lengths[run] ?? 0));
  });
  return rules.flatMap((rule) => removalNotice(components, removed, rule, geometry, manifest));
}

/** The components of one segment that its rule removes. */
function unwanted({ label, voxelCount }: Components, rule: Rule, geometry: VolumeGeometry): number[] {
  const members = label.flatMap((value, component) => (value === rule.segmentNumber ? [component] : []));
  const sizeOf = (component: number): number => voxelCount[component] ?? 0;
  const largest = members.reduce((best, next) => (sizeOf(next) > sizeOf(best) ? next : best), members[0] ?? -1);
  const minimum = rule.minimumVolumeMl / voxelVolumeMl(geometry);
  return members.filter(
    (component) => (rule.keepLargestComponent && component !== largest) || sizeOf(component) < minimum,
  );
}

function removalNotice(
  { label, voxelCount }: Components,
  removed: ReadonlySet<number>,
  { segmentNumber }: Rule,
  geometry: VolumeGeometry,
  manifest: ModelManifest,
): Notice[] {
  let [before, gone] = [0, 0];
  label.forEach((value, component) => {
    if (value !== segmentNumber) return;
    before += voxelCount[component] ?? 0;
    if (removed.has(component)) gone += voxelCount[component] ?? 0;
  });
  if (before === 0 || gone / before < NOTABLE_SHARE) return [];
  const name = manifest.segments.find((segment) => segment.segmentNumber === segmentNumber)?.segmentLabel ?? '';
  const ml = (voxels: number): string => (voxels * voxelVolumeMl(geometry)).toFixed(1);
  const message =
    gone === before
      ? `All ${ml(gone)} ml found of "${name}" were removed as too small.`
      : `${ml(gone)} of ${ml(before)} ml found of "${name}" were removed as separate pieces: check this segment.`;
  return [{ code: gone === before ? 'segment-removed' : 'pieces-removed', message }];
}

function fillHoles(voxels: Labels, { dimensions }: VolumeGeometry, segments: ReadonlySet<number>, box: Box): void {
  // Background outside the segments' box is all connected to the border, so a pocket that reaches the box's faces is open.
  const { starts, lengths, owners, label } = findComponents(voxels, dimensions, {
    of: 'background',
    connectivity: 6,
    box,
  });
  const [columns, rows] = dimensions;
  const isOpen = new Uint8Array(label.length);
  starts.forEach((start, run) => {
    const first = start % columns;
    const last = first + (lengths[run] ?? 0) - 1;
    const row = Math.floor(start / columns);
    const places = [first, row % rows, Math.floor(row / rows)] as const;
    const reaches = ([0, 1, 2] as const).some(
      (axis) => dimensions[axis] > 1 && (places[axis] === box.from[axis] || places[axis] === box.to[axis] - 1),
    );
    if (reaches || (columns > 1 && last === box.to[0] - 1)) isOpen[owners[run] ?? 0] = 1;
  });

  const contacts = new Map<number, Map<number, number>>();
  starts.forEach((start, run) => {
    const owner = owners[run] ?? 0;
    if (isOpen[owner] === 1) return;
    const touched = contacts.get(owner) ?? new Map<number, number>();
    contacts.set(owner, touched);
    for (const neighbour of faceNeighbours(start, lengths[run] ?? 0, dimensions)) {
      const value = voxels[neighbour] ?? 0;
      if (value > 0) touched.set(value, (touched.get(value) ?? 0) + 1);
    }
  });
  starts.forEach((start, run) => {
    const touched = contacts.get(owners[run] ?? 0);
    if (!touched) return;
    const [most] = [...touched].sort(([a, facesOfA], [b, facesOfB]) => facesOfB - facesOfA || a - b);
    const segment = most?.[0] ?? 0;
    if (segments.has(segment)) voxels.fill(segment, start, start + (lengths[run] ?? 0));
  });
}

/** The voxels that share a face with a run along i, inside the grid. */
function* faceNeighbours(
  start: number,
  length: number,
  [columns, rows, slices]: readonly [number, number, number],
): Generator<number> {
  const column = start % columns;
  const row = Math.floor(start / columns) % rows;
  const slice = Math.floor(start / (columns * rows));
  if (column > 0) yield start - 1;
  if (column + length < columns) yield start + length;
  for (let at = start; at < start + length; at++) {
    if (row > 0) yield at - columns;
    if (row < rows - 1) yield at + columns;
    if (slice > 0) yield at - columns * rows;
    if (slice < slices - 1) yield at + columns * rows;
  }
}
