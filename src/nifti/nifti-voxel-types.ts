import { InputError } from '../errors.ts';
import type { VoxelArray } from '../volume/volume.ts';

export interface NiftiVoxelType {
  readonly bytes: 1 | 2 | 4 | 8;
  /** Voxels of a piece of a buffer, in the machine's byte order: a view of it, but for integers of 64 bits. */
  readonly read: (...piece: Piece) => VoxelArray;
  /** An array of elements as wide as the voxels, to put them into the machine's byte order. */
  readonly swapped: (buffer: ArrayBufferLike) => VoxelArray;
}

type Piece = [buffer: ArrayBufferLike, byteOffset: number, length: number];

/** By datatype code (nifti1.h); 64-bit integers become 32-bit ones if they fit, else doubles. */
const VOXEL_TYPES: ReadonlyMap<number, NiftiVoxelType> = new Map<number, NiftiVoxelType>([
  [2, typeOf(1, (...piece) => new Uint8Array(...piece))],
  [256, typeOf(1, (...piece) => new Int8Array(...piece))],
  [512, typeOf(2, (...piece) => new Uint16Array(...piece))],
  [4, typeOf(2, (...piece) => new Int16Array(...piece))],
  [768, typeOf(4, (...piece) => new Uint32Array(...piece))],
  [8, typeOf(4, (...piece) => new Int32Array(...piece))],
  [16, typeOf(4, (...piece) => new Float32Array(...piece))],
  [64, typeOf(8, (...piece) => new Float64Array(...piece))],
  [1024, typeOf(8, (...piece) => narrowed(new BigInt64Array(...piece)))],
  [1280, typeOf(8, (...piece) => narrowed(new BigUint64Array(...piece)))],
]);

const UNSUPPORTED_TYPES: ReadonlyMap<number, string> = new Map([
  [1, 'single bits'],
  [32, 'complex numbers'],
  [1792, 'complex numbers'],
  [2048, 'complex numbers'],
  [128, 'colours'],
  [2304, 'colours'],
  [1536, '128-bit floats'],
]);

/** @throws InputError `unsupported-nifti` for complex numbers, colours and the like */
export function niftiVoxelType(datatype: number, name: string): NiftiVoxelType {
  const type = VOXEL_TYPES.get(datatype);
  if (type !== undefined) return type;
  const what = UNSUPPORTED_TYPES.get(datatype) ?? `voxels of the unknown type ${datatype}`;
  throw new InputError('unsupported-nifti', `${name} cannot be read: it holds ${what}.`, {
    remedy: 'Convert it to integers or floats of 32 bits: models take one real value a voxel.',
    details: { file: name, datatype },
  });
}

function typeOf(bytes: NiftiVoxelType['bytes'], read: NiftiVoxelType['read']): NiftiVoxelType {
  const swapped = {
    1: (buffer: ArrayBufferLike) => new Uint8Array(buffer),
    2: (buffer: ArrayBufferLike) => new Uint16Array(buffer),
    4: (buffer: ArrayBufferLike) => new Uint32Array(buffer),
    8: (buffer: ArrayBufferLike) => new Float64Array(buffer),
  }[bytes];
  return { bytes, read, swapped };
}

function narrowed(wide: BigInt64Array | BigUint64Array): Int32Array | Float64Array {
  const fits = wide.every((value: bigint) => value >= -0x80000000n && value <= 0x7fffffffn);
  const narrow = fits ? new Int32Array(wide.length) : new Float64Array(wide.length);
  for (let at = 0; at < wide.length; at++) narrow[at] = Number(wide[at] ?? 0n);
  return narrow;
}
