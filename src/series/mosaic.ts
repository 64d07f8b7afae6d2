import { InputError } from '../errors.ts';
import { cross, dot, normalised, type Vector3 } from '../volume/geometry.ts';
import type { DicomDataset } from '../dicom/dicom-dataset.ts';
import type { StoredValues } from '../dicom/pixel-data.ts';
import type { SliceHeader } from './slice-header.ts';
import { latin1, trimPadding } from '../dicom/dicom-values.ts';

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

/** Values by the names of their attributes, as text. */
export type CsaHeader = ReadonlyMap<string, readonly string[]>;

/** Reads the header that Siemens scanners keep in (0029,1010): a list of named attributes with items of text. Its later
 * form, CSA2, begins with SV10; the lengths of CSA1's items count from that of the first attribute's.
 * @returns what can be read of it: the attributes before the first that is damaged
 * @see Siemens format CSA, as read by nibabel's csareader and dcm2niix */
export function parseCsaHeader(bytes: Uint8Array): CsaHeader {
  const attributes = new Map<string, readonly string[]>();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const isLater = latin1(bytes.subarray(0, 4)) === 'SV10';
  let at = isLater ? 8 : 0;
  const has = (byteLength: number): boolean => at + byteLength <= bytes.length;
  const int32 = (): number => {
    at += 4;
    return view.getInt32(at - 4, true);
  };
  if (!has(8)) return attributes;
  const count = int32();
  at += 4;
  if (count < 1 || count > MAX_ATTRIBUTES) return attributes;
  let firstItemCount: number | undefined;
  for (let n = 0; n < count && has(ATTRIBUTE_BYTES); n++) {
    const name = textBefore(bytes.subarray(at, at + NAME_BYTES));
    at += NAME_BYTES;
    const multiplicity = int32();
    at += 8; // representation, twice
    const itemCount = int32();
    at += 4;
    firstItemCount ??= itemCount;
    const values: string[] = [];
    for (let item = 0; item < itemCount; item++) {
      if (!has(16)) return attributes;
      const [first, second] = [int32(), int32()];
      at += 8;
      let byteLength = second;
      if (!isLater) {
        byteLength = first - firstItemCount;
        if (byteLength < 0 || !has(byteLength)) byteLength = second;
      }
      if (byteLength < 0 || !has(byteLength)) return attributes;
      if (item < multiplicity) values.push(textBefore(bytes.subarray(at, at + byteLength)));
      at += byteLength + ((4 - (byteLength % 4)) % 4);
    }
    attributes.set(
      name,
      values.filter((value) => value !== ''),
    );
  }
  return attributes;
}

const NAME_BYTES = 64;
const ATTRIBUTE_BYTES = NAME_BYTES + 20;
/** nibabel's, too. */
const MAX_ATTRIBUTES = 128;

/** What is before the first null; what is behind it is left over from another text. */
function textBefore(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return trimPadding(latin1(end < 0 ? bytes : bytes.subarray(0, end)));
}
