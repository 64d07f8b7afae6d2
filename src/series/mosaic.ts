import { InputError } from '../errors.ts';
import { cross, dot, normalised, type Vector3 } from '../volume/geometry.ts';
import type { DicomDataset } from '../dicom/dicom-dataset.ts';
import type { StoredValues } from '../dicom/pixel-data.ts';
import { parseCsaHeader } from './siemens-csa.ts';
import type { SliceHeader } from './slice-header.ts';

/** Whether a single frame holds several slices side by side, as older Siemens scanners store them (and those of United
 * Imaging do). An enhanced image says MOSAIC of what it was made from; its frames are slices. */
export function isMosaic(dataset: DicomDataset): boolean {
  if (dataset.has('PerFrameFunctionalGroupsSequence') || (dataset.number('NumberOfFrames') ?? 1) > 1) return false;
  const type = dataset.strings('ImageType');
  return type.includes('MOSAIC') || siemensCount(dataset) > 1 || (dataset.number('UIHGridImageCount') ?? 0) > 1;
}

/** Unfolds a mosaic into its slices, in the order that they follow each other in space: tiles row by row.
 * @param whole the mosaic as if it were one slice; its position is that of a slice of the mosaic's size around the same
 * centre as the first slice
 * @throws InputError `unsupported-image` if the mosaic does not say how many slices it holds, or how far apart
 * @see Siemens: (0019,100A) NumberOfImagesInMosaic, (0029,1010) CSA SliceNormalVector; dcm2niix */
export function unfoldMosaic(dataset: DicomDataset, whole: SliceHeader, name: string): SliceHeader[] {
  const csa = parseCsaHeader(isSiemensCsa(dataset) ? (dataset.bytes('SiemensImageHeaderInfo') ?? NOTHING) : NOTHING);
  const count = siemensCount(dataset) || Number(csa.get('NumberOfImagesInMosaic')?.[0] ?? 0);
  if (!Number.isInteger(count) || count < 1) throw unsupportedMosaic(name, 'it does not say how many');
  const across = Math.ceil(Math.sqrt(count));
  const { format, nominalSliceSpacing, rowDirection, columnDirection, pixelSpacing } = whole;
  if (format.rows % across !== 0 || format.columns % across !== 0) {
    throw unsupportedMosaic(name, `its ${count} slices do not fill ${format.columns} × ${format.rows} pixels`);
  }
  if (nominalSliceSpacing === undefined && count > 1)
    throw unsupportedMosaic(name, 'it does not say how far apart they are');
  const [rows, columns] = [format.rows / across, format.columns / across];
  const { direction, isAssumed } = sliceDirection(csa.get('SliceNormalVector'), whole);
  const [toRight, down] = [
    ((format.columns - columns) / 2) * pixelSpacing[1],
    ((format.rows - rows) / 2) * pixelSpacing[0],
  ];
  return Array.from({ length: count }, (_, n): SliceHeader => {
    const along = n * (nominalSliceSpacing ?? 0);
    const position = ([0, 1, 2] as const).map(
      (axis) =>
        whole.position[axis] + toRight * rowDirection[axis] + down * columnDirection[axis] + along * direction[axis],
    ) as unknown as Vector3;
    const top = Math.floor(n / across) * rows;
    const left = (n % across) * columns;
    return {
      ...whole,
      format: { ...format, rows, columns },
      position,
      positionStrings: position.map(decimalString) as unknown as SliceHeader['positionStrings'],
      tile: { format, left, top, isDirectionAssumed: isAssumed && count > 1 },
    };
  });
}

const NOTHING = new Uint8Array(0);

/** The pixels of a slice, of those of its frame. */
export function cropTile(frame: StoredValues, { format, tile }: Pick<SliceHeader, 'format' | 'tile'>): StoredValues {
  if (tile === undefined) return frame;
  const { rows, columns } = format;
  const values = frame.slice(0, rows * columns);
  for (let row = 0; row < rows; row++) {
    const start = (tile.top + row) * tile.format.columns + tile.left;
    values.set(frame.subarray(start, start + columns), row * columns);
  }
  return values;
}

function siemensCount(dataset: DicomDataset): number {
  const isSiemens = dataset.text('PrivateCreator0019')?.toUpperCase().startsWith('SIEMENS MR HEADER') ?? false;
  return isSiemens ? (dataset.number('SiemensMosaicImageCount') ?? 0) : 0;
}

function isSiemensCsa(dataset: DicomDataset): boolean {
  return dataset.text('PrivateCreator0029')?.toUpperCase().startsWith('SIEMENS CSA HEADER') ?? false;
}

/** From the first slice to the next: the normal of the slices, or its opposite. */
function sliceDirection(
  values: readonly string[] | undefined,
  { rowDirection, columnDirection }: SliceHeader,
): { readonly direction: Vector3; readonly isAssumed: boolean } {
  const normal = normalised(cross(rowDirection, columnDirection));
  const [x = NaN, y = NaN, z = NaN] = values?.map(Number) ?? [];
  const along = dot([x, y, z], normal);
  const isKnown = Math.abs(along) > 0.9;
  const [a, b, c] = normal;
  return isKnown && along < 0
    ? { direction: [-a, -b, -c], isAssumed: false }
    : { direction: normal, isAssumed: !isKnown };
}

function unsupportedMosaic(name: string, what: string): InputError {
  return new InputError('unsupported-image', `${name} is a mosaic of slices in one image: ${what}.`, {
    remedy:
      'Convert the series to NIfTI with dcm2niix, or export it from the scanner as one image a slice or as an enhanced multi-frame image.',
    details: { file: name },
  });
}

/** At most 16 characters (PS3.5 6.2, DS). */
function decimalString(value: number): string {
  return String(Number(value.toFixed(6))).slice(0, 16);
}
