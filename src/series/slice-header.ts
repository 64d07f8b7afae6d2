import { InputError } from '../errors.ts';
import { dot, normalised, type Vector3 } from '../volume/geometry.ts';
import { damagedFile } from '../io/read-limits.ts';
import type { DicomDataset, PixelDataLocation } from '../dicom/dicom-dataset.ts';
import type { DicomKeyword } from '../dicom/dicom-dictionary.ts';
import { type DistinguishingValues, readDistinguishingValues } from './distinguishing-values.ts';
import { frameAttributes, type FrameAttributes } from '../dicom/functional-groups.ts';
import { readModalityTable, type Rescale } from '../dicom/modality-values.ts';
import type { PixelFormat } from '../dicom/pixel-data.ts';

/** One greyscale image, a file's only one or a frame of several, with its place in the patient. */
export interface SliceHeader {
  readonly pixelData: PixelDataLocation;
  /** Frames in the file, and the place of this one among them from 0. */
  readonly frameCount: number;
  readonly frameIndex: number;
  readonly format: PixelFormat;
  readonly rescale: Rescale;
  readonly rescaleType: string | undefined;
  /** Image Position (Patient), LPS mm, and the file's own strings. */
  readonly position: Vector3;
  readonly positionStrings: readonly [string, string, string];
  /** Image Orientation (Patient): unit vectors of a row (along i) and a column (along j), and the file's own strings. */
  readonly rowDirection: Vector3;
  readonly columnDirection: Vector3;
  readonly orientationStrings: readonly [string, string, string, string, string, string];
  /** Pixel Spacing: between rows (along j), between columns (along i), mm. */
  readonly pixelSpacing: readonly [row: number, column: number];
  readonly pixelSpacingStrings: readonly [string, string];
  /** Spacing Between Slices, else Slice Thickness, mm. */
  readonly nominalSliceSpacing: number | undefined;
  /** Slice Thickness, mm. */
  readonly sliceThickness: number | undefined;
  /** A scout, made to plan the other images. */
  readonly isLocalizer: boolean;
  /** What tells images at one place apart. */
  readonly distinguishing: DistinguishingValues;
  /** Where it lies in a frame that holds several slices; `format` is its own. */
  readonly tile?: MosaicTile;
}

/** Where a slice lies in a frame that holds several side by side. */
interface MosaicTile {
  /** Of the whole frame. */
  readonly format: PixelFormat;
  /** The frame's column and row of the slice's first pixel. */
  readonly left: number;
  readonly top: number;
  /** That the mosaic does not say to which side its slices follow each other. */
  readonly isDirectionAssumed: boolean;
}

/** Reads where and how a file's images are stored, in the order of its frames.
 * @param fileLength Infinity if unknown; undefined where the pixels are elsewhere
 * @throws InputError if they cannot be slices: no pixels or place, colour, an unusual packing */
export function sliceHeaders(dataset: DicomDataset, name: string, fileLength?: number): SliceHeader[] {
  const pixelData = dataset.pixelData;
  if (pixelData === undefined) {
    throw new InputError('no-pixel-data', `${name} has no pixel data.`, {
      remedy: 'Export the series again with its images, or take this file out of the input.',
      details: { file: name },
    });
  }
  assertGreyscale(dataset, name);
  const frames = frameAttributes(dataset, name);
  if (frames === undefined) throw framesWithoutPlaces(dataset, name);
  const shared = { pixelData, frameCount: frames.length, format: pixelFormat(dataset, pixelData, name) };
  assertHoldsFrames(shared, fileLength, name);
  return frames.map((frame, frameIndex) => ({
    ...shared,
    frameIndex,
    ...sliceOf(dataset, frame, shared.format, name),
  }));
}

function sliceOf(dataset: DicomDataset, frame: FrameAttributes, format: PixelFormat, name: string) {
  const position = values(frame('PlanePositionSequence'), 'ImagePositionPatient', 3, name);
  const orientation = values(frame('PlaneOrientationSequence'), 'ImageOrientationPatient', 6, name);
  const measures = frame('PixelMeasuresSequence');
  const spacing = values(measures, 'PixelSpacing', 2, name);
  const [x, y, z] = position.numbers as [number, number, number];
  const [rowDirection, columnDirection] = directions(orientation.numbers as SixNumbers, orientation.strings, name);
  const [rowSpacing, columnSpacing] = spacing.numbers as [number, number];
  if (!(rowSpacing > 0 && columnSpacing > 0)) {
    throw invalidAttribute(name, 'PixelSpacing', spacing.strings.join('\\'));
  }
  const transformation = frame('PixelValueTransformationSequence');
  const position3: Vector3 = [x, y, z];
  return {
    rescale: rescaleOf(dataset, transformation, format, name),
    rescaleType: transformation.string('RescaleType'),
    position: position3,
    positionStrings: position.strings as [string, string, string],
    rowDirection,
    columnDirection,
    orientationStrings: orientation.strings as SixStrings,
    pixelSpacing: [rowSpacing, columnSpacing] as const,
    pixelSpacingStrings: spacing.strings as [string, string],
    nominalSliceSpacing: [measures.number('SpacingBetweenSlices'), measures.number('SliceThickness')].find(
      (millimetres) => millimetres !== undefined && millimetres > 0,
    ),
    sliceThickness: measures.number('SliceThickness'),
    isLocalizer: dataset.strings('ImageType').includes('LOCALIZER'),
    distinguishing: readDistinguishingValues(frame),
  };
}

type SixNumbers = [number, number, number, number, number, number];
type SixStrings = [string, string, string, string, string, string];

function framesWithoutPlaces(dataset: DicomDataset, name: string): InputError {
  return unsupportedImage(
    name,
    `it has ${dataset.number('NumberOfFrames') ?? 0} frames, and no position for each of them`,
    'Export the series as single-frame images or as an enhanced multi-frame image, or convert it to NIfTI.',
  );
}

/** Said before memory is taken for what a header claims. */
function assertHoldsFrames(
  { pixelData, frameCount, format }: Pick<SliceHeader, 'pixelData' | 'frameCount' | 'format'>,
  fileLength: number | undefined,
  name: string,
): void {
  const { byteLength, dataOffset } = pixelData;
  if (byteLength === undefined || fileLength === undefined) return;
  const needed = (frameCount * format.rows * format.columns * format.bitsAllocated) / 8;
  if (byteLength < needed) {
    throw damagedFile(name, `it has ${byteLength} bytes of pixels, its header promises ${needed}`);
  }
  if (dataOffset + byteLength > fileLength) {
    throw damagedFile(name, `its last ${dataOffset + byteLength - fileLength} bytes of pixel data are missing`);
  }
}

function assertGreyscale(dataset: DicomDataset, name: string): void {
  const photometric = dataset.string('PhotometricInterpretation') ?? 'none';
  const samples = dataset.number('SamplesPerPixel') ?? 1;
  if (samples === 1 && (photometric === 'MONOCHROME2' || photometric === 'MONOCHROME1')) return;
  throw unsupportedImage(
    name,
    `it is not greyscale (photometric interpretation ${photometric}, ${samples} samples a pixel)`,
    'Use the original greyscale series: models take one value a voxel.',
  );
}

function pixelFormat(dataset: DicomDataset, { keyword }: PixelDataLocation, name: string): PixelFormat {
  const rows = dataset.number('Rows') ?? 0;
  const columns = dataset.number('Columns') ?? 0;
  if (rows < 1 || columns < 1) throw invalidAttribute(name, 'Rows and Columns', `${rows} and ${columns}`);
  // Float images need not say what goes without saying (PS3.3 C.7.6.24, C.7.6.25).
  if (keyword !== 'PixelData') {
    const bits = keyword === 'FloatPixelData' ? 32 : 64;
    return { rows, columns, bitsAllocated: bits, bitsStored: bits, isSigned: true, isFloat: true };
  }
  const bitsAllocated = dataset.number('BitsAllocated') ?? 0;
  const bitsStored = dataset.number('BitsStored') ?? bitsAllocated;
  const highBit = dataset.number('HighBit') ?? bitsStored - 1;
  if (bitsAllocated !== 8 && bitsAllocated !== 16 && bitsAllocated !== 32) {
    throw unsupportedImage(name, `it has ${bitsAllocated} bits a pixel`, 'Export the series with 8, 16 or 32 bits.');
  }
  if (bitsStored < 1 || bitsStored > bitsAllocated || highBit !== bitsStored - 1) {
    throw unsupportedImage(
      name,
      `its pixels are packed in an unusual way (${bitsAllocated} bits, ${bitsStored} stored, high bit ${highBit})`,
      'Export the series again: the high bit must be the stored bits less one.',
    );
  }
  return { rows, columns, bitsAllocated, bitsStored, isSigned: dataset.number('PixelRepresentation') === 1 };
}

function rescaleOf(
  dataset: DicomDataset,
  transformation: DicomDataset,
  { isSigned }: PixelFormat,
  name: string,
): Rescale {
  const table = readModalityTable(dataset, isSigned, name);
  if (table !== undefined) return { slope: 1, intercept: 0, table };
  const numberOr = (keyword: DicomKeyword, otherwise: number): number =>
    transformation.has(keyword) ? (transformation.number(keyword) ?? NaN) : otherwise;
  const slope = numberOr('RescaleSlope', 1);
  const intercept = numberOr('RescaleIntercept', 0);
  if (!Number.isFinite(slope) || slope === 0 || !Number.isFinite(intercept)) {
    throw invalidAttribute(name, 'RescaleSlope and RescaleIntercept', `${slope} and ${intercept}`);
  }
  return { slope, intercept };
}

function values(dataset: DicomDataset, keyword: DicomKeyword, count: number, name: string) {
  const strings = dataset.strings(keyword);
  if (strings.length === 0) {
    throw new InputError('missing-attribute', `${name} does not say where it lies: ${keyword} is missing.`, {
      remedy: 'Use the original images of the scanner; screenshots and secondary captures are no volume.',
      details: { file: name, attribute: keyword },
    });
  }
  const numbers = strings.map((text) => (text === '' ? NaN : Number(text)));
  if (numbers.length !== count || !numbers.every(Number.isFinite)) {
    throw invalidAttribute(name, keyword, strings.join('\\'));
  }
  return { strings, numbers };
}

/** Unit vectors along a row and a column. DICOM writes six digits or so, so that vectors of another length, or that
 * meet at another angle, are no directions. */
function directions([a, b, c, d, e, f]: SixNumbers, strings: readonly string[], name: string): [Vector3, Vector3] {
  const [row, column]: [Vector3, Vector3] = [
    [a, b, c],
    [d, e, f],
  ];
  const areUnit = [row, column].every((vector) => Math.abs(Math.hypot(...vector) - 1) < 0.01);
  if (!areUnit || Math.abs(dot(row, column)) > 1e-3) {
    throw invalidAttribute(name, 'ImageOrientationPatient', strings.join('\\'));
  }
  return [normalised(row), normalised(column)];
}

function invalidAttribute(name: string, attribute: string, value: string): InputError {
  return new InputError('invalid-attribute', `${name} has no usable ${attribute}: ${value}.`, {
    remedy: 'Export the series again from the scanner or archive.',
    details: { file: name, attribute, value },
  });
}

function unsupportedImage(name: string, what: string, remedy: string): InputError {
  return new InputError('unsupported-image', `${name} cannot be used: ${what}.`, { remedy, details: { file: name } });
}
