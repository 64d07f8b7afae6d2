import { describe, expect, test } from 'vitest';
import { createNotices } from '../../../extension/ohif/notices.ts';
import { createCell } from '../../../extension/ohif/observable.ts';
import { emptyState } from '../../../extension/ohif/state.ts';
import { EnvironmentError, ModelError } from '../../../src/index.ts';

function setUp() {
  const state = createCell(emptyState);
  return { state, notices: createNotices(state), messages: () => state.get().notices.map(({ message }) => message) };
}

describe('createNotices', () => {
  test('the newest is on top, and the same message stands there once', () => {
    const { notices, messages } = setUp();
    notices.show('warning', { code: 'a', message: 'First.' });
    notices.show('warning', { code: 'b', message: 'Second.' });
    notices.show('warning', { code: 'a', message: 'First.' });
    expect(messages()).toEqual(['First.', 'Second.']);
  });

  test('an error of ours comes with its remedy', () => {
    const { state, notices } = setUp();
    notices.showError(new EnvironmentError('file-not-found', 'It is not there.', { remedy: 'Put it there.' }));
    expect(state.get().notices).toMatchObject([
      { severity: 'error', message: 'It is not there.', remedy: 'Put it there.' },
    ]);
  });

  test('where an option carries the remedy out, the panel says where it is found there', () => {
    const { state, notices } = setUp();
    const details = { option: 'force' } as const;
    notices.showError(new ModelError('model-mismatch', 'It is not for it.', { remedy: 'Go on.', details }));
    notices.show('warning', { code: 'a', message: 'Several.', option: 'series', choices: ['1.2', '1.3'] });
    expect(state.get().notices.map(({ remedy }) => remedy)).toEqual([
      'Show one of the series in the viewport.',
      'Go on. The button "Run anyway" does so.',
    ]);
  });

  test('what others wrote in a message is shown, not obeyed', () => {
    const { state, notices } = setUp();
    notices.show('error', { code: 'a', message: 'Node a\u202eb\n is odd.', remedy: 'Use\u200b it.' });
    expect(state.get().notices).toMatchObject([{ message: 'Node a\\u202eb\\n is odd.', remedy: 'Use\\u200b it.' }]);
  });

  test.each([new TypeError('x is not a function'), 'thrown text'])(
    'an unexpected error is told, not swallowed: %s',
    (thrown) => {
      const { notices, messages } = setUp();
      notices.showError(thrown);
      expect(messages()).toEqual([expect.stringContaining(thrown instanceof Error ? thrown.message : thrown)]);
    },
  );

  test('a dismissed one is gone, the others stay', () => {
    const { state, notices, messages } = setUp();
    notices.show('info', { code: 'a', message: 'First.' });
    notices.show('info', { code: 'b', message: 'Second.' });
    notices.dismiss(state.get().notices[0]?.id ?? -1);
    expect(messages()).toEqual(['First.']);
  });
});
