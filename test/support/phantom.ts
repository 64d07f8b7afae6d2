import { gzipSync } from 'node:zlib';
import type { SourceFile } from '../../src/io/reader.ts';
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

/** The phantom as one enhanced multi-frame file, last slice first.
 * @param volumes copies of it, told apart by their temporal position; values of volume n are n larger
 * @param change further attributes of the whole image */
export function enhancedPhantom(
  source: Phantom = phantom(),
  {
    volumes = 1,
    change = {},
    options,
  }: { volumes?: number; change?: DicomAttributes; options?: Parameters<typeof encodePart10>[1] } = {},
): SourceFile {
  const { dimensions } = source.geometry;
  const sliceSize = dimensions[0] * dimensions[1];
  const frames = Array.from({ length: volumes * dimensions[2] }, (_, n) => ({
    k: dimensions[2] - 1 - (n % dimensions[2]),
    volume: Math.floor(n / dimensions[2]),
  }));
  const pixels = Int16Array.from({ length: frames.length * sliceSize }, (_, at) => {
    const { k, volume } = frames[Math.floor(at / sliceSize)] ?? { k: 0, volume: 0 };
    return (source.voxels[k * sliceSize + (at % sliceSize)] ?? 0) + volume;
  });
  const slice = sliceAttributes(source, 0);
  const { ImageOrientationPatient, PixelSpacing, SliceThickness } = slice;
  const attributes: DicomAttributes = {
    ...slice,
    ImagePositionPatient: undefined,
    ImageOrientationPatient: undefined,
    PixelSpacing: undefined,
    SliceThickness: undefined,
    SOPClassUID: '1.2.840.10008.5.1.4.1.1.4.1',
    NumberOfFrames: String(frames.length),
    SharedFunctionalGroupsSequence: [
      {
        PixelMeasuresSequence: [{ PixelSpacing, SliceThickness }],
        PlaneOrientationSequence: [{ ImageOrientationPatient }],
      },
    ],
    PerFrameFunctionalGroupsSequence: frames.map(({ k, volume }) => ({
      PlanePositionSequence: [{ ImagePositionPatient: sliceAttributes(source, k).ImagePositionPatient }],
      FrameContentSequence: [{ StackID: '1', TemporalPositionIndex: volume + 1 }],
    })),
    PixelData: new Uint8Array(pixels.buffer),
    ...change,
  };
  return memoryFile('enhanced.dcm', encodePart10(attributes, options));
}

export interface NiftiOptions {
  readonly version?: 1 | 2;
  readonly littleEndian?: boolean;
  readonly gzip?: boolean;
  /** Fields to overwrite after the header is made, by byte offset. */
  readonly change?: ((header: DataView, littleEndian: boolean) => void) | undefined;
  /** Voxel bytes in the file's byte order; the phantom's by default. */
  readonly content?: Uint8Array;
}

/** The phantom as a NIfTI file with an sform. */
export function niftiPhantom(source: Phantom = phantom(), options: NiftiOptions = {}): SourceFile {
  const bytes = encodeNiftiPhantom(source, options);
  return options.gzip === true
    ? memoryFile('phantom.nii.gz', new Uint8Array(gzipSync(bytes)))
    : memoryFile('phantom.nii', bytes);
}

/** The phantom as .img and .hdr. */
export function niftiPairPhantom(source: Phantom = phantom(), options: NiftiOptions = {}): SourceFile[] {
  const { version = 1 } = options;
  const bytes = encodeNiftiPhantom(source, options);
  const headerLength = version === 1 ? 348 : 540;
  const header = bytes.slice(0, headerLength);
  header[version === 1 ? 345 : 5] = 0x69; // ni1, ni2
  const view = new DataView(header.buffer);
  if (version === 1) view.setFloat32(108, 0, options.littleEndian !== false);
  else view.setBigInt64(168, 0n, options.littleEndian !== false);
  const file = (name: string, content: Uint8Array): SourceFile =>
    options.gzip === true ? memoryFile(`${name}.gz`, new Uint8Array(gzipSync(content))) : memoryFile(name, content);
  return [file('phantom.img', bytes.slice(headerLength + 4)), file('phantom.hdr', header)];
}

function encodeNiftiPhantom(source: Phantom, options: NiftiOptions): Uint8Array {
  return options.version === 2 ? encodeNifti2Phantom(source, options) : encodeNifti1Phantom(source, options);
}

function encodeNifti2Phantom(
  { geometry, voxels }: Phantom,
  { littleEndian = true, change, content }: NiftiOptions,
): Uint8Array {
  const voxelBytes = content ?? int16Bytes(voxels, littleEndian);
  const bytes = new Uint8Array(544 + voxelBytes.length);
  bytes.set(voxelBytes, 544);
  const header = new DataView(bytes.buffer, 0, 544);
  header.setInt32(0, 540, littleEndian);
  bytes.set([0x6e, 0x2b, 0x32, 0, 0x0d, 0x0a, 0x1a, 0x0a], 4);
  header.setInt16(12, 4, littleEndian); // datatype: int16
  header.setInt16(14, 16, littleEndian);
  [3, ...geometry.dimensions, 1, 1, 1, 1].forEach((size, n) => {
    header.setBigInt64(16 + 8 * n, BigInt(size), littleEndian);
  });
  [1, ...geometry.spacing].forEach((size, n) => {
    header.setFloat64(104 + 8 * n, size, littleEndian);
  });
  header.setBigInt64(168, 544n, littleEndian);
  header.setFloat64(176, 1, littleEndian);
  header.setInt32(348, 1, littleEndian); // sform: scanner
  header.setInt32(500, 2, littleEndian); // mm
  sformRows(geometry).forEach((row, x) => {
    row.forEach((value, n) => {
      header.setFloat64(400 + 32 * x + 8 * n, value, littleEndian);
    });
  });
  change?.(header, littleEndian);
  return bytes;
}

/** LPS to RAS. */
function sformRows({ direction, spacing, origin }: VolumeGeometry): number[][] {
  return ([-1, -1, 1] as const).map((sign, x) => {
    const steps = direction.map((axis, n) => sign * (axis[x] ?? 0) * (spacing[n] ?? 0));
    return [...steps, sign * (origin[x] ?? 0)];
  });
}

function encodeNifti1Phantom(
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
  sformRows(geometry).forEach((row, x) => {
    row.forEach((value, n) => {
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
