import type { ErrorDetails } from '../errors.ts';
import type { VolumeGeometry } from './geometry.ts';

export type VoxelArray =
  Uint8Array | Int8Array | Uint16Array | Int16Array | Uint32Array | Int32Array | Float32Array | Float64Array;

/** An image volume. Voxels are modality values (after rescale), i fastest, then j, then k. */
export interface Volume {
  readonly geometry: VolumeGeometry;
  readonly voxels: VoxelArray;
  /** DICOM Modality (0008,0060); undefined where the file does not say (NIfTI). */
  readonly modality?: string;
  /** DICOM Body Part Examined (0018,0015) as stored; undefined where absent or empty. */
  readonly bodyPartExamined?: string;
  /** DICOM Rescale Type (0028,1054): HU for CT. */
  readonly rescaleType?: string;
  /** What a DICOM-SEG refers to; undefined for NIfTI. */
  readonly source?: SourceSeries;
  /** How a NIfTI file places these voxels; undefined where they are not in the file's order, or interpolated. */
  readonly niftiSpace?: NiftiSpace;
}

/** What a NIfTI header says of its grid, as stored: RAS, its own units, whatever the codes say of it. A labelmap of the
 * image carries it unchanged: programs differ in which of the forms they take. */
export interface NiftiSpace {
  /** pixdim[0] (qfac) to pixdim[3]. */
  readonly pixdim: readonly number[];
  readonly qformCode: number;
  readonly sformCode: number;
  /** quatern_b, _c, _d, qoffset_x, _y, _z. */
  readonly qform: readonly number[];
  /** srow_x, srow_y, srow_z, four numbers each. */
  readonly sform: readonly number[];
  /** xyzt_units. */
  readonly units: number;
}

/** One source image instance; a single-frame instance is one slice. */
export interface SourceInstance {
  readonly sopClassUID: string;
  readonly sopInstanceUID: string;
  /** 1-based frame of a multi-frame instance; absent for single-frame ones. */
  readonly frameNumber?: number;
  /** The slice k of the volume that this instance gave. */
  readonly sliceIndex: number;
  /** Image Position (Patient) as the file's own DS strings: a SEG copies them digit by digit. */
  readonly imagePositionPatient: readonly [string, string, string];
}

/** The DICOM series behind a volume: identity, references and what a derived object copies. */
export interface SourceSeries {
  readonly studyInstanceUID: string;
  readonly seriesInstanceUID: string;
  /** The first slice's; slices of one series may differ (then the reader has warned). */
  readonly frameOfReferenceUID?: string;
  /** By increasing sliceIndex. */
  readonly instances: readonly SourceInstance[];
  /** Image Orientation (Patient) and Pixel Spacing (row, column) as the first slice's own DS strings. */
  readonly imageOrientationPatient: readonly [string, string, string, string, string, string];
  readonly pixelSpacing: readonly [string, string];
  /** Patient, study and frame-of-reference attributes by DICOM keyword, decoded to Unicode; absent ones are missing. */
  readonly attributes: Readonly<Partial<Record<CopiedAttribute, string>>>;
  /** Lossy Image Compression (0028,2110) of any slice. */
  readonly lossyImageCompression: boolean;
  /** Lossy Image Compression Ratio (0028,2112) and Method (0028,2114), one for each time the images were compressed. */
  readonly lossyImageCompressionRatio?: readonly string[];
  readonly lossyImageCompressionMethod?: readonly string[];
  /** The size of the images, where the volume was interpolated between them (unequal gaps, a tilted gantry): its slices
   * are none of theirs, and a labelmap goes through `labelmapOnSourceSlices` before it refers to them. */
  readonly interpolated?: { readonly columns: number; readonly rows: number };
}

/** What a SEG copies from its source (PS3.3 C.7.1.1, C.7.2.1, C.7.2.2, C.7.4.1). */
export type CopiedAttribute =
  | 'PatientName'
  | 'PatientID'
  | 'IssuerOfPatientID'
  | 'PatientBirthDate'
  | 'PatientSex'
  | 'PatientAge'
  | 'PatientSize'
  | 'PatientWeight'
  | 'StudyDate'
  | 'StudyTime'
  | 'StudyID'
  | 'StudyDescription'
  | 'AccessionNumber'
  | 'ReferringPhysicianName'
  | 'PositionReferenceIndicator';

/** Something a user should know that does not stop the work. Never patient data. */
export interface Notice extends Pick<ErrorDetails, 'option' | 'choices'> {
  readonly code: string;
  readonly message: string;
}

/** Slice k of a volume or labelmap as a view, not a copy: dimensions[0] · dimensions[1] voxels. */
export function sliceView<T extends VoxelArray>(voxels: T, { dimensions }: VolumeGeometry, k: number): T {
  const size = dimensions[0] * dimensions[1];
  return voxels.subarray(k * size, (k + 1) * size) as T;
}
