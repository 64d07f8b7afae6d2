/** What went wrong, as a stable word for programs; the message is for people. */
export type ErrorCode =
  // input
  | 'no-images'
  | 'not-dicom'
  | 'not-nifti'
  | 'not-segmentation'
  | 'several-series'
  | 'several-volumes'
  | 'series-not-found'
  | 'phase-not-found'
  | 'unsupported-transfer-syntax'
  | 'unsupported-image'
  | 'unsupported-segmentation'
  | 'unsupported-nifti'
  | 'missing-attribute'
  | 'invalid-attribute'
  | 'no-pixel-data'
  | 'damaged-file'
  | 'limit-exceeded'
  | 'duplicate-slices'
  | 'mixed-orientations'
  | 'mixed-images'
  | 'irregular-slices'
  | 'gantry-tilt'
  | 'invalid-geometry'
  | 'invalid-voxels'
  | 'geometry-mismatch'
  | 'source-without-identity'
  | 'source-not-dicom'
  // model
  | 'invalid-manifest'
  | 'model-not-found'
  | 'model-file-mismatch'
  | 'model-mismatch'
  // environment
  | 'backend-unavailable'
  | 'insecure-page'
  | 'ohif-unavailable'
  | 'orthanc-unavailable'
  | 'file-not-found'
  | 'file-not-readable'
  | 'file-not-writable'
  | 'invalid-arguments'
  | 'pacs-unavailable'
  | 'pacs-unreachable'
  | 'pacs-refused'
  | 'not-stored'
  // ours
  | 'inference-failed'
  | 'verification-failed'
  | 'internal';

export interface ErrorOptionsWithRemedy {
  /** What the user can do, as an act: "Load the complete series." */
  readonly remedy: string;
  /** The values behind the message, for programs; never patient data. */
  readonly details?: Readonly<Record<string, unknown>>;
  readonly cause?: unknown;
}

/** The one base of every error that Slicewise throws on purpose. Its message carries no patient data. */
export class SegmentationError extends Error {
  readonly code: ErrorCode;
  readonly remedy: string;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, message: string, options: ErrorOptionsWithRemedy) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.code = code;
    this.remedy = options.remedy;
    this.details = options.details ?? {};
  }
}

/** The data, the arguments or the model that were given cannot be used as they are (CLI exit code 2). */
export class InputError extends SegmentationError {}

/** The slices of a series do not form one regular grid. */
export class IrregularSlicesError extends InputError {}

/** A model folder or its manifest is wrong, or the model does not fit the series (CLI exit code 2). */
export class ModelError extends InputError {}

/** The machine lacks something: a native backend, a writable folder (CLI exit code 3). */
export class EnvironmentError extends SegmentationError {}

/** Our own check of our own work failed: please report it (CLI exit code 1). */
export class InternalError extends SegmentationError {}

export function isSegmentationError(value: unknown): value is SegmentationError {
  return value instanceof SegmentationError;
}
