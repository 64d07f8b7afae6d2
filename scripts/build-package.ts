/** Builds all that the package carries into dist: `npm run build:package`, and before each `npm pack`.
 *
 * The library and the command line as `npm run build` does; the Cornerstone bridge beside them, as dist/cornerstone; OHIF's
 * extension and mode as files to serve, as dist/ohif. From nothing, so that no file of an earlier build is packed. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { build } from 'vite';
import config from '../extension/vite.config.ts';
import type { OhifFile } from '../src/node/ohif-files.ts';

const checkout = join(import.meta.dirname, '..');
const dist = join(checkout, 'dist');
const partial = `${dist}.${process.pid}.partial`;
const TSC = createRequire(import.meta.url).resolve('typescript/bin/tsc');

function compile(project: string, outDir: string): void {
  execFileSync(process.execPath, [TSC, '-p', project, '--outDir', outDir], { cwd: checkout, stdio: 'inherit' });
}

/** The bridge's own modules; what they import of src lies in dist already, one folder nearer. */
function buildCornerstone(): void {
  const compiled = join(partial, 'cornerstone.partial');
  compile('tsconfig.cornerstone.json', compiled);
  const from = join(compiled, 'extension', 'cornerstone');
  const to = join(partial, 'cornerstone');
  mkdirSync(to);
  for (const name of readdirSync(from)) {
    const text = readFileSync(join(from, name), 'utf8');
    const moved = name.endsWith('.map') ? text : text.replaceAll(/(?<=["'])\.\.\/\.\.\/src\//g, '../');
    if (!name.endsWith('.map') && moved.includes('/src/')) throw new Error(`${name} still names a folder src`);
    writeFileSync(join(to, name), moved);
  }
  rmSync(compiled, { recursive: true });
}

/** Without the example page, whose Cornerstone3D is most of what extension/dist has. */
async function buildOhif(folder: string): Promise<void> {
  const sources = join(checkout, 'extension', 'ohif');
  await build({
    ...config,
    configFile: false,
    logLevel: 'error',
    build: {
      ...config.build,
      outDir: folder,
      rolldownOptions: {
        ...config.build?.rolldownOptions,
        input: { extension: join(sources, 'extension.ts'), mode: join(sources, 'mode.ts') },
      },
    },
  });
}

/** Lists the files with their hashes. The runtime's WebAssembly, 10 MB packed, is in onnxruntime-web, which the package
 * depends on in the same version: it is listed with where it is there, and not carried twice. */
function listOhif(folder: string): void {
  const runtime = dirname(createRequire(import.meta.url).resolve('onnxruntime-web'));
  const ofRuntime = new Map(
    readdirSync(runtime)
      .filter((name) => name.endsWith('.wasm'))
      .map((name) => [sha256(readFileSync(join(runtime, name))), name]),
  );
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry): OhifFile => {
      const file = join(entry.parentPath, entry.name);
      const bytes = readFileSync(file);
      const hash = sha256(bytes);
      const runtimeFile = ofRuntime.get(hash);
      if (runtimeFile !== undefined) rmSync(file);
      return {
        path: file.slice(folder.length + 1).replaceAll('\\', '/'),
        byteLength: bytes.byteLength,
        sha256: hash,
        ...(runtimeFile !== undefined && { runtimeFile }),
      };
    })
    .toSorted((a, b) => (a.path < b.path ? -1 : 1));
  if (!files.some(({ runtimeFile }) => runtimeFile !== undefined)) {
    throw new Error('the build of the extension has no WebAssembly of onnxruntime-web');
  }
  writeFileSync(join(folder, 'files.json'), `${JSON.stringify({ files }, null, 2)}\n`);
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

try {
  compile('tsconfig.build.json', partial);
  chmodSync(join(partial, 'cli', 'main.js'), 0o755);
  buildCornerstone();
  await buildOhif(join(partial, 'ohif'));
  listOhif(join(partial, 'ohif'));
  rmSync(dist, { recursive: true, force: true });
  renameSync(partial, dist);
} finally {
  rmSync(partial, { recursive: true, force: true });
}
