import { type ErrorDetails, InputError } from '../errors.ts';
import type { Labelmap, Segment } from '../labelmap/labelmap.ts';
import { regridLabelmap } from '../labelmap/regrid.ts';
import { labelmapFromSourceSlices, sourceSlicesGeometry } from '../labelmap/source-slices.ts';
import { gridDistanceMm, type VolumeGeometry, voxelCount } from '../volume/geometry.ts';
import type { Notice } from '../volume/volume.ts';
import { type DicomDataset } from '../dicom/dicom-dataset.ts';
import { inflateDicom, parseDicom } from '../dicom/read-dicom.ts';
import { readSegFrames, type SegPlanes } from './dicom-seg-frames.ts';
import {
  gridAlongReference,
  gridOfPlanes,
  type SegGrid,
  type SegReference,
  slicesOnReference,
} from './dicom-seg-grid.ts';
import { isSegmentation, readSegIdentity, readSegments, type SegIdentity, sopClassOf } from './dicom-seg-segments.ts';
import {
  assertPixels,
  binaryFrames,
  fractionalFrames,
  paintApart,
  type PaintFrame,
  paintTogether,
  type SegmentFrames,
  type SegPixelSource,
  storedFrames,
} from './dicom-seg-pixels.ts';
import { sourceNotices, referencedSeriesUID } from './dicom-seg-sources.ts';
import { assertWithinLimit, type ReadLimits, withDefaultLimits } from '../io/read-limits.ts';

export interface ReadSegOptions {
  /** For messages. */
  readonly name?: string;
  readonly reference?: SegReference;
  readonly limits?: Partial<ReadLimits>;
}

export interface ReadDicomSegOptions extends ReadSegOptions {
  /** Where segments overlap, the one with the smaller number is taken, or the one with the larger; refused by default. */
  readonly overlap?: 'first' | 'last';
}

interface ReadSegResult {
  readonly segmentationType: 'BINARY' | 'FRACTIONAL' | 'LABELMAP';
  readonly warnings: readonly Notice[];
  /** What a corrected segmentation is stored with, as its `predecessor`. */
  readonly identity: SegIdentity;
  /** The series that the segmentation was made from; undefined where it names none, or several. */
  readonly sourceSeriesInstanceUID?: string;
  /** In the file's order: the segment (of a LABELMAP: none), the slice, and the one source image where it names one. */
  readonly frames: readonly SegFramePlace[];
}

export interface ReadDicomSegResult extends ReadSegResult {
  readonly labelmap: Labelmap;
}

export interface ReadDicomSegLayersResult extends ReadSegResult {
  /** On one grid; every segment is in one of them. One, unless segments overlap. */
  readonly layers: readonly Labelmap[];
}

interface SegFramePlace {
  readonly segmentNumber?: number;
  readonly sliceIndex: number;
  readonly sourceSOPInstanceUID?: string | undefined;
}

/** Reads a DICOM Segmentation of any type as one labelmap. Frames may come in any order, be omitted where they are empty,
 * and need not begin on a byte. FRACTIONAL is thresholded at half of its maximum, with a warning.
 *
 * With a reference the labelmap is on its whole grid: a frame belongs to the slice of its source image, else to the
 * slice at its position. Frames may be mirrored, lie across the reference's slices or hold a part of them: their voxels
 * count. Frames of reference are not compared: some series have one a slice. A warning says where none of the source
 * images is in the reference. Without a reference the grid spans the frames that are there.
 * @throws InputError `not-segmentation`; `unsupported-segmentation` for overlapping segments unless `overlap` says which
 * to take; `geometry-mismatch` if the frames' voxels are not the reference's; `irregular-slices`, `gantry-tilt` if the
 * frames span no regular grid; `missing-attribute`; `invalid-attribute`; `damaged-file` */
export async function readDicomSeg(bytes: Uint8Array, options: ReadDicomSegOptions = {}): Promise<ReadDicomSegResult> {
  const seg = await openSeg(bytes, options);
  const voxels = createVoxels(seg);
  const { segments } = seg;
  if (seg.segmentationType === 'LABELMAP') {
    await fillLabels(seg, voxels);
    return { ...seg.result, labelmap: seg.onReference({ geometry: seg.geometry, voxels, segments }) };
  }
  const { frames, warnings } = await maskFrames(seg);
  const rule = { first: 'keep', last: 'overwrite', none: 'stop' } as const;
  const pairs = paintTogether(frames, voxels, seg.rows * seg.columns, rule[options.overlap ?? 'none']);
  if (pairs[0] !== undefined && options.overlap === undefined) throw overlapping(pairs[0].labels);
  return {
    ...seg.result,
    warnings: [...seg.result.warnings, ...warnings, ...pairs.map((pair) => overlapNotice(pair, options.overlap))],
    labelmap: seg.onReference({ geometry: seg.geometry, voxels, segments }),
  };
}

/** Reads a DICOM Segmentation of any type with overlapping segments kept apart: as few labelmaps as that takes.
 * @throws as {@link readDicomSeg}, but for overlapping segments */
export async function readDicomSegLayers(
  bytes: Uint8Array,
  options: ReadSegOptions = {},
): Promise<ReadDicomSegLayersResult> {
  const seg = await openSeg(bytes, options);
  const { geometry, segments } = seg;
  if (seg.segmentationType === 'LABELMAP') {
    const voxels = createVoxels(seg);
    await fillLabels(seg, voxels);
    return { ...seg.result, layers: [seg.onReference({ geometry, voxels, segments })] };
  }
  const { frames, warnings } = await maskFrames(seg);
  let claimed = 0;
  const layers = paintApart(frames, seg.rows * seg.columns, () => {
    claimed += voxelCount(geometry);
    const what = 'voxels in layers of overlapping segments';
    assertWithinLimit(claimed, 'voxels', withDefaultLimits(options.limits), { name: seg.name, what });
    return createVoxels(seg);
  });
  return {
    ...seg.result,
    warnings: [...seg.result.warnings, ...warnings],
    layers: layers.map(({ voxels, segmentNumbers }) =>
      seg.onReference({
        geometry,
        voxels,
        segments: segments.filter(({ segmentNumber }) => segmentNumbers.includes(segmentNumber)),
      }),
    ),
  };
}

/** All but the voxels. */
interface OpenSeg extends SegPixelSource {
  readonly segmentationType: ReadSegResult['segmentationType'];
  readonly segments: readonly Segment[];
  readonly geometry: VolumeGeometry;
  readonly frames: readonly SegFramePlace[];
  readonly result: ReadSegResult;
  /** Takes a labelmap from the grid that the frames lie on to the reference's. */
  readonly onReference: (labelmap: Labelmap) => Labelmap;
}

async function openSeg(
  bytes: Uint8Array,
  { name = 'The DICOM-SEG', reference, limits: given }: ReadSegOptions,
): Promise<OpenSeg> {
  const limits = withDefaultLimits(given);
  const file = await inflateDicom(bytes, name, limits);
  const dataset = parseDicom(file, name, limits);
  const segmentationType = typeOf(dataset, name);
  const { segments, warnings } = readSegments(dataset);
  const planes = readSegFrames(dataset, { name, isLabelmap: segmentationType === 'LABELMAP' });
  const { geometry, slices, onReference } = placeFrames(planes, reference);
  assertWithinLimit(voxelCount(geometry), 'voxels', limits, { name, what: 'voxels' });
  const frames = planes.frames.map(({ segmentNumber, sourceSOPInstanceUID }, at): SegFramePlace => ({
    ...(segmentNumber !== undefined && { segmentNumber }),
    sliceIndex: slices[at] ?? 0,
    sourceSOPInstanceUID,
  }));
  assertFrames(frames, segments);
  const { rows, columns } = planes;
  const sourceSeriesInstanceUID = referencedSeriesUID(dataset);
  const result: ReadSegResult = {
    segmentationType,
    warnings: [...warnings, ...sourceNotices(dataset, reference?.source)],
    identity: readSegIdentity(dataset),
    ...(sourceSeriesInstanceUID !== undefined && { sourceSeriesInstanceUID }),
    frames,
  };
  const pixels: SegPixelSource = { dataset, file, name, rows, columns, frameCount: frames.length };
  assertPixels(pixels, limits);
  return {
    ...pixels,
    segmentationType,
    segments,
    geometry,
    frames,
    result,
    onReference,
  };
}

/** Where the frames lie: on the reference's own images, else on a grid of their own whose voxels are the reference's. */
function placeFrames(planes: SegPlanes, reference: SegReference | undefined): SegGrid & Pick<OpenSeg, 'onReference'> {
  if (reference === undefined) return { ...gridOfPlanes(planes), onReference: (labelmap) => labelmap };
  const { source, geometry } = reference;
  const onImages = slicesOnReference(planes, imagesOf(reference));
  if (onImages === undefined) {
    return {
      ...gridAlongReference(planes, reference),
      onReference: (labelmap) => regridLabelmap(labelmap, geometry),
    };
  }
  return {
    ...onImages,
    onReference: (labelmap) =>
      source?.interpolated === undefined || gridDistanceMm(geometry, onImages.geometry) < 1e-6
        ? labelmap
        : labelmapFromSourceSlices(labelmap, source, geometry),
  };
}

/** What frames lie on: the images that a volume was interpolated between, if it was, not its own slices. */
function imagesOf({ geometry, source }: SegReference): SegReference {
  return source?.interpolated === undefined
    ? { geometry, source }
    : { geometry: sourceSlicesGeometry(geometry, source), source };
}

function typeOf(dataset: DicomDataset, name: string): ReadSegResult['segmentationType'] {
  const sopClass = sopClassOf(dataset);
  if (!isSegmentation(sopClass)) {
    throw new InputError(
      'not-segmentation',
      `${name} is not a DICOM Segmentation (its SOP class is ${sopClass || 'missing'}).`,
      {
        remedy: 'Pass a DICOM-SEG file; images are its reference.',
        details: { option: 'reference', sopClassUID: sopClass },
      },
    );
  }
  const type = dataset.string('SegmentationType') ?? 'none';
  if (type !== 'BINARY' && type !== 'FRACTIONAL' && type !== 'LABELMAP') {
    throw unsupported(`its Segmentation Type is ${type}`, 'Export the segmentation as BINARY or LABELMAP.');
  }
  return type;
}

function assertFrames(frames: readonly SegFramePlace[], segments: readonly Segment[]): void {
  const described = new Set(segments.map((segment) => segment.segmentNumber));
  const seen = new Set<string>();
  for (const { segmentNumber, sliceIndex } of frames) {
    if (segmentNumber !== undefined && !described.has(segmentNumber)) throw undescribed('frame', segmentNumber);
    // Time points, tiles, two grids: dimensions that a labelmap does not have.
    const place = `${segmentNumber ?? ''}/${sliceIndex}`;
    if (seen.has(place)) {
      throw unsupported(
        `${segmentNumber === undefined ? 'it' : `segment ${segmentNumber}`} has several frames at one position`,
        'Export one segmentation for each time point.',
      );
    }
    seen.add(place);
  }
}

function createVoxels({ segments, geometry }: OpenSeg): Labelmap['voxels'] {
  const size = voxelCount(geometry);
  const fits = segments.every(({ segmentNumber }) => segmentNumber <= 255);
  return fits ? new Uint8Array(size) : new Uint16Array(size);
}

/** The frames of every segment, by its number; those of a FRACTIONAL segmentation thresholded. */
async function maskFrames(seg: OpenSeg): Promise<{ frames: SegmentFrames[]; warnings: Notice[] }> {
  const { segmentationType, dataset } = seg;
  const maximum = dataset.number('MaximumFractionalValue') ?? 255;
  const paints = await (segmentationType === 'BINARY' ? binaryFrames(seg) : fractionalFrames(seg, maximum / 2));
  const byNumber = [...seg.segments].map(({ segmentNumber }) => segmentNumber).sort((a, b) => a - b);
  const framesOf = new Map(byNumber.map((n) => [n, [] as { sliceIndex: number; paint: PaintFrame }[]]));
  seg.frames.forEach(({ segmentNumber, sliceIndex }, at) => {
    const paint = paints[at];
    if (segmentNumber !== undefined && paint !== undefined) framesOf.get(segmentNumber)?.push({ sliceIndex, paint });
  });
  return {
    frames: Array.from(framesOf, ([segmentNumber, frames]) => ({ segmentNumber, frames })),
    warnings: segmentationType === 'FRACTIONAL' ? [thresholded(dataset, maximum)] : [],
  };
}

/** Copies the label values; background is 0 and Pixel Padding Value (PS3.3 C.8.20.2). */
async function fillLabels(seg: OpenSeg, voxels: Labelmap['voxels']): Promise<void> {
  const padding = seg.dataset.number('PixelPaddingValue') ?? 0;
  const labelOf = new Uint16Array(0x10000);
  for (const { segmentNumber } of seg.segments) labelOf[segmentNumber] = segmentNumber;
  labelOf[padding] = 0;
  const size = seg.rows * seg.columns;
  let at = 0;
  for await (const values of storedFrames(seg)) {
    const offset = (seg.frames[at++]?.sliceIndex ?? 0) * size;
    for (let voxel = 0; voxel < size; voxel++) {
      const value = values[voxel] ?? 0;
      if (value === 0) continue;
      const label = labelOf[value] ?? 0;
      if (label === 0 && value !== padding) throw undescribed('voxel', value);
      voxels[offset + voxel] = label;
    }
  }
}

function thresholded(dataset: DicomDataset, maximum: number): Notice {
  const kind = dataset.string('SegmentationFractionalType')?.toLowerCase() ?? 'fraction';
  return {
    code: 'fractional-thresholded',
    message: `The DICOM-SEG is FRACTIONAL; voxels of a ${kind} of at least one half (${maximum / 2} of ${maximum}) are taken.`,
  };
}

function overlapNotice(
  { labels: [there, coming], voxelCount: count }: ReturnType<typeof paintTogether>[number],
  overlap: ReadDicomSegOptions['overlap'],
): Notice {
  const [keeps, loses] = overlap === 'first' ? [there, coming] : [coming, there];
  return {
    code: 'segments-overlap',
    message: `Segments ${there} and ${coming} overlap: ${count} voxels of segment ${loses} are given to segment ${keeps}.`,
  };
}

function overlapping([a, b]: readonly [number, number]): InputError {
  return unsupported(`its segments ${a} and ${b} overlap`, 'Say which of them keeps the voxels.', {
    option: 'overlap',
    choices: ['first', 'last'],
  });
}

function undescribed(what: 'frame' | 'voxel', segmentNumber: number): InputError {
  return new InputError(
    'invalid-attribute',
    `The DICOM-SEG has a ${what} of segment ${segmentNumber}, which it lacks.`,
    {
      remedy: 'Export the segmentation again.',
    },
  );
}

function unsupported(why: string, remedy: string, details: ErrorDetails = {}): InputError {
  return new InputError('unsupported-segmentation', `The DICOM-SEG cannot be read as a labelmap: ${why}.`, {
    remedy,
    details,
  });
}
