import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join } from 'node:path';

/** What a browser asks of scripts, pages and WebAssembly. */
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.wasm': 'application/wasm',
};

export interface ServedFolder {
  /** Ends with a slash. */
  readonly url: string;
  /** Paths in the order they were asked for. */
  readonly requests: readonly string[];
  /** Answers for a path in place of the file. */
  readonly replaced: Map<string, Uint8Array>;
  close(): Promise<void>;
}

/** A folder's files over HTTP on the loopback interface. */
export async function serveFolder(folder: string): Promise<ServedFolder> {
  const requests: string[] = [];
  const replaced = new Map<string, Uint8Array>();
  const server = createServer((request, response) => {
    const path = decodeURIComponent(new URL(request.url ?? '/', 'http://localhost').pathname).slice(1);
    requests.push(path);
    Promise.resolve(replaced.get(path) ?? readFile(join(folder, path))).then(
      (bytes) => {
        const type = TYPES[extname(path)];
        if (type !== undefined) response.setHeader('Content-Type', type);
        response.end(bytes);
      },
      () => response.writeHead(404).end(),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('the server has no port');
  return {
    url: `http://127.0.0.1:${address.port}/`,
    requests,
    replaced,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
