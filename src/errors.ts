/** What went wrong, as a stable word for programs; the message is for people. */
export type ErrorCode =
  // input
  | 'no-images'
  | 'not-dicom'
  | 'not-nifti'
  | 'not-segmentation'
  | 'several-series'
  | 'several-volumes'
  | 'several-patients'
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
  | 'worker-silent'
  | 'node-too-old'
  | 'out-of-memory'
  | 'ohif-unavailable'
  | 'orthanc-unavailable'
  | 'port-unavailable'
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

/** What a caller can decide otherwise, by a word that every way in translates for itself: the command line has options of
 * these names; in code they are `seriesInstanceUID`, `phase`, `resample`, `limits`, `reference`, `overlap`, `force`,
 * `model`, `backend`, `segType`, `compress`; the panel has its buttons. */
export const REMEDY_OPTIONS = [
  'series',
  'phase',
  'resample',
  'limit',
  'reference',
  'overlap',
  'force',
  'model',
  'backend',
  'seg-type',
  'compress',
] as const;
export type RemedyOption = (typeof REMEDY_OPTIONS)[number];

/** The values behind a message, for programs; never patient data. */
export interface ErrorDetails {
  /** With which option the remedy is carried out, if with one. */
  readonly option?: RemedyOption;
  /** What it may be set to: all values, or of a limit its name. */
  readonly choices?: readonly (string | number)[];
  readonly [key: string]: unknown;
}

export interface ErrorOptionsWithRemedy {
  /** What the user can do, as an act in words that hold in every way in: "Choose one of the volumes." It names no option of
   * the command line; `details.option` does, as data. */
  readonly remedy: string;
  readonly details?: ErrorDetails;
  readonly cause?: unknown;
}

/** The one base of every error that Slicewise throws on purpose. Its message carries no patient data. */
export class SegmentationError extends Error {
  readonly code: ErrorCode;
  readonly remedy: string;
  readonly details: ErrorDetails;

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

/** An error as plain data, where it is one finding among others. */
export interface Problem extends Pick<ErrorDetails, 'option' | 'choices'> {
  readonly code: string;
  readonly message: string;
  readonly remedy: string;
}

export function problemOf({ code, message, remedy, details: { option, choices } }: SegmentationError): Problem {
  return { code, message, remedy, ...(option && { option }), ...(choices && { choices }) };
}
