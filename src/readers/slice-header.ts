import { InputError } from '../errors.ts';
import { dot, normalised, type Vector3 } from '../volume/geometry.ts';
import type { DicomDataset, PixelDataLocation } from './dicom-dataset.ts';
import type { DicomKeyword } from './dicom-dictionary.ts';
import type { Rescale } from './modality-values.ts';
import type { PixelFormat } from './pixel-data.ts';

/** A single-frame greyscale image with its place in the patient. */
export interface SliceHeader {
  readonly pixelData: PixelDataLocation;
  readonly format: PixelFormat;
  readonly rescale: Rescale;
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
}

/** Reads where and how a file's image is stored.
 * @throws InputError if it cannot be a slice: no pixels or place, several frames, colour, an unusual packing */
export function sliceHeader(dataset: DicomDataset, name: string): SliceHeader {
  const pixelData = dataset.pixelData;
  if (pixelData === undefined) {
    throw dataset.reachedPixelData
      ? unsupportedImage(name, 'it has floating-point pixels', 'Export the series with integer pixels.')
      : new InputError('no-pixel-data', `${name} has no pixel data.`, {
          remedy: 'Export the series again with its images, or take this file out of the input.',
          details: { file: name },
        });
  }
  assertSingleFrame(dataset, name);
  assertGreyscale(dataset, name);
  const position = values(dataset, 'ImagePositionPatient', 3, name);
  const orientation = values(dataset, 'ImageOrientationPatient', 6, name);
  const spacing = values(dataset, 'PixelSpacing', 2, name);
  const [x, y, z] = position.numbers as [number, number, number];
  const [rowDirection, columnDirection] = directions(orientation.numbers as SixNumbers, orientation.strings, name);
  const [rowSpacing, columnSpacing] = spacing.numbers as [number, number];
  if (!(rowSpacing > 0 && columnSpacing > 0)) {
    throw invalidAttribute(name, 'PixelSpacing', spacing.strings.join('\\'));
  }
  return {
    pixelData,
    format: pixelFormat(dataset, name),
    rescale: rescaleOf(dataset, name),
    position: [x, y, z],
    positionStrings: position.strings as [string, string, string],
    rowDirection,
    columnDirection,
    orientationStrings: orientation.strings as SixStrings,
    pixelSpacing: [rowSpacing, columnSpacing],
    pixelSpacingStrings: spacing.strings as [string, string],
    nominalSliceSpacing: [dataset.number('SpacingBetweenSlices'), dataset.number('SliceThickness')].find(
      (millimetres) => millimetres !== undefined && millimetres > 0,
    ),
  };
}

type SixNumbers = [number, number, number, number, number, number];
type SixStrings = [string, string, string, string, string, string];

function assertSingleFrame(dataset: DicomDataset, name: string): void {
  const frames = dataset.number('NumberOfFrames') ?? 1;
  // GE writes an empty per-frame sequence into some single-frame images.
  const keepsItsPositionPerFrame =
    dataset.has('PerFrameFunctionalGroupsSequence') && !dataset.has('ImagePositionPatient');
  if (frames === 1 && !keepsItsPositionPerFrame) return;
  throw unsupportedImage(
    name,
    `it is a multi-frame image (${frames} frames)`,
    'Export the series as single-frame images, or convert it to NIfTI (for example with dcm2niix) and load that.',
  );
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

function pixelFormat(dataset: DicomDataset, name: string): PixelFormat {
  const rows = dataset.number('Rows') ?? 0;
  const columns = dataset.number('Columns') ?? 0;
  if (rows < 1 || columns < 1) throw invalidAttribute(name, 'Rows and Columns', `${rows} and ${columns}`);
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

function rescaleOf(dataset: DicomDataset, name: string): Rescale {
  if (dataset.has('ModalityLUTSequence')) {
    throw unsupportedImage(
      name,
      'it maps stored to modality values with a table (Modality LUT)',
      'Export the series with a rescale slope and intercept.',
    );
  }
  const slope = dataset.has('RescaleSlope') ? (dataset.number('RescaleSlope') ?? NaN) : 1;
  const intercept = dataset.has('RescaleIntercept') ? (dataset.number('RescaleIntercept') ?? NaN) : 0;
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
