import { createServer, get, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { jsonRows, send } from '../../server/dicom-web/answer.ts';
import { createTurns } from '../../server/dicom-web/turns.ts';

describe('rows of JSON that are read while they are sent', () => {
  let rowBytes = 0;
  let rowsRead = 0;
  let isClosed = false;
  const count = 100;
  const server = createServer((_, response) => {
    async function* rows(): AsyncGenerator<string, void> {
      try {
        for (let n = 0; n < count; n++) {
          rowsRead++;
          yield await Promise.resolve(JSON.stringify({ n, pad: 'x'.repeat(rowBytes) }));
        }
      } finally {
        isClosed = true;
      }
    }
    void jsonRows(rows(), 'application/json', () => [`${rowsRead} read`])
      .then((answer) => answer && send(response, answer))
      .catch(() => response.destroy());
  });

  beforeEach(async () => {
    [rowsRead, isClosed] = [0, false];
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterEach(() => new Promise((resolve) => server.close(resolve)));

  const ask = (): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => {
      get({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', agent: false }, resolve).on(
        'error',
        reject,
      );
    });

  test('a short answer has its length and its warnings at its head', async () => {
    rowBytes = 10;
    const response = await ask();
    expect(response.headers).toMatchObject({ warning: '299 Slicewise "100 read"' });
    const body = await text(response);
    expect(response.headers['content-length']).toBe(String(body.length));
    expect(JSON.parse(body)).toHaveLength(count);
  });

  test('a long one is read as it is taken; its warnings follow', async () => {
    rowBytes = 300_000;
    const response = await ask();
    expect(response.headers).toMatchObject({ trailer: 'Warning' });
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(rowsRead).toBeLessThan(count);
    expect(JSON.parse(await text(response))).toHaveLength(count);
    expect(response.trailers).toEqual({ warning: '299 Slicewise "100 read"' });
  });

  test('of a client that goes away nothing more is read', async () => {
    rowBytes = 300_000;
    const response = await ask();
    response.destroy();
    await expect.poll(() => isClosed).toBe(true);
    expect(rowsRead).toBeLessThan(count);
  });
});

test('no row is no answer', async () => {
  const none = (async function* (): AsyncGenerator<string, void> {
    await Promise.resolve();
    yield* [];
  })();
  expect(await jsonRows(none, 'application/json', () => [])).toBeUndefined();
});

test('tasks take turns in their order; one too many is told to come back', async () => {
  const inTurn = createTurns(2, 3);
  const [begun, ends]: [number[], (() => void)[]] = [[], []];
  const task = (n: number) => () =>
    new Promise<number>((resolve) => {
      begun.push(n);
      ends.push(() => {
        resolve(n);
      });
    });
  const results = [0, 1, 2, 3, 4].map((n) => inTurn(task(n)));
  await expect(inTurn(task(5))).rejects.toMatchObject({ status: 503, headers: { 'Retry-After': '2' } });
  expect(begun).toEqual([0, 1]);
  for (let n = 0; n < 5; n++) {
    await expect.poll(() => ends.length).toBeGreaterThan(n);
    ends[n]?.();
  }
  expect(await Promise.all(results)).toEqual([0, 1, 2, 3, 4]);
  expect(begun).toEqual([0, 1, 2, 3, 4]);
});

test('a task that fails gives its turn away', async () => {
  const inTurn = createTurns(1, 1);
  await expect(inTurn(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(await inTurn(() => Promise.resolve(1))).toBe(1);
});

test('a task that comes when another ends does not overtake the one that waits, and never run more than may', async () => {
  const inTurn = createTurns(1, 10);
  const order: string[] = [];
  let [running, most] = [0, 0];
  const task = (name: string) => async () => {
    order.push(name);
    most = Math.max(most, ++running);
    await Promise.resolve();
    running--;
  };
  const first = inTurn(task('first'));
  const second = inTurn(task('second'));
  // Asks as soon as the first has ended, before the second has gone on.
  const third = first.then(() => inTurn(task('third')));
  await Promise.all([second, third]);
  expect([order, most]).toEqual([['first', 'second', 'third'], 1]);
});
