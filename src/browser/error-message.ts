import {
  EnvironmentError,
  InputError,
  InternalError,
  IrregularSlicesError,
  isSegmentationError,
  ModelError,
  SegmentationError,
  type ErrorCode,
  type ErrorDetails,
} from '../errors.ts';

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
