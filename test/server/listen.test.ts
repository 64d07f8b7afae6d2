import { once } from 'node:events';
import { createServer } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { hasNeighbour, listenOnLoopback } from '../../server/listen.ts';
import { ask } from './served.ts';

/** Takes a port as another program does.
 * @returns the port */
async function taken(host: string): Promise<number> {
  const server = createServer().listen(0, host);
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('the server has no port');
  return address.port;
}

test.each(['127.0.0.1', '0.0.0.0', '::'])('a port that is taken at %s is an error that names it', async (host) => {
  const port = await taken(host);
  await expect(listenOnLoopback(port)).rejects.toMatchObject({
    code: 'port-unavailable',
    message: `Port ${port} is in use by another program.`,
    remedy: expect.stringContaining('--port 0') as string,
  });
});

test('whoever comes before there is an answer is told to wait', async () => {
  const { server, port, url, answerWith } = await listenOnLoopback(0);
  onTestFinished(() => void server.close());
  expect(url).toBe(`http://127.0.0.1:${port}`);
  const early = await ask(port, '/');
  expect([early.status, early.headers['retry-after']]).toEqual([503, '2']);
  answerWith((_, response) => response.end('here'));
  expect((await ask(port, '/')).body.toString()).toBe('here');
});

test('a neighbour on [::1] is noticed', async () => {
  const port = await taken('::1');
  expect(await hasNeighbour(port)).toBe(true);
  const { server, port: free } = await listenOnLoopback(0);
  onTestFinished(() => void server.close());
  expect(await hasNeighbour(free)).toBe(false);
});
