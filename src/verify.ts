import { InternalError } from './errors.ts';
import type { Labelmap, Segment } from './labelmap/labelmap.ts';
import { measureSegments } from './labelmap/measure.ts';
import { labelmapOnSourceSlices } from './labelmap/source-slices.ts';
import type { SegReference } from './seg/dicom-seg-grid.ts';
import { readDicomSeg, type ReadDicomSegResult } from './seg/read-dicom-seg.ts';
import { readNiftiLabelmap } from './nifti/read-nifti.ts';
import { gridDistanceMm, indexToWorld, type VolumeGeometry, worldToIndex } from './volume/geometry.ts';
import type { SourceSeries } from './volume/volume.ts';
import { concatBytes } from './dicom/write-dicom.ts';

/** Reads an encoded DICOM-SEG back, by nothing but its bytes, and compares it with the labelmap it was made from: grid,
 * every voxel, volume and centroid of every segment, and the images that its frames refer to.
 * @throws InternalError `verification-failed` naming the first difference */
export async function verifyDicomSeg(
  parts: readonly Uint8Array[],
  labelmap: Labelmap,
  source: SourceSeries,
): Promise<void> {
  const bytes = wholeOf(parts);
  if (source.interpolated !== undefined) {
    await verifyOnImages(bytes, labelmapOnSourceSlices(labelmap, source), source);
    return;
  }
  const read = await readBack(bytes);
  const firstSlice = Math.round(worldToIndex(labelmap.geometry, read.labelmap.geometry.origin)[2]);
  compareGrid(read.labelmap.geometry, cropped(labelmap.geometry, firstSlice, read.labelmap.geometry.dimensions[2]));
  compareSegments(read.labelmap.segments, labelmap.segments);
  compareVoxels(read.labelmap, labelmap, firstSlice);
  compareMeasures(read.labelmap, labelmap);
  compareReferences(read, source, firstSlice);
}

/** The images of an interpolated volume are no grid that the bytes alone could give back: each has its own place. */
async function verifyOnImages(bytes: Uint8Array, onImages: Labelmap, source: SourceSeries): Promise<void> {
  const read = await readBack(bytes, { geometry: onImages.geometry, source });
  compareSegments(read.labelmap.segments, onImages.segments);
  compareVoxels(read.labelmap, onImages, 0);
  compareReferences(read, source, 0);
}

/** Reads an encoded NIfTI labelmap back and compares grid, every voxel, volume and centroid of every segment.
 * @throws InternalError `verification-failed` naming the first difference */
export async function verifyNifti(bytes: Uint8Array, labelmap: Labelmap): Promise<void> {
  const file = {
    name: 'the NIfTI labelmap',
    byteLength: bytes.length,
    readHead: (length: number) => Promise.resolve(bytes.subarray(0, length)),
    read: () => Promise.resolve(bytes),
  };
  const read = await readNiftiLabelmap(file).catch((cause: unknown) => {
    throw unreadable(cause);
  });
  compareGrid(read.geometry, labelmap.geometry);
  const readLabelmap = { geometry: read.geometry, voxels: read.voxels, segments: labelmap.segments };
  compareVoxels(readLabelmap, labelmap, 0);
  compareMeasures(readLabelmap, labelmap);
}

/** The slices [first, first + count) of a grid as a grid of their own. */
function cropped(geometry: VolumeGeometry, first: number, count: number): VolumeGeometry {
  const [columns, rows] = geometry.dimensions;
  return { ...geometry, dimensions: [columns, rows, count], origin: indexToWorld(geometry, [0, 0, first]) };
}

function compareGrid(read: VolumeGeometry, written: VolumeGeometry): void {
  const distance = gridDistanceMm(read, written);
  claim(distance <= gridToleranceMm(written), () => `its grid is ${distance.toPrecision(3)} mm away`);
}

/** Slices keep their own positions, which may stray a little from the regular grid (see assertOnSourceGrid). */
function gridToleranceMm({ spacing }: VolumeGeometry): number {
  return 0.1 * Math.min(...spacing);
}

function compareSegments(read: readonly Segment[], written: readonly Segment[]): void {
  const identity = (segment: Segment): string =>
    [
      segment.segmentNumber,
      segment.trackingUID,
      segment.algorithmType,
      segment.isEdited,
      segment.segmentedPropertyType.codeValue,
      segment.segmentedPropertyTypeModifier?.codeValue,
    ].join(' ');
  const found = new Set(read.map(identity));
  for (const segment of written) {
    claim(found.has(identity(segment)), () => `segment ${segment.segmentNumber} is missing or described otherwise`);
  }
  claim(read.length === written.length, () => `it has ${read.length} segments, not ${written.length}`);
}

/** @param firstSlice the slice of `written` that is the first of `read`; slices outside are to be empty */
function compareVoxels(read: Labelmap, written: Labelmap, firstSlice: number): void {
  const [columns, rows] = written.geometry.dimensions;
  const offset = firstSlice * columns * rows;
  const end = offset + read.voxels.length;
  const [actual, expected] = [read.voxels, written.voxels];
  let differing = -1;
  for (let at = 0; at < offset && differing < 0; at++) if (expected[at] !== 0) differing = at;
  for (let at = offset; at < end && differing < 0; at++) if (actual[at - offset] !== expected[at]) differing = at;
  for (let at = end; at < expected.length && differing < 0; at++) if (expected[at] !== 0) differing = at;
  if (differing < 0) return;
  const [i, j, k] = [
    differing % columns,
    Math.floor(differing / columns) % rows,
    Math.floor(differing / (columns * rows)),
  ];
  throw failure(`voxel (${i}, ${j}, ${k}) is ${actual[differing - offset] ?? 0}, not ${expected[differing] ?? 0}`);
}

function compareMeasures(read: Labelmap, written: Labelmap): void {
  const found = new Map(measureSegments(read).map((measure) => [measure.segmentNumber, measure]));
  for (const { segmentNumber, volumeMl, centroid } of measureSegments(written)) {
    const other = found.get(segmentNumber);
    // Spacing is written with the digits a DS or a float32 has.
    claim(
      other !== undefined && Math.abs(other.volumeMl - volumeMl) <= 1e-5 * volumeMl,
      () => `segment ${segmentNumber} has ${other?.volumeMl ?? 0} ml, not ${volumeMl}`,
    );
    const [a, b] = [other?.centroid, centroid];
    const distance =
      a === undefined || b === undefined ? (a === b ? 0 : Infinity) : Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);
    claim(
      distance <= gridToleranceMm(written.geometry),
      () => `the centroid of segment ${segmentNumber} is ${distance.toPrecision(3)} mm away`,
    );
  }
}

function compareReferences(read: ReadDicomSegResult, source: SourceSeries, firstSlice: number): void {
  claim(read.sourceSeriesInstanceUID === source.seriesInstanceUID, () => 'it refers to another series');
  for (const { sliceIndex, sourceSOPInstanceUID } of read.frames) {
    const k = sliceIndex + firstSlice;
    claim(
      sourceSOPInstanceUID === source.instances[k]?.sopInstanceUID,
      () => `a frame of slice ${k} refers to another image`,
    );
  }
}

async function readBack(bytes: Uint8Array, reference?: SegReference): Promise<ReadDicomSegResult> {
  try {
    return await readDicomSeg(bytes, reference && { reference });
  } catch (cause) {
    throw unreadable(cause);
  }
}

function wholeOf(parts: readonly Uint8Array[]): Uint8Array {
  const [only] = parts;
  return parts.length === 1 && only !== undefined ? only : concatBytes(parts);
}

function claim(holds: boolean, otherwise: () => string): void {
  if (!holds) throw failure(otherwise());
}

function unreadable(cause: unknown): InternalError {
  return failure(`it cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`, cause);
}

function failure(difference: string, cause?: unknown): InternalError {
  return new InternalError('verification-failed', `What was written is not what was segmented: ${difference}.`, {
    remedy: 'Nothing was saved. Please report this, with the output of `slicewise info` for the input.',
    ...(cause !== undefined && { cause }),
  });
}
