import { ModelError } from '../errors.ts';
import { isFile, MANIFEST_BYTES, type ReadModelFile } from '../models/load-model.ts';

/** What a browser keeps of models, by URL: each file under the hash that its manifest names. */
export interface ModelCache {
  get(url: string): Promise<Uint8Array | undefined>;
  /** Keeps bytes. Where there is no room they are not kept. */
  put(url: string, bytes: Uint8Array): Promise<void>;
  /** Forgets everything under an address, whatever follows its question mark. */
  forget(url: string): Promise<void>;
}

const CACHE_NAME = 'slicewise-models';

/** The browser's Cache; one that keeps nothing where there is none (private windows of some browsers). */
export async function openModelCache(): Promise<ModelCache> {
  const cache = await openBrowserCache();
  return {
    async get(url) {
      const kept = await cache?.match(url);
      return kept && new Uint8Array(await kept.arrayBuffer());
    },
    async put(url, bytes) {
      await cache?.put(url, new Response(bytes as Uint8Array<ArrayBuffer>)).catch(() => undefined);
    },
    async forget(url) {
      await cache?.delete(url, { ignoreSearch: true });
    },
  };
}

async function openBrowserCache(): Promise<Cache | undefined> {
  try {
    return await globalThis.caches.open(CACHE_NAME);
  } catch {
    return undefined;
  }
}

export type LoadListener = (loadedBytes: number, totalBytes: number) => void;

/** Reads a model folder's files from the cache, else from its server. What is kept is checked when it is taken out, and
 * what is fetched before it is kept.
 * @param folderUrl ends with a slash
 * @throws ModelError `model-not-found` if the server does not give a file; the signal's reason */
export function createModelReader(
  folderUrl: string,
  cache: ModelCache,
  { signal, onLoad }: { readonly signal: AbortSignal; readonly onLoad: LoadListener },
): ReadModelFile {
  return async (path, expected) => {
    const url = new URL(path, folderUrl).href;
    // The manifest has no hash of its own: it is asked for each time, and says which files go with it.
    if (expected === undefined) return download(url, { signal, onLoad: () => undefined, byteLength: MANIFEST_BYTES });
    const keptAs = `${url}?sha256=${expected.sha256}`;
    const kept = await cache.get(keptAs);
    if (kept && (await isFile(kept, expected))) return kept;
    const bytes = await download(url, { signal, onLoad, byteLength: expected.byteLength });
    if (await isFile(bytes, expected)) {
      await cache.forget(url);
      await cache.put(keptAs, bytes);
    }
    return bytes;
  };
}

interface DownloadOptions {
  readonly signal: AbortSignal;
  readonly onLoad: LoadListener;
  /** Of the right file: one byte more is read of another. */
  readonly byteLength: number;
}

async function download(url: string, { signal, onLoad, byteLength }: DownloadOptions): Promise<Uint8Array> {
  const answer = await fetch(url, { signal, cache: 'no-cache' }).catch((cause: unknown) => {
    signal.throwIfAborted();
    throw notFound(url, 'its server cannot be reached', cause);
  });
  if (!answer.ok || answer.body === null) throw notFound(url, `its server answered ${answer.status}`);
  // A model has tens of megabytes: what arrives goes to its place at once, not into parts that are then put together.
  const bytes = new Uint8Array(byteLength + 1);
  let loaded = 0;
  const reader = answer.body.getReader();
  while (loaded < bytes.length) {
    const { done, value } = await reader.read();
    if (done) break;
    const part = value.subarray(0, bytes.length - loaded);
    bytes.set(part, loaded);
    loaded += part.length;
    onLoad(loaded, byteLength);
  }
  if (loaded > byteLength) await reader.cancel();
  return bytes.subarray(0, loaded);
}

function notFound(url: string, why: string, cause?: unknown): ModelError {
  const { pathname } = new URL(url);
  return new ModelError('model-not-found', `${pathname} cannot be loaded: ${why}.`, {
    remedy: 'Check the address of the model folder and the connection, and try again.',
    cause,
  });
}
