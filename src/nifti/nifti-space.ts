import type { NiftiSpace } from '../volume/volume.ts';
import type { NiftiHeader } from './nifti-header.ts';

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
