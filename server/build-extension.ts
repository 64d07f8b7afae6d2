import { fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';

const CHECKOUT = join(import.meta.dirname, '..');
const EXTENSION = join(CHECKOUT, 'extension');
const DIST = join(EXTENSION, 'dist');
const SOURCES = ['src', 'extension/cornerstone', 'extension/ohif', 'examples'].map((name) => join(CHECKOUT, name));

/** The extension as the browser loads it; built if a source is newer than the last build.
 * @returns the folder with extension.js and mode.js */
export async function buildExtension(onBuild: () => void): Promise<string> {
  const built = statSync(join(DIST, 'extension.js'), { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const configured = statSync(join(EXTENSION, 'vite.config.ts')).mtimeMs;
  if (built > Math.max(configured, ...SOURCES.map(newestMtimeMs))) return DIST;
  onBuild();
  // Elsewhere first: a build that fails leaves the last one that did not.
  const partial = `${DIST}.${process.pid}.partial`;
  try {
    await viteBuild(partial);
    rmSync(DIST, { recursive: true, force: true });
    renameSync(partial, DIST);
  } finally {
    rmSync(partial, { recursive: true, force: true });
  }
  return DIST;
}

/** @throws Error if the build fails, whose words are on stderr */
async function viteBuild(outDir: string): Promise<void> {
  const child = fork(join(import.meta.dirname, 'vite-build.ts'), [outDir], {
    execArgv: ['--import', import.meta.resolve('tsx')],
  });
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`The extension could not be built: exit code ${String(code)}.`);
}

function newestMtimeMs(folder: string): number {
  if (!existsSync(folder)) return 0;
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((newest, entry) => Math.max(newest, statSync(join(entry.parentPath, entry.name)).mtimeMs), 0);
}
