import type { ModelManifest } from '../models/manifest.ts';
import type { DecodedSlice, SliceSegmentation } from '../pipeline/segment-slices.ts';
import type { FinishedVolume } from '../pipeline/postprocess.ts';
import type { Volume, VoxelArray } from '../volume/volume.ts';
import type { VolumeGeometry } from '../volume/geometry.ts';
import type { BackendId, DeviceReport } from './device-report.ts';
import {
  EnvironmentError,
  type ErrorCode,
  type ErrorDetails,
  InputError,
  InternalError,
  IrregularSlicesError,
  isSegmentationError,
  ModelError,
  SegmentationError,
} from '../errors.ts';

// What the page and its worker say to each other. One job at a time; every answer names its job.

/** Asks of the page. `open`, `segment`, `finish` and `close` are jobs; a job ends with one {@link FinalReply}. */
export type Request =
  | ({ readonly kind: 'open' } & OpenRequest)
  | { readonly kind: 'voxels'; readonly offset: number; readonly length: number; readonly chunk: VoxelArray }
  | ({ readonly kind: 'segment' } & SegmentRequest)
  | ({ readonly kind: 'finish' } & FinishRequest)
  | { readonly kind: 'close'; readonly session: number }
  | { readonly kind: 'cancel' };

export interface OpenRequest {
  /** The page's name for the session to be. */
  readonly session: number;
  /** Ends with a slash. */
  readonly folderUrl: string;
  /** Of a session that is opened again: the model must still be the same. */
  readonly manifest?: ModelManifest;
  readonly backend: BackendId;
  readonly allowSoftwareAdapter: boolean;
}

export interface SegmentRequest {
  readonly session: number;
  /** Without voxels if they were sent before in `voxels` messages; never with patient data. */
  readonly volume: Pick<Volume, 'geometry' | 'modality' | 'bodyPartExamined'> & { readonly voxels?: VoxelArray };
  readonly order?: readonly number[];
  readonly tta: boolean;
  readonly force: boolean;
  readonly keepProbabilities: boolean;
}

interface FinishRequest {
  readonly manifest: ModelManifest;
  readonly geometry: VolumeGeometry;
  readonly labels: Uint8Array | Uint16Array;
  readonly uncertainty: Uint8Array;
  readonly order: readonly number[];
  readonly sliceCount: number;
}

export type SegmentPlan = Omit<SliceSegmentation, 'slices'>;

/** Answers of the worker. */
export type Reply =
  | { readonly kind: 'alive' }
  | { readonly kind: 'loading'; readonly loadedBytes: number; readonly totalBytes: number }
  | { readonly kind: 'planned'; readonly plan: SegmentPlan }
  | { readonly kind: 'slice'; readonly slice: DecodedSlice }
  | FinalReply;

export type FinalReply =
  | { readonly kind: 'opened'; readonly manifest: ModelManifest; readonly device: DeviceReport }
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'segmented' }
  | ({ readonly kind: 'finished' } & FinishedVolume)
  | { readonly kind: 'closed' }
  | { readonly kind: 'cancelled' }
  | { readonly kind: 'failed'; readonly error: ErrorMessage };

/** A message with the number of the job it belongs to. */
export type OfJob<Message> = Message & { readonly job: number };

/** @throws TypeError if the value is no message of the worker */
export function parseReply(value: unknown): OfJob<Reply> {
  return parseMessage(value, REPLIES) as OfJob<Reply>; // every field that is used was looked at
}

/** @throws TypeError if the value is no message of the page */
export function parseRequest(value: unknown): OfJob<Request> {
  return parseMessage(value, REQUESTS) as OfJob<Request>;
}

type Check = (value: unknown) => boolean;
type Shapes = Readonly<Record<string, Readonly<Record<string, Check>>>>;

const isNumber: Check = (value) => typeof value === 'number';
const isString: Check = (value) => typeof value === 'string';
const isBoolean: Check = (value) => typeof value === 'boolean';
const isObject: Check = (value) => typeof value === 'object' && value !== null;
const isVoxels: Check = (value) => ArrayBuffer.isView(value) && !(value instanceof DataView);
const isNumbers: Check = (value) => Array.isArray(value) && value.every(isNumber);
const isLabels: Check = (value) => value instanceof Uint8Array || value instanceof Uint16Array;
const isBytes: Check = (value) => value instanceof Uint8Array;
const optional =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value);
const shaped =
  (shape: Readonly<Record<string, Check>>): Check =>
  (value) =>
    typeof value === 'object' &&
    value !== null &&
    Object.entries(shape).every(([key, check]) => check(Reflect.get(value, key)));

// A manifest was checked by its schema in the worker, a plan by the pipeline: here only that they are there.
const REPLIES: Shapes = {
  alive: {},
  loading: { loadedBytes: isNumber, totalBytes: isNumber },
  planned: {
    plan: shaped({
      sliceAxis: isNumber,
      sliceCount: isNumber,
      order: isNumbers,
      viewsPerSlice: isNumber,
      runsPerSlice: isNumber,
      warnings: Array.isArray,
    }),
  },
  slice: {
    slice: shaped({
      index: isNumber,
      labels: isLabels,
      uncertainty: isBytes,
      probabilities: optional(isBytes),
      backendId: isString,
      durationMs: isNumber,
    }),
  },
  opened: {
    manifest: shaped({ id: isString, file: isObject, segments: Array.isArray }),
    device: shaped({ backendId: isString, threads: isNumber, msPerSlice: isNumber }),
  },
  refused: { reason: isString },
  segmented: {},
  finished: {
    perSlice: (value) => value instanceof Float32Array,
    notices: Array.isArray,
    labels: isLabels,
    uncertainty: isBytes,
  },
  closed: {},
  cancelled: {},
  failed: { error: shaped({ name: isString, message: isString }) },
};

const REQUESTS: Shapes = {
  open: {
    session: isNumber,
    folderUrl: isString,
    manifest: optional(isObject),
    backend: isString,
    allowSoftwareAdapter: isBoolean,
  },
  voxels: { offset: isNumber, length: isNumber, chunk: isVoxels },
  segment: {
    session: isNumber,
    volume: shaped({ geometry: isObject, voxels: optional(isVoxels) }),
    order: optional(isNumbers),
    tta: isBoolean,
    force: isBoolean,
    keepProbabilities: isBoolean,
  },
  finish: {
    manifest: isObject,
    geometry: isObject,
    labels: isLabels,
    uncertainty: isBytes,
    order: isNumbers,
    sliceCount: isNumber,
  },
  close: { session: isNumber },
  cancel: {},
};

function parseMessage(value: unknown, shapes: Shapes): unknown {
  const kind: unknown = typeof value === 'object' && value !== null ? Reflect.get(value, 'kind') : undefined;
  const shape = typeof kind === 'string' && Object.hasOwn(shapes, kind) ? shapes[kind] : undefined;
  if (!shape || !shaped({ ...shape, job: isNumber })(value)) {
    throw new TypeError(`not a message of this protocol: ${String(kind)}`);
  }
  return value;
}

/** An error as a message between a page and its worker: structured clones lose classes and own properties. */
export interface ErrorMessage {
  readonly name: string;
  readonly message: string;
  readonly stack?: string;
  /** Of a SegmentationError. */
  readonly code?: ErrorCode;
  readonly remedy?: string;
  readonly details?: ErrorDetails;
}

const CLASSES = { InputError, IrregularSlicesError, ModelError, EnvironmentError, InternalError, SegmentationError };

export function toErrorMessage(error: unknown): ErrorMessage {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error) };
  const { name, message, stack } = error;
  const plain = { name, message, ...(stack !== undefined && { stack }) };
  if (!isSegmentationError(error)) return plain;
  return { ...plain, code: error.code, remedy: error.remedy, details: error.details };
}

/** The same error on the other side; of foreign errors name and message. */
export function fromErrorMessage({ name, message, stack, code, remedy, details }: ErrorMessage): Error {
  if (code === undefined || remedy === undefined) {
    const error = name === 'AbortError' ? new DOMException(message, name) : new Error(message);
    if (!(error instanceof DOMException)) {
      error.name = name;
      if (stack !== undefined) error.stack = stack;
    }
    return error;
  }
  const ErrorClass = name in CLASSES ? CLASSES[name as keyof typeof CLASSES] : SegmentationError;
  return new ErrorClass(code, message, { remedy, ...(details && { details }) });
}

/** A worker that has not said a word by then will not: its file is empty, is no script, or is blocked. */
const FIRST_WORD_MS = 9_000;

/** Waits for a worker's first word. Time is counted in checks, not read from a clock: a computer that slept is not a worker
 * that did.
 * @returns ends the wait */
export function watchForFirstWord(onSilence: () => void): () => void {
  let checks = 0;
  const timer = setInterval(() => {
    if (++checks === FIRST_WORD_CHECKS) onSilence();
  }, FIRST_WORD_MS / FIRST_WORD_CHECKS);
  return () => {
    clearInterval(timer);
  };
}

const FIRST_WORD_CHECKS = 10;

/** @param reason what the browser said, if it said something */
export function workerSilent(reason: string | undefined): EnvironmentError {
  const why = reason ?? `it did not answer within ${FIRST_WORD_MS / 1000} s`;
  return new EnvironmentError('worker-silent', `The worker's script does not run: ${why}.`, {
    remedy:
      "Serve the file of the worker beside the script that starts it, whole, as text/javascript, and allow it by worker-src in the page's Content-Security-Policy; the network tab of the browser shows what came. On a slow line try again.",
    details: { reason: why },
  });
}
