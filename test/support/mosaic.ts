import type { SourceFile } from '../../src/io/reader.ts';
import { indexToWorld } from '../../src/volume/geometry.ts';
import { memoryFile } from './memory-file.ts';
import { encodePart10, joined, latin1, type DicomAttributes } from './part10.ts';
import { sliceAttributes, type Phantom } from './phantom.ts';

export interface MosaicOptions {
  /** From the last slice to the first, as some sagittal protocols store them. */
  readonly isReversed?: boolean;
  readonly csa?: 'CSA1' | 'CSA2' | 'none';
  readonly change?: DicomAttributes;
  readonly options?: Parameters<typeof encodePart10>[1];
  readonly name?: string;
}

/** A volume as an older Siemens scanner stores it: its slices side by side in one image, the rest of it black. */
export function mosaicPhantom(
  { geometry, voxels }: Phantom,
  { isReversed = false, csa = 'CSA2', change = {}, options, name = 'mosaic.dcm' }: MosaicOptions = {},
): SourceFile {
  const { dimensions, direction, spacing } = geometry;
  const [columns, rows, count] = dimensions;
  const across = Math.ceil(Math.sqrt(count));
  const order = Array.from({ length: count }, (_, n) => (isReversed ? count - 1 - n : n));
  const pixels = new Int16Array(across * across * rows * columns);
  order.forEach((k, n) => {
    for (let j = 0; j < rows; j++) {
      const start = (Math.floor(n / across) * rows + j) * across * columns + (n % across) * columns;
      pixels.set(voxels.subarray((k * rows + j) * columns, (k * rows + j + 1) * columns), start);
    }
  });
  // The position is that of a slice of the whole image's size around the first slice's centre.
  const corner = indexToWorld(geometry, [-((across - 1) * columns) / 2, -((across - 1) * rows) / 2, order[0] ?? 0]);
  const sign = isReversed ? -1 : 1;
  const normal = direction[2].map((x) => (sign * x).toFixed(8));
  const header: [string, string[]][] = [
    ['EchoLinePosition', ['32']],
    ['NumberOfImagesInMosaic', [String(count)]],
    ['SliceNormalVector', normal],
    ['Unused', []],
  ];
  const attributes: DicomAttributes = {
    ...sliceAttributes({ geometry, voxels }, 0),
    Manufacturer: 'SIEMENS',
    ImageType: ['ORIGINAL', 'PRIMARY', 'M', 'ND', 'MOSAIC'],
    InstanceNumber: '1',
    SeriesNumber: '1',
    SpacingBetweenSlices: String(spacing[2]),
    ImagePositionPatient: corner.map((x) => x.toFixed(9).slice(0, 16)),
    Rows: across * rows,
    Columns: across * columns,
    PixelData: new Uint8Array(pixels.buffer),
    PrivateCreator0019: 'SIEMENS MR HEADER',
    SiemensMosaicImageCount: count,
    ...(csa !== 'none' && {
      PrivateCreator0029: 'SIEMENS CSA HEADER',
      SiemensImageHeaderInfo: encodeCsaHeader(header, csa),
    }),
    ...change,
  };
  return memoryFile(name, encodePart10(attributes, options));
}

/** @see src/series/mosaic.ts */
export function encodeCsaHeader(header: readonly (readonly [string, readonly string[]])[], form: 'CSA1' | 'CSA2') {
  const parts: Uint8Array[] = form === 'CSA2' ? [latin1('SV10'), Uint8Array.of(4, 3, 2, 1)] : [];
  parts.push(int32(header.length), int32(77));
  const firstItemCount = Math.max(6, header[0]?.[1].length ?? 0);
  for (const [name, values] of header) {
    parts.push(fixed(name, 64), int32(values.length), fixed('FD', 4), int32(4), int32(firstItemCount), int32(77));
    for (let item = 0; item < firstItemCount; item++) {
      const value = values[item];
      const content = value === undefined ? new Uint8Array(0) : latin1(`${value}\0`);
      const { length } = content;
      const lengths = form === 'CSA2' ? [length, length, 77, length] : [length + firstItemCount, length, 77, length];
      parts.push(...lengths.map(int32), content, new Uint8Array((4 - (length % 4)) % 4));
    }
  }
  return joined(parts);
}

function fixed(text: string, byteLength: number): Uint8Array {
  const bytes = new Uint8Array(byteLength);
  // What is left of another text stands behind the null.
  bytes.set(latin1(`${text}\0old`).subarray(0, byteLength));
  return bytes;
}

function int32(value: number): Uint8Array {
  return new Uint8Array(Int32Array.of(value).buffer);
}
