import { InputError } from '../errors.ts';
import type { Labelmap } from '../labelmap/labelmap.ts';
import { cross, dot, type Vector3, type VolumeGeometry } from '../volume/geometry.ts';
import type { NiftiSpace, Volume, VoxelArray } from '../volume/volume.ts';

export interface NiftiOptions {
  /** .nii.gz instead of .nii. */
  readonly gzip: boolean;
  /** How the image's own file places these voxels: carried unchanged. Default: both forms from the geometry. */
  readonly space?: NiftiSpace | undefined;
}

/** A labelmap as a NIfTI-1 file on the labelmap's grid: uint8 or uint16, i fastest, nothing reordered.
 * @param options.space of the image (Volume.niftiSpace), if the labelmap is on its grid */
export function encodeNiftiLabelmap(
  { geometry, voxels }: Labelmap,
  options: NiftiOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  return encode(geometry, voxels, { intent: INTENT_LABEL, ...options });
}

/** An image as a NIfTI-1 file: modality values in the volume's own type and voxel order, placed as in the NIfTI file that
 * it was read from. */
export function encodeNiftiImage(
  { geometry, voxels, niftiSpace }: Volume,
  options: NiftiOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  return encode(geometry, voxels, { intent: 0, space: niftiSpace, ...options });
}

const HEADER_LENGTH = 348;
/** The header and four bytes that say there is no extension. */
const VOXEL_OFFSET = 352;
const INTENT_LABEL = 1002;
const UNITS_MM = 2;
const XFORM_SCANNER = 1;

async function encode(
  geometry: VolumeGeometry,
  voxels: VoxelArray,
  { intent, gzip, space }: NiftiOptions & { intent: number },
): Promise<Uint8Array<ArrayBuffer>> {
  const header = encodeHeader(geometry, voxels, { intent, space });
  const body = new Uint8Array(voxels.buffer, voxels.byteOffset, voxels.byteLength) as Uint8Array<ArrayBuffer>;
  const file = new Blob([header, body]);
  const stream = gzip ? file.stream().pipeThrough(new CompressionStream('gzip')) : file;
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

function encodeHeader(
  geometry: VolumeGeometry,
  voxels: VoxelArray,
  { intent, space = spaceOf(geometry) }: { readonly intent: number; readonly space: NiftiSpace | undefined },
): Uint8Array<ArrayBuffer> {
  const { dimensions } = geometry;
  if (dimensions.some((n) => n > 0x7fff)) {
    throw new InputError('unsupported-nifti', `NIfTI-1 holds 32767 voxels an axis, not ${dimensions.join(' × ')}.`, {
      remedy: 'Crop the volume.',
    });
  }
  const { datatype, bits } = voxelType(voxels);

  const header = new Uint8Array(VOXEL_OFFSET);
  const view = new DataView(header.buffer);
  const int16 = (at: number, ...values: number[]): void => {
    values.forEach((value, n) => {
      view.setInt16(at + 2 * n, value, true);
    });
  };
  const float32 = (at: number, ...values: number[]): void => {
    values.forEach((value, n) => {
      view.setFloat32(at + 4 * n, value, true);
    });
  };
  view.setInt32(0, HEADER_LENGTH, true);
  int16(40, 3, ...dimensions, 1, 1, 1, 1); // dim
  int16(68, intent, datatype, bits);
  float32(76, ...space.pixdim, 0, 0, 0, 0); // pixdim
  float32(108, VOXEL_OFFSET, 1, 0); // vox_offset, scl_slope, scl_inter
  header[123] = space.units; // xyzt_units
  header.set(new TextEncoder().encode('Slicewise, research use only'), 148); // descrip
  int16(252, space.qformCode, space.sformCode);
  float32(256, ...space.qform, ...space.sform); // quatern_b to qoffset_z, srow_x to srow_z
  header.set(new TextEncoder().encode('n+1\0'), 344);
  return header;
}

/** Both forms, of the scanner's space: sform as it is, qform as quaternion and qfac (nifti1.h, methods 2 and 3). */
function spaceOf(geometry: VolumeGeometry): NiftiSpace {
  const { columns, offset } = affineRas(geometry);
  const { qfac, b, c, d } = quaternion(geometry);
  return {
    pixdim: [qfac, ...geometry.spacing],
    qformCode: XFORM_SCANNER,
    sformCode: XFORM_SCANNER,
    qform: [b, c, d, ...offset],
    sform: ([0, 1, 2] as const).flatMap((row) => [columns[0][row], columns[1][row], columns[2][row], offset[row]]),
    units: UNITS_MM,
  };
}

/** Index to RAS mm: LPS with the first two axes turned round. */
function affineRas({ spacing, origin, direction }: VolumeGeometry): {
  columns: readonly [Vector3, Vector3, Vector3];
  offset: Vector3;
} {
  const column = (axis: 0 | 1 | 2): Vector3 => {
    const [x, y, z] = lpsToRas(direction[axis]);
    return [x * spacing[axis], y * spacing[axis], z * spacing[axis]];
  };
  return { columns: [column(0), column(1), column(2)], offset: lpsToRas(origin) };
}

/** The rotation of the axes in RAS as a unit quaternion with a ≥ 0; qfac −1 where the axes are left-handed. */
function quaternion({ direction }: VolumeGeometry): { qfac: 1 | -1; b: number; c: number; d: number } {
  const [i, j] = [lpsToRas(direction[0]), lpsToRas(direction[1])];
  // Of a left-handed grid the third axis is turned round, which makes it the cross product of the others.
  const k = cross(i, j);
  const qfac = dot(k, lpsToRas(direction[2])) < 0 ? -1 : 1;
  // Shepperd's method: from the largest of the four, so that nothing is divided by a number near zero.
  const squares = [1 + i[0] + j[1] + k[2], 1 + i[0] - j[1] - k[2], 1 - i[0] + j[1] - k[2], 1 - i[0] - j[1] + k[2]];
  const largest = squares.indexOf(Math.max(...squares));
  const q = [
    [squares[0], j[2] - k[1], k[0] - i[2], i[1] - j[0]],
    [j[2] - k[1], squares[1], i[1] + j[0], k[0] + i[2]],
    [k[0] - i[2], i[1] + j[0], squares[2], j[2] + k[1]],
    [i[1] - j[0], k[0] + i[2], j[2] + k[1], squares[3]],
  ][largest] as [number, number, number, number];
  const scale = (q[0] < 0 ? -1 : 1) / Math.hypot(...q);
  return { qfac, b: q[1] * scale, c: q[2] * scale, d: q[3] * scale };
}

function lpsToRas([x, y, z]: Vector3): Vector3 {
  return [-x, -y, z];
}

function voxelType(voxels: VoxelArray): { datatype: number; bits: number } {
  const bits = 8 * voxels.BYTES_PER_ELEMENT;
  if (voxels instanceof Uint8Array) return { datatype: 2, bits };
  if (voxels instanceof Int16Array) return { datatype: 4, bits };
  if (voxels instanceof Int32Array) return { datatype: 8, bits };
  if (voxels instanceof Float32Array) return { datatype: 16, bits };
  if (voxels instanceof Float64Array) return { datatype: 64, bits };
  if (voxels instanceof Int8Array) return { datatype: 256, bits };
  if (voxels instanceof Uint16Array) return { datatype: 512, bits };
  return { datatype: 768, bits };
}
