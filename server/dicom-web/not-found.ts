import { isSegmentationError } from '../../src/index.ts';
import { HttpError } from '../http-error.ts';
import { FileGoneError } from './object-file.ts';

/** What cannot be given is not there for a client, and the reason is said. */
export async function orNotFound<T>(reading: Promise<T>): Promise<T> {
  try {
    return await reading;
  } catch (error) {
    throw notFound(error);
  }
}

/** @returns HttpError 404 for what is wrong with a file; any other error as it is */
export function notFound(error: unknown): unknown {
  if (isSegmentationError(error)) return new HttpError(404, `This cannot be given: ${error.message}`);
  if (error instanceof FileGoneError || (error instanceof Error && 'code' in error && 'syscall' in error))
    return gone();
  return error;
}

export function gone(): HttpError {
  return new HttpError(404, 'The file is not there any more, or cannot be read.');
}
