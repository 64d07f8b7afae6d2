import { existsSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { writeBuildManifest } from './build-manifest.ts';

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
  const { build } = await import('vite');
  // Elsewhere first: a build that fails leaves the last one that did not.
  const partial = `${DIST}.${process.pid}.partial`;
  try {
    const output = await build({
      configFile: join(EXTENSION, 'vite.config.ts'),
      logLevel: 'error',
      build: { outDir: partial },
    });
    writeBuildManifest(partial, output);
    rmSync(DIST, { recursive: true, force: true });
    renameSync(partial, DIST);
  } finally {
    rmSync(partial, { recursive: true, force: true });
  }
  return DIST;
}

function newestMtimeMs(folder: string): number {
  if (!existsSync(folder)) return 0;
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((newest, entry) => Math.max(newest, statSync(join(entry.parentPath, entry.name)).mtimeMs), 0);
}
