import { NIFTI1 } from 'nifti-reader-js';
import { InputError } from '../errors.ts';
import type { Labelmap } from '../labelmap/labelmap.ts';
import type { VolumeGeometry } from '../volume/geometry.ts';
import type { Notice, VoxelArray } from '../volume/volume.ts';
import { isGzip, openBytes, type ByteSource } from './byte-source.ts';
import { damagedFile } from './damaged-file.ts';
import { rescaleVoxels, type Rescale } from './modality-values.ts';
import { niftiGeometry, type NiftiForms } from './nifti-geometry.ts';
import type { ReadResult, SeriesDescription, SourceFile, VolumeReader } from './reader.ts';

const HEADER_BYTES = 348;
/** The header and the four bytes that announce extensions; voxels never begin before. */
const FIRST_VOXEL_OFFSET = 352;
/** Enough of a gzipped file to unpack a header from. */
const COMPRESSED_HEAD_BYTES = 4096;

/** NIfTI-1 files (.nii, .nii.gz) of one volume; axes and voxel order as stored, frame turned from RAS to LPS. */
export const niftiReader: VolumeReader = {
  id: 'NIfTI',
  accepts: (head, name) =>
    niftiKind(head) !== undefined || /\.nii$/i.test(name) || (isGzip(head) && /\.nii\.gz$/i.test(name)),
  describe: (files) => Promise.all(files.map(describeFile)),
  read: readOne,
};

/** Reads an integer labelmap; names of its labels are not in NIfTI.
 * @returns Uint8Array, or Uint16Array if a label exceeds 255; a float file of whole numbers is accepted
 * @throws InputError `not-segmentation` if a value is no integer from 0 to 65535, else as the reader */
export async function readNiftiLabelmap(file: SourceFile): Promise<Pick<Labelmap, 'geometry' | 'voxels'>> {
  const { geometry, voxels } = await readFile(file);
  let largest = 0;
  for (let index = 0; index < voxels.length; index++) {
    const value = voxels[index] ?? 0;
    if (!Number.isInteger(value) || value < 0 || value > 0xffff) {
      throw new InputError('not-segmentation', `${file.name} is no labelmap: it holds the value ${value}.`, {
        remedy: 'Pass a labelmap of whole numbers from 0 to 65535.',
        details: { file: file.name, value },
      });
    }
    if (value > largest) largest = value;
  }
  if (voxels instanceof Uint8Array || (voxels instanceof Uint16Array && largest > 0xff)) return { geometry, voxels };
  return { geometry, voxels: largest > 0xff ? Uint16Array.from(voxels) : Uint8Array.from(voxels) };
}

interface NiftiHeader {
  readonly littleEndian: boolean;
  readonly dimensions: readonly [number, number, number];
  readonly voxelType: VoxelType;
  readonly rescale: Rescale;
  readonly voxelOffset: number;
  readonly geometry: VolumeGeometry;
  readonly notices: readonly Notice[];
}

interface VoxelType {
  readonly bytes: 1 | 2 | 4 | 8;
  readonly view: (buffer: ArrayBuffer) => VoxelArray;
}

const VOXEL_TYPES: ReadonlyMap<number, VoxelType> = new Map<number, VoxelType>([
  [NIFTI1.TYPE_UINT8, { bytes: 1, view: (buffer) => new Uint8Array(buffer) }],
  [NIFTI1.TYPE_INT8, { bytes: 1, view: (buffer) => new Int8Array(buffer) }],
  [NIFTI1.TYPE_UINT16, { bytes: 2, view: (buffer) => new Uint16Array(buffer) }],
  [NIFTI1.TYPE_INT16, { bytes: 2, view: (buffer) => new Int16Array(buffer) }],
  [NIFTI1.TYPE_UINT32, { bytes: 4, view: (buffer) => new Uint32Array(buffer) }],
  [NIFTI1.TYPE_INT32, { bytes: 4, view: (buffer) => new Int32Array(buffer) }],
  [NIFTI1.TYPE_FLOAT32, { bytes: 4, view: (buffer) => new Float32Array(buffer) }],
  [NIFTI1.TYPE_FLOAT64, { bytes: 8, view: (buffer) => new Float64Array(buffer) }],
]);

const UNSUPPORTED_TYPES: ReadonlyMap<number, string> = new Map([
  [NIFTI1.TYPE_BINARY, 'single bits'],
  [NIFTI1.TYPE_COMPLEX64, 'complex numbers'],
  [NIFTI1.TYPE_COMPLEX128, 'complex numbers'],
  [NIFTI1.TYPE_COMPLEX256, 'complex numbers'],
  [NIFTI1.TYPE_RGB24, 'colours'],
  [2304, 'colours'],
  [NIFTI1.TYPE_INT64, '64-bit integers'],
  [NIFTI1.TYPE_UINT64, '64-bit integers'],
  [NIFTI1.TYPE_FLOAT128, '128-bit floats'],
]);

async function readOne(files: readonly SourceFile[], options?: { signal?: AbortSignal }): Promise<ReadResult> {
  const [file, another] = files;
  if (file === undefined) throw new RangeError('There is no file to read.');
  if (another !== undefined) {
    const names = files.slice(0, 3).map(({ name }) => name);
    throw new InputError('several-volumes', `The input holds ${files.length} NIfTI files: ${names.join(', ')} …`, {
      remedy: 'Pass one of them.',
      details: { files: files.length },
    });
  }
  options?.signal?.throwIfAborted();
  const { geometry, voxels, notices } = await readFile(file);
  return { volume: { geometry, voxels }, warnings: notices };
}

async function describeFile(file: SourceFile): Promise<SeriesDescription> {
  const description = { format: 'NIfTI', fileName: file.name, fileCount: 1 };
  try {
    const { header } = await readHeader(await file.readHead(COMPRESSED_HEAD_BYTES), file.name);
    return { ...description, geometry: header.geometry, warnings: header.notices };
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    const { code, message, remedy } = error;
    return { ...description, problem: { code, message, remedy }, warnings: [] };
  }
}

async function readFile(file: SourceFile) {
  const { header, source } = await readHeader(await file.read(), file.name);
  const [i, j, k] = header.dimensions;
  const skipped = header.voxelOffset - HEADER_BYTES;
  const byteLength = i * j * k * header.voxelType.bytes;
  const bytes = await taking(source, file.name, [skipped, byteLength]);
  // A copy where it is a view of the file: the voxels must be aligned, and must not keep the file in memory.
  const buffer =
    bytes.byteLength === bytes.buffer.byteLength && bytes.buffer instanceof ArrayBuffer
      ? bytes.buffer
      : new Uint8Array(bytes).buffer;
  if (!header.littleEndian) swapBytes(buffer, header.voxelType.bytes);
  const voxels = rescaleVoxels(header.voxelType.view(buffer), header.rescale);
  return { geometry: header.geometry, voxels, notices: header.notices };
}

async function readHeader(bytes: Uint8Array, name: string): Promise<{ header: NiftiHeader; source: ByteSource }> {
  const source = openBytes(bytes);
  const head = await taking(source, name, [HEADER_BYTES]);
  const kind = niftiKind(head);
  if (kind === undefined) {
    throw new InputError('not-nifti', `${name} is no NIfTI file.`, {
      remedy: 'Pass a .nii or .nii.gz file that a NIfTI writer made.',
      details: { file: name },
    });
  }
  if (kind !== 'NIfTI-1') {
    throw unsupported(name, `it is ${kind}`, 'Convert it to a single NIfTI-1 file (.nii or .nii.gz).');
  }
  return { header: parseHeader(head, name), source };
}

/** By the magic word: `n+1` or `ni1` at 344 for NIfTI-1, `n+2` or `ni2` at 4 for NIfTI-2. */
function niftiKind(head: Uint8Array): 'NIfTI-1' | 'a pair of files (.hdr and .img)' | 'NIfTI-2' | undefined {
  const magicAt = (offset: number): string => String.fromCharCode(...head.subarray(offset, offset + 3));
  const first = magicAt(344);
  if (first === 'n+1') return 'NIfTI-1';
  if (first === 'ni1') return 'a pair of files (.hdr and .img)';
  const second = magicAt(4);
  return second === 'n+2' || second === 'ni2' ? 'NIfTI-2' : undefined;
}

function parseHeader(head: Uint8Array, name: string): NiftiHeader {
  const header = new NIFTI1();
  const view = new DataView(new Uint8Array(head).buffer);
  try {
    header.readHeader(view.buffer);
  } catch (error) {
    throw damagedFile(name, 'its header cannot be parsed', error);
  }
  const dimensions = volumeDimensions(header.dims, name);
  const voxelType = VOXEL_TYPES.get(header.datatypeCode);
  if (voxelType === undefined) {
    const type = UNSUPPORTED_TYPES.get(header.datatypeCode) ?? `voxels of the unknown type ${header.datatypeCode}`;
    throw unsupported(name, `it holds ${type}`, 'Convert it to 16-bit integers or 32-bit floats.');
  }
  const voxelOffset = header.vox_offset === 0 ? FIRST_VOXEL_OFFSET : header.vox_offset;
  if (!Number.isInteger(voxelOffset) || voxelOffset < FIRST_VOXEL_OFFSET) {
    throw damagedFile(name, `its voxels cannot begin at byte ${voxelOffset}`);
  }
  return {
    littleEndian: header.littleEndian,
    dimensions,
    voxelType,
    rescale: rescaleOf(header, name),
    voxelOffset,
    ...niftiGeometry(formsOf(header, view, dimensions), name),
  };
}

function volumeDimensions(dims: readonly number[], name: string): [number, number, number] {
  const [count = 0, i = 1, j = 1, k = 1, ...higher] = dims;
  if (count < 1 || count > 7) throw damagedFile(name, `it claims ${count} dimensions`);
  const used = [i, j, k, ...higher].slice(0, count);
  if (used.some((size) => size < 1)) throw damagedFile(name, `its dimensions are ${used.join(' × ')}`);
  const volumes = used.slice(3).reduce((product, size) => product * size, 1);
  if (volumes > 1) {
    throw new InputError('several-volumes', `${name} holds ${volumes} volumes (${used.join(' × ')}).`, {
      remedy: 'Split it, for example with fslsplit or nibabel, and pass one volume.',
      details: { file: name, dimensions: used },
    });
  }
  return [i, count > 1 ? j : 1, count > 2 ? k : 1];
}

/** scl_slope of 0 or NaN means: no scaling. */
function rescaleOf({ scl_slope: slope, scl_inter: intercept }: NIFTI1, name: string): Rescale {
  if (slope === 0 || !Number.isFinite(slope)) return { slope: 1, intercept: 0 };
  if (!Number.isFinite(intercept)) {
    throw new InputError('invalid-attribute', `${name} has no usable scl_inter: ${intercept}.`, {
      remedy: 'Write the file again with a finite scaling.',
      details: { file: name },
    });
  }
  return { slope, intercept };
}

function formsOf(header: NIFTI1, view: DataView, dimensions: NiftiForms['dimensions']): NiftiForms {
  const row = (offset: number): [number, number, number, number] => [
    view.getFloat32(offset, header.littleEndian),
    view.getFloat32(offset + 4, header.littleEndian),
    view.getFloat32(offset + 8, header.littleEndian),
    view.getFloat32(offset + 12, header.littleEndian),
  ];
  const [qfac = 1, i = 0, j = 0, k = 0] = header.pixDims;
  return {
    dimensions,
    pixdim: [i, j, k],
    // Read here, not from header.affine: that prefers the qform where its code is the higher one.
    sform: header.sform_code > 0 ? [row(280), row(296), row(312)] : undefined,
    qform:
      header.qform_code > 0
        ? {
            quaternion: [header.quatern_b, header.quatern_c, header.quatern_d],
            offset: [header.qoffset_x, header.qoffset_y, header.qoffset_z],
            qfac: qfac < 0 ? -1 : 1,
          }
        : undefined,
    spatialUnits: header.xyzt_units & NIFTI1.SPATIAL_UNITS_MASK,
  };
}

/** Takes parts in turn and gives the last. */
async function taking(source: ByteSource, name: string, byteLengths: readonly number[]): Promise<Uint8Array> {
  let part: Uint8Array = new Uint8Array(0);
  try {
    for (const byteLength of byteLengths) part = await source.take(byteLength);
  } catch (error) {
    throw damagedFile(name, error instanceof Error ? error.message : 'it cannot be unpacked', error);
  }
  return part;
}

function swapBytes(buffer: ArrayBuffer, width: VoxelType['bytes']): void {
  if (width === 1) return;
  const bytes = new Uint8Array(buffer);
  for (let start = 0; start < bytes.length; start += width) bytes.subarray(start, start + width).reverse();
}

function unsupported(name: string, what: string, remedy: string): InputError {
  return new InputError('unsupported-nifti', `${name} cannot be read yet: ${what}.`, {
    remedy,
    details: { file: name },
  });
}
