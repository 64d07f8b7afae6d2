import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { EnvironmentError, InputError } from '../errors.ts';
import type { ModelManifest } from '../models/manifest.ts';
import { copyModel } from './copy-model.ts';
import { openModelAt } from './model-folders.ts';
import { partialPath } from './write-file.ts';

/** A file of the built extension and mode, as dist/ohif/files.json lists them. */
export interface OhifFile {
  /** Below the folder that is served, with slashes. */
  readonly path: string;
  readonly byteLength: number;
  readonly sha256: string;
  /** Its name in onnxruntime-web/dist, where the package does not carry it. */
  readonly runtimeFile?: string;
}

export interface CopyOhifFilesOptions {
  /** Model folders. */
  readonly models: readonly string[];
  /** The path under which the folder will be served from OHIF's own origin; default `/slicewise-files/`. It must not be
   * `/slicewise/`: that is the mode's own route. */
  readonly address?: string;
  readonly signal?: AbortSignal;
}

export interface CopiedOhifFiles {
  readonly folder: string;
  readonly address: string;
  readonly models: readonly ModelManifest[];
  readonly byteLength: number;
  /** The file with the lines for OHIF's app-config.js. */
  readonly configFile: string;
}

const DEFAULT_ADDRESS = '/slicewise-files/';

/** Both src/node and dist/node lie two folders below the package. */
const BUILT = new URL('../../dist/ohif/', import.meta.url);

/** Writes what an OHIF 3.13 loads to have Slicewise: the built extension and mode, the models with their index, and the
 * lines for app-config.js. Every file is verified; the folder appears whole, or not at all.
 * @param folder not there yet, or empty
 * @throws EnvironmentError `file-not-writable`, `ohif-unavailable` if the package was not built whole or its onnxruntime-web
 * is of another version; InputError `invalid-arguments`; ModelError as {@link copyModel} */
export async function copyOhifFiles(folder: string, options: CopyOhifFilesOptions): Promise<CopiedOhifFiles> {
  const address = parseAddress(options.address ?? DEFAULT_ADDRESS);
  const files = readFileList();
  assertEmpty(folder);
  const partial = partialPath(folder);
  const removePartial = (): void => {
    rmSync(partial, { recursive: true, force: true });
  };
  process.once('exit', removePartial);
  try {
    for (const file of files) {
      options.signal?.throwIfAborted();
      writeBelow(partial, file.path, readVerified(file));
    }
    const copyOptions = options.signal ? { signal: options.signal } : {};
    const models: ModelManifest[] = [];
    for (const model of options.models) {
      models.push((await copyModel(await openModelAt(model), join(partial, 'models'), copyOptions)).manifest);
    }
    writeBelow(partial, 'models/index.json', `${JSON.stringify(models.map(({ id }) => id))}\n`);
    writeBelow(partial, CONFIG_FILE, configLines(address));
    options.signal?.throwIfAborted();
    rmSync(folder, { recursive: true, force: true }); // empty, by the check above
    renameSync(partial, folder);
    const byteLength = [...files, ...models.map(({ file }) => file)].reduce((sum, file) => sum + file.byteLength, 0);
    return { folder, address, models, byteLength, configFile: join(folder, CONFIG_FILE) };
  } catch (cause) {
    if (isSystemError(cause)) throw notWritable(folder, cause.code, cause);
    throw cause;
  } finally {
    process.removeListener('exit', removePartial);
    removePartial();
  }
}

const CONFIG_FILE = 'app-config.snippet.js';

function configLines(address: string): string {
  return `// For OHIF's app-config.js, beside your own extensions, modes and data sources. Serve this folder at ${address}
// from OHIF's own origin, .wasm files as application/wasm. Research use only: not a medical device.
// Where the page's Content-Security-Policy has no 'unsafe-eval', put <script src="${address}without-eval.js"></script> first.
window.config.extensions = [...(window.config.extensions ?? []), '${address}extension.js'];
window.config.modes = [...(window.config.modes ?? []), '${address}mode.js'];
`;
}

/** @throws InputError `invalid-arguments` */
function parseAddress(text: string): string {
  const address = text.endsWith('/') ? text : `${text}/`;
  if (!/^(\/[A-Za-z0-9._~-]+)+\/$/.test(address) || address.split('/').includes('..')) {
    throw new InputError('invalid-arguments', `"${text}" is not a path of a server.`, {
      remedy: 'Give one that begins with a slash, such as /slicewise-files/.',
    });
  }
  if (address === '/slicewise/') {
    throw new InputError('invalid-arguments', "/slicewise/ is the address of the mode's own page in OHIF.", {
      remedy: 'Serve the files at another path, such as /slicewise-files/.',
    });
  }
  return address;
}

function readFileList(): OhifFile[] {
  try {
    const list: unknown = JSON.parse(readFileSync(new URL('files.json', BUILT), 'utf8'));
    return (list as { readonly files: OhifFile[] }).files; // written by our own build
  } catch (cause) {
    throw new EnvironmentError('ohif-unavailable', 'The built extension of OHIF is not in this package.', {
      remedy: 'Install slicewise again; in a checkout, run npm run build:package.',
      cause,
    });
  }
}

function readVerified({ path, sha256, runtimeFile }: OhifFile): Uint8Array {
  const bytes = runtimeFile === undefined ? readFileSync(new URL(path, BUILT)) : readRuntimeFile(runtimeFile);
  if (createHash('sha256').update(bytes).digest('hex') === sha256) return bytes;
  throw new EnvironmentError(
    'ohif-unavailable',
    `${runtimeFile ?? path} is not the file that the extension was built with.`,
    {
      remedy:
        runtimeFile === undefined
          ? 'Install slicewise again.'
          : 'Install slicewise again, with the version of onnxruntime-web that its package.json names.',
    },
  );
}

function readRuntimeFile(name: string): Uint8Array {
  return readFileSync(join(dirname(createRequire(import.meta.url).resolve('onnxruntime-web')), name));
}

function writeBelow(folder: string, path: string, content: string | Uint8Array): void {
  const file = join(folder, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
}

function assertEmpty(folder: string): void {
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch (cause) {
    if (isSystemError(cause) && cause.code === 'ENOENT') return;
    throw notWritable(folder, isSystemError(cause) ? cause.code : String(cause), cause);
  }
  if (names.length > 0) throw notWritable(folder, 'it is there and not empty');
}

function isSystemError(cause: unknown): cause is NodeJS.ErrnoException & { readonly code: string } {
  return cause instanceof Error && 'syscall' in cause && 'code' in cause;
}

function notWritable(folder: string, why: string, cause?: unknown): EnvironmentError {
  return new EnvironmentError('file-not-writable', `${folder} cannot be written: ${why}.`, {
    remedy: 'Name a folder that is new or empty, in one that is writable and has room.',
    details: { path: folder },
    cause,
  });
}
