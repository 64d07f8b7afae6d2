import { Writable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { createProgressBar } from '../../src/cli/print.ts';
import { standardStream } from '../../src/cli/standard-stream.ts';

function brokenStream(code: string): Writable {
  return new Writable({
    write(_chunk, _encoding, done) {
      done(Object.assign(new Error(code), { code }));
    },
  });
}

describe('a standard stream', () => {
  test.each(['EPIPE', 'ECONNRESET', 'EIO'])(
    'whose reader has gone (%s) takes what comes, and is no failure',
    async (code) => {
      const stream = standardStream(brokenStream(code), {});
      stream.write('a');
      await new Promise((resolve) => setImmediate(resolve));
      for (let n = 0; n < 100; n++) stream.write('b');
      expect(await stream.failure()).toBeUndefined();
    },
  );

  test.each(['ENOSPC', 'EDQUOT', 'EFBIG'])(
    'that cannot be written (%s) says so at the end, and throws nothing',
    async (code) => {
      const stream = standardStream(brokenStream(code), {});
      stream.write('a');
      expect(await stream.failure()).toMatchObject({ code });
    },
  );

  test('waits for what is still to be written', async () => {
    const written: string[] = [];
    const slow = new Writable({
      write(chunk, _encoding, done) {
        setTimeout(() => {
          written.push(String(chunk));
          done();
        }, 5);
      },
    });
    const stream = standardStream(slow, {});
    stream.write('a');
    stream.write('b');
    expect(await stream.failure()).toBeUndefined();
    expect(written.join('')).toBe('ab');
  });

  test.each([
    ['xterm-256color', true],
    [undefined, true],
    ['dumb', false],
  ])('of a terminal %s has a progress bar: %s', (terminal, hasBar) => {
    let written = '';
    const tty = { isTTY: true, columns: 80, on: () => undefined, write: (text: string) => (written += text) };
    const bar = createProgressBar(standardStream(tty, { terminal }));
    bar.update(1, 2);
    bar.clear();
    expect(written.includes('\u001B')).toBe(hasBar);
    expect(written === '').toBe(!hasBar);
  });
});
