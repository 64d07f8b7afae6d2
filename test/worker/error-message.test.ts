import { expect, test } from 'vitest';
import {
  EnvironmentError,
  InputError,
  InternalError,
  IrregularSlicesError,
  ModelError,
  SegmentationError,
} from '../../src/errors.ts';
import { fromErrorMessage, toErrorMessage } from '../../src/browser/protocol.ts';

function sent(error: unknown): Error {
  return fromErrorMessage(structuredClone(toErrorMessage(error)));
}

test.each([InputError, IrregularSlicesError, ModelError, EnvironmentError, InternalError, SegmentationError])(
  '%o keeps class, code, message, remedy and details on its way between a page and its worker',
  (ErrorClass) => {
    const error = new ErrorClass('irregular-slices', 'Slices 1 and 2 are 7 mm apart.', {
      remedy: 'Load the complete series.',
      details: { gapsMm: [2, 7] },
      cause: new Error('not sent'),
    });
    const arrived = sent(error);
    expect(arrived).toBeInstanceOf(ErrorClass);
    expect(arrived.constructor).toBe(ErrorClass);
    const { code, message, remedy, details } = error;
    expect(arrived).toMatchObject({ code, message, remedy, details });
  },
);

test('an abort stays an abort', () => {
  const arrived = sent(new DOMException('Cancelled.', 'AbortError'));
  expect(arrived).toBeInstanceOf(DOMException);
  expect(arrived).toMatchObject({ name: 'AbortError', message: 'Cancelled.' });
});

test('of any other error, name, message and stack arrive; of a thrown value its text', () => {
  const error = new TypeError('x is not a function');
  expect(sent(error)).toMatchObject({ name: 'TypeError', message: error.message, stack: error.stack });
  expect(sent('a string')).toMatchObject({ name: 'Error', message: 'a string' });
});
