import { InputError } from '../errors.ts';
import { damagedFile } from './damaged-file.ts';
import type { NiftiForms } from './nifti-geometry.ts';

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

interface Layout {
  readonly byteLength: number;
  readonly magicAt: number;
  /** How numbers are stored: sizes, reals, form codes, and where. */
  readonly size: NumberField;
  readonly real: NumberField;
  readonly code: NumberField;
  readonly offset: NumberField;
  readonly units: NumberField;
  readonly intent: NumberField;
  readonly at: Readonly<
    Record<
      | 'dim'
      | 'datatype'
      | 'pixdim'
      | 'voxOffset'
      | 'slope'
      | 'qform'
      | 'sform'
      | 'quatern'
      | 'qoffset'
      | 'srow'
      | 'units'
      | 'intent',
      number
    >
  >;
}

interface NumberField {
  readonly bytes: number;
  readonly read: (view: DataView, offset: number, littleEndian: boolean) => number;
}

const INT8: NumberField = { bytes: 1, read: (view, offset) => view.getUint8(offset) };
const INT16: NumberField = { bytes: 2, read: (view, offset, little) => view.getInt16(offset, little) };
const INT32: NumberField = { bytes: 4, read: (view, offset, little) => view.getInt32(offset, little) };
const INT64: NumberField = { bytes: 8, read: (view, offset, little) => Number(view.getBigInt64(offset, little)) };
const FLOAT32: NumberField = { bytes: 4, read: (view, offset, little) => view.getFloat32(offset, little) };
const FLOAT64: NumberField = { bytes: 8, read: (view, offset, little) => view.getFloat64(offset, little) };

/** nifti1.h */
const NIFTI_1: Layout = {
  byteLength: NIFTI_1_BYTES,
  magicAt: 344,
  size: INT16,
  real: FLOAT32,
  code: INT16,
  offset: FLOAT32,
  units: INT8,
  intent: INT16,
  at: {
    dim: 40,
    datatype: 70,
    pixdim: 76,
    voxOffset: 108,
    slope: 112,
    units: 123,
    intent: 68,
    qform: 252,
    sform: 254,
    quatern: 256,
    qoffset: 268,
    srow: 280,
  },
};

/** nifti2.h */
const NIFTI_2: Layout = {
  byteLength: NIFTI_HEADER_BYTES,
  magicAt: 4,
  size: INT64,
  real: FLOAT64,
  code: INT32,
  offset: INT64,
  units: INT32,
  intent: INT32,
  at: {
    datatype: 12,
    dim: 16,
    pixdim: 104,
    voxOffset: 168,
    slope: 176,
    qform: 344,
    sform: 348,
    quatern: 352,
    qoffset: 376,
    srow: 400,
    units: 500,
    intent: 504,
  },
};

/** Whether a file begins as a NIfTI header: by the magic word of version 1 at 344, or of version 2 at 4. */
export function isNifti(head: Uint8Array): boolean {
  return layoutOf(head) !== undefined;
}

/** @param head the first 540 bytes, fewer if the file is shorter
 * @throws InputError `not-nifti`, `damaged-file` */
export function parseNiftiHeader(head: Uint8Array, name: string): NiftiHeader {
  const layout = layoutOf(head);
  if (layout === undefined) {
    throw new InputError('not-nifti', `${name} is no NIfTI file.`, {
      remedy: 'Pass a .nii or .nii.gz file, or a pair of .hdr and .img, that a NIfTI writer made.',
      details: { file: name },
    });
  }
  const { byteLength, magicAt, at, size, real, code } = layout;
  if (head.length < byteLength) throw damagedFile(name, `it ends after ${head.length} of ${byteLength} bytes`);
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const littleEndian = view.getInt32(0, true) === byteLength;
  if (!littleEndian && view.getInt32(0, false) !== byteLength)
    throw damagedFile(name, 'its header has no known length');
  const read = (field: NumberField, offset: number, count: number): number[] =>
    Array.from({ length: count }, (_, n) => field.read(view, offset + n * field.bytes, littleEndian));
  const one = (field: NumberField, offset: number): number => field.read(view, offset, littleEndian);
  const three = (offset: number) => read(real, offset, 3) as [number, number, number];
  const row = (n: number) => read(real, at.srow + 4 * n * real.bytes, 4) as [number, number, number, number];

  const [axes = 0, ...dim] = read(size, at.dim, 8);
  if (!(axes >= 1 && axes <= 7)) throw damagedFile(name, `it claims ${axes} dimensions`);
  const sizes = dim.slice(0, axes);
  if (sizes.some((n) => n < 1)) throw damagedFile(name, `its dimensions are ${sizes.join(' × ')}`);
  const isPair = String.fromCharCode(...head.subarray(magicAt, magicAt + 2)) === 'ni';
  const [slope = 0, intercept = 0] = read(real, at.slope, 2);
  const [qfac = 1, i = 0, j = 0, k = 0] = read(real, at.pixdim, 4);
  return {
    isPair,
    littleEndian,
    byteLength,
    sizes,
    datatype: one(INT16, at.datatype),
    intent: one(layout.intent, at.intent),
    slope,
    intercept,
    voxelOffset: voxelOffsetOf(one(layout.offset, at.voxOffset), isPair ? 0 : byteLength + 4, name),
    forms: {
      dimensions: [sizes[0] ?? 1, sizes[1] ?? 1, sizes[2] ?? 1],
      pixdim: [i, j, k],
      sform: one(code, at.sform) > 0 ? [row(0), row(1), row(2)] : undefined,
      qform:
        one(code, at.qform) > 0
          ? { quaternion: three(at.quatern), offset: three(at.qoffset), qfac: qfac < 0 ? -1 : 1 }
          : undefined,
      spatialUnits: one(layout.units, at.units) & 7,
    },
  };
}

function layoutOf(head: Uint8Array): Layout | undefined {
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
