import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { connect } from 'node:net';
import { EnvironmentError } from '../src/index.ts';

/** The one address that is listened on. A name would do: `localhost` may lead to another program on [::1]. */
const HOST = '127.0.0.1';

export interface ListeningServer {
  readonly server: Server;
  readonly port: number;
  /** Without a slash at its end. */
  readonly url: string;
  /** Until this is called, every request is told to wait. */
  readonly answerWith: (listener: RequestListener) => void;
}

/** Takes a port of this computer, before anything else takes time.
 * @param port 0 for a free one
 * @throws EnvironmentError `port-unavailable` */
export async function listenOnLoopback(port: number): Promise<ListeningServer> {
  const server = createServer();
  server.on('request', tellToWait);
  try {
    server.listen(port, HOST);
    await once(server, 'listening');
  } catch (cause) {
    throw new EnvironmentError('port-unavailable', `Port ${port} ${reasonOf(cause)}.`, {
      remedy: 'Pass another: npm start -- --port 0 takes a free one.',
      details: { port },
      cause,
    });
  }
  const address = server.address();
  const taken = typeof address === 'object' && address !== null ? address.port : port;
  return {
    server,
    port: taken,
    url: `http://${HOST}:${taken}`,
    answerWith(listener) {
      server.off('request', tellToWait);
      server.on('request', listener);
    },
  };
}

/** Whether another program listens on the same port of [::1], where a browser may look first for `localhost`. */
export function hasNeighbour(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '::1', timeout: 500 });
    const end = (found: boolean) => (): void => {
      socket.destroy();
      resolve(found);
    };
    socket.on('connect', end(true)).on('error', end(false)).on('timeout', end(false));
  });
}

const tellToWait: RequestListener = (_, response) => {
  response
    .writeHead(503, { 'Content-Type': 'text/plain; charset=utf-8', 'Cache-Control': 'no-store', 'Retry-After': '2' })
    .end('Slicewise starts. Load this page again in a moment.\n');
};

function reasonOf(cause: unknown): string {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  if (code === 'EADDRINUSE') return 'is in use by another program';
  if (code === 'EACCES') return 'is not for programs of users';
  return `cannot be listened on: ${cause instanceof Error ? cause.message : String(cause)}`;
}
