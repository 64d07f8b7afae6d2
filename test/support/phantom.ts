import { gzipSync } from 'node:zlib';
import type { SourceFile } from '../../src/readers/reader.ts';
import { indexToWorld, type VolumeGeometry } from '../../src/volume/geometry.ts';
import { obliqueGeometry, testUid } from './labelled-series.ts';
import { memoryFile } from './memory-file.ts';
import { encodePart10, type DicomAttributes } from './part10.ts';

/** An image on which every flip, transpose and shift shows: an oblique grid of unequal sizes and spacings, no two
 * voxels alike, one corner far from the rest. */
export interface Phantom {
  readonly geometry: VolumeGeometry;
  /** i fastest. */
  readonly voxels: Int16Array;
}

export function phantom(dimensions: readonly [number, number, number] = [7, 5, 4]): Phantom {
  const geometry = obliqueGeometry(dimensions);
  const voxels = Int16Array.from({ length: dimensions[0] * dimensions[1] * dimensions[2] }, (_, at) => 3 * at - 100);
  voxels[0] = 20_000;
  return { geometry, voxels };
}

/** The attributes of slice k as a scanner writes them: DS of at most 16 characters. */
export function sliceAttributes({ geometry, voxels }: Phantom, k: number): DicomAttributes {
  const { dimensions, direction, spacing } = geometry;
  const [columns, rows] = dimensions;
  const stored = voxels.slice(k * rows * columns, (k + 1) * rows * columns);
  return {
    SOPClassUID: '1.2.840.10008.5.1.4.1.1.4',
    SOPInstanceUID: testUid(100 + k),
    StudyInstanceUID: testUid(1),
    SeriesInstanceUID: testUid(2),
    FrameOfReferenceUID: geometry.frameOfReferenceUID,
    Modality: 'MR',
    ImagePositionPatient: indexToWorld(geometry, [0, 0, k]).map(ds),
    ImageOrientationPatient: [...direction[0], ...direction[1]].map(ds),
    PixelSpacing: [ds(spacing[1]), ds(spacing[0])],
    SliceThickness: '6',
    SamplesPerPixel: 1,
    PhotometricInterpretation: 'MONOCHROME2',
    Rows: rows,
    Columns: columns,
    BitsAllocated: 16,
    BitsStored: 16,
    HighBit: 15,
    PixelRepresentation: 1,
    PixelData: new Uint8Array(stored.buffer),
  };
}

/** The phantom as DICOM files, last slice first; `change` gives other or further attributes for slice k. */
export function dicomPhantom(
  source: Phantom = phantom(),
  change: (k: number) => DicomAttributes = () => ({}),
  options?: Parameters<typeof encodePart10>[1],
): SourceFile[] {
  return Array.from({ length: source.geometry.dimensions[2] }, (_, k) =>
    memoryFile(`slice-${k}.dcm`, encodePart10({ ...sliceAttributes(source, k), ...change(k) }, options)),
  ).reverse();
}

export interface NiftiOptions {
  readonly littleEndian?: boolean;
  readonly gzip?: boolean;
  /** Fields to overwrite after the header is made, by byte offset. */
  readonly change?: ((header: DataView, littleEndian: boolean) => void) | undefined;
  /** Voxel bytes in the file's byte order; the phantom's by default. */
  readonly content?: Uint8Array;
}

/** The phantom as a NIfTI-1 file with an sform. */
export function niftiPhantom(source: Phantom = phantom(), options: NiftiOptions = {}): SourceFile {
  const bytes = encodeNiftiPhantom(source, options);
  return options.gzip === true
    ? memoryFile('phantom.nii.gz', new Uint8Array(gzipSync(bytes)))
    : memoryFile('phantom.nii', bytes);
}

function encodeNiftiPhantom(
  { geometry, voxels }: Phantom,
  { littleEndian = true, change, content }: NiftiOptions,
): Uint8Array {
  const voxelBytes = content ?? int16Bytes(voxels, littleEndian);
  const bytes = new Uint8Array(352 + voxelBytes.length);
  bytes.set(voxelBytes, 352);
  const header = new DataView(bytes.buffer, 0, 352);
  header.setInt32(0, 348, littleEndian);
  [3, ...geometry.dimensions, 1, 1, 1, 1].forEach((size, n) => {
    header.setInt16(40 + 2 * n, size, littleEndian);
  });
  header.setInt16(70, 4, littleEndian); // datatype: int16
  header.setInt16(72, 16, littleEndian);
  [1, ...geometry.spacing].forEach((size, n) => {
    header.setFloat32(76 + 4 * n, size, littleEndian);
  });
  header.setFloat32(108, 352, littleEndian);
  header.setFloat32(112, 1, littleEndian);
  header.setUint8(123, 2); // mm
  header.setInt16(254, 1, littleEndian); // sform: scanner
  const lpsToRas = [-1, -1, 1] as const;
  lpsToRas.forEach((sign, x) => {
    const steps = geometry.direction.map((axis, n) => sign * (axis[x] ?? 0) * (geometry.spacing[n] ?? 0));
    [...steps, sign * (geometry.origin[x] ?? 0)].forEach((value, n) => {
      header.setFloat32(280 + 16 * x + 4 * n, value, littleEndian);
    });
  });
  bytes.set([0x6e, 0x2b, 0x31, 0], 344);
  change?.(header, littleEndian);
  return bytes;
}

function int16Bytes(voxels: Int16Array, littleEndian: boolean): Uint8Array {
  const bytes = new Uint8Array(2 * voxels.length);
  const view = new DataView(bytes.buffer);
  voxels.forEach((value, n) => {
    view.setInt16(2 * n, value, littleEndian);
  });
  return bytes;
}

function ds(value: number): string {
  return value.toFixed(9).slice(0, 16);
}
