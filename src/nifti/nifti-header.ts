import { NIFTI1, NIFTI2 } from 'nifti-reader-js';
import { InputError } from '../errors.ts';
import { damagedFile } from '../io/read-limits.ts';
import type { NiftiForms } from './nifti-geometry.ts';
import type { NiftiSpace, VoxelArray } from '../volume/volume.ts';

/** What a NIfTI header says, of either version and byte order. */
export interface NiftiHeader {
  /** Whether the voxels are in a file of their own (.hdr and .img). */
  readonly isPair: boolean;
  readonly littleEndian: boolean;
  /** Bytes of the header itself: 348, or 540 for NIfTI-2. */
  readonly byteLength: number;
  /** Sizes along the axes that are used, one at least. */
  readonly sizes: readonly number[];
  readonly datatype: number;
  /** What the values mean (intent_code); 0 if the file does not say. */
  readonly intent: number;
  readonly slope: number;
  readonly intercept: number;
  /** Of the first voxel in its file. */
  readonly voxelOffset: number;
  readonly forms: NiftiForms;
}

/** The longer header, which holds the magic word of either version. */
export const NIFTI_HEADER_BYTES = 540;
const NIFTI_1_BYTES = 348;

/** Where each version has its magic word, nifti1.h and nifti2.h. */
interface Version {
  readonly byteLength: number;
  readonly magicAt: number;
  /** The first of three rows of the sform, and the bytes of one of its numbers. */
  readonly srowAt: number;
  readonly realBytes: 4 | 8;
  readonly create: () => NIFTI1 | NIFTI2;
}

const NIFTI_1: Version = {
  byteLength: NIFTI_1_BYTES,
  magicAt: 344,
  srowAt: 280,
  realBytes: 4,
  create: () => new NIFTI1(),
};
const NIFTI_2: Version = {
  byteLength: NIFTI_HEADER_BYTES,
  magicAt: 4,
  srowAt: 400,
  realBytes: 8,
  create: () => new NIFTI2(),
};

/** Whether a file begins as a NIfTI header: by the magic word of version 1 at 344, or of version 2 at 4. */
export function isNifti(head: Uint8Array): boolean {
  return versionOf(head) !== undefined;
}

/** @param head the first 540 bytes, fewer if the file is shorter
 * @throws InputError `not-nifti`, `damaged-file` */
export function parseNiftiHeader(head: Uint8Array, name: string): NiftiHeader {
  const version = versionOf(head);
  if (version === undefined) {
    throw new InputError('not-nifti', `${name} is not a NIfTI file.`, {
      remedy: 'Pass a .nii or .nii.gz file, or a pair of .hdr and .img, that a NIfTI writer made.',
      details: { file: name },
    });
  }
  const { byteLength, magicAt } = version;
  if (head.length < byteLength) throw damagedFile(name, `it ends after ${head.length} of ${byteLength} bytes`);
  // A copy of the header alone: nifti-reader-js would follow extensions behind it, for ever where they are hostile.
  const bytes = head.slice(0, byteLength).buffer;
  const view = new DataView(bytes);
  const littleEndian = view.getInt32(0, true) === byteLength;
  if (!littleEndian && view.getInt32(0, false) !== byteLength)
    throw damagedFile(name, 'its header has no known length');
  const header = version.create();
  header.readHeader(bytes);

  const [axes = 0, ...dim] = header.dims;
  if (!(axes >= 1 && axes <= 7)) throw damagedFile(name, `it claims ${axes} dimensions`);
  const sizes = dim.slice(0, axes);
  if (sizes.some((n) => n < 1)) throw damagedFile(name, `its dimensions are ${sizes.join(' × ')}`);
  const isPair = String.fromCharCode(...head.subarray(magicAt, magicAt + 2)) === 'ni';
  const [qfac = 1, i = 0, j = 0, k = 0] = header.pixDims;
  return {
    isPair,
    littleEndian,
    byteLength,
    sizes,
    datatype: header.datatypeCode,
    intent: header.intent_code,
    slope: header.scl_slope,
    intercept: header.scl_inter,
    voxelOffset: voxelOffsetOf(header.vox_offset, isPair ? 0 : byteLength + 4, name),
    forms: {
      dimensions: [sizes[0] ?? 1, sizes[1] ?? 1, sizes[2] ?? 1],
      pixdim: [i, j, k],
      sform: header.sform_code > 0 ? sformOf(view, version, littleEndian) : undefined,
      qform:
        header.qform_code > 0
          ? {
              quaternion: [header.quatern_b, header.quatern_c, header.quatern_d],
              offset: [header.qoffset_x, header.qoffset_y, header.qoffset_z],
              qfac: qfac < 0 ? -1 : 1,
            }
          : undefined,
      spatialUnits: header.xyzt_units & 7,
    },
  };
}

/** As stored: the library's affine is the qform's where that has the higher code, and NaN where a quaternion of a half turn
 * is rounded. */
function sformOf(view: DataView, { srowAt, realBytes }: Version, littleEndian: boolean): NiftiForms['sform'] {
  const real = (n: number): number => {
    const at = srowAt + n * realBytes;
    return realBytes === 4 ? view.getFloat32(at, littleEndian) : view.getFloat64(at, littleEndian);
  };
  const row = (n: number): [number, number, number, number] => [real(n), real(n + 1), real(n + 2), real(n + 3)];
  return [row(0), row(4), row(8)];
}

function versionOf(head: Uint8Array): Version | undefined {
  return [NIFTI_1, NIFTI_2].find(({ magicAt }, version) => {
    const magic = String.fromCharCode(...head.subarray(magicAt, magicAt + 3));
    return magic === `n+${version + 1}` || magic === `ni${version + 1}`;
  });
}

/** @param least after the header and the four bytes that announce extensions */
function voxelOffsetOf(stored: number, least: number, name: string): number {
  const offset = stored === 0 ? least : stored;
  if (Number.isSafeInteger(offset) && offset >= least) return offset;
  throw damagedFile(name, `its voxels cannot begin at byte ${offset}`);
}

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

/** Where the numbers of a form are, and as what: nifti1.h, nifti2.h. */
const LAYOUTS = {
  348: { pixdim: 76, codes: 252, qform: 256, sform: 280, units: 123, isLong: false },
  540: { pixdim: 104, codes: 344, qform: 352, sform: 400, units: 500, isLong: true },
} as const;

/** The placement that a header states, both forms as they are stored.
 * @param head the whole header */
export function readNiftiSpace(
  head: Uint8Array,
  { byteLength, littleEndian }: Pick<NiftiHeader, 'byteLength' | 'littleEndian'>,
): NiftiSpace {
  const at = LAYOUTS[byteLength === 540 ? 540 : 348];
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const reals = (offset: number, count: number): number[] =>
    Array.from({ length: count }, (_, n) =>
      at.isLong ? view.getFloat64(offset + 8 * n, littleEndian) : view.getFloat32(offset + 4 * n, littleEndian),
    );
  const code = (n: number): number =>
    at.isLong ? view.getInt32(at.codes + 4 * n, littleEndian) : view.getInt16(at.codes + 2 * n, littleEndian);
  return {
    pixdim: reals(at.pixdim, 4),
    qformCode: code(0),
    sformCode: code(1),
    qform: reals(at.qform, 6),
    sform: reals(at.sform, 12),
    units: (at.isLong ? view.getInt32(at.units, littleEndian) : view.getUint8(at.units)) & 0xff,
  };
}
