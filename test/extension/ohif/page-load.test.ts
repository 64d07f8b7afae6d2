import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build, type Rolldown } from 'vite';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import config from '../../../extension/vite.config.ts';
import { checkout } from '../../e2e/run-cli.ts';

/** What OHIF fetches when it starts: the entries and all that they import statically. */
let atStart: readonly Rolldown.OutputChunk[] = [];
/** The part of it that is the core, and what the core is made with. */
let core: Rolldown.OutputChunk | undefined;

beforeAll(async () => {
  // Else React would be its development build, as under any test.
  vi.stubEnv('NODE_ENV', 'production');
  atStart = await buildStart();
  const coreIds = new Set(atStart.flatMap(({ moduleIds }) => moduleIds).filter(isOfCore));
  const apart = await buildStart({ groups: [{ name: 'core', test: (id) => coreIds.has(id) }] });
  core = apart.find(({ name }) => name === 'core');
}, 240_000);

/** Ours in src, and packages that only the core imports. */
function isOfCore(moduleId: string): boolean {
  return /\/(src|zod|dicom-character-set)\//.test(moduleId.slice(checkout.length)) && !moduleId.includes('/react');
}

async function buildStart(codeSplitting?: Rolldown.CodeSplittingOptions): Promise<Rolldown.OutputChunk[]> {
  const ohif = join(checkout, 'extension', 'ohif');
  const input = { extension: join(ohif, 'extension.ts'), mode: join(ohif, 'mode.ts') };
  const { output } = config.build?.rolldownOptions ?? {};
  const rolldownOptions = {
    ...config.build?.rolldownOptions,
    input,
    ...(codeSplitting && { output: { ...(Array.isArray(output) ? output[0] : output), codeSplitting } }),
  };
  const built = await build({
    ...config,
    configFile: false,
    logLevel: 'silent',
    build: { ...config.build, write: false, rolldownOptions },
  });
  const files = 'output' in built ? built.output : [];
  const chunks = new Map(files.flatMap((file) => (file.type === 'chunk' ? [[file.fileName, file]] : [])));
  const found = new Map<string, Rolldown.OutputChunk>();
  const add = (fileName: string): void => {
    const chunk = chunks.get(fileName);
    if (chunk === undefined || found.has(fileName)) return;
    found.set(fileName, chunk);
    chunk.imports.forEach(add);
  };
  add('extension.js');
  add('mode.js');
  return [...found.values()];
}

describe('what a page loads before a run or a save', () => {
  test('is at most 140 kB of gzip', () => {
    const bytes = atStart.reduce((sum, { code }) => sum + gzipSync(code).length, 0);
    // React alone is more: less would mean that the wrong files were counted.
    expect(bytes).toBeGreaterThan(40_000);
    expect(bytes).toBeLessThanOrEqual(140_000);
  });

  test('is of the core at most 60 kB of gzip', () => {
    const bytes = gzipSync(core?.code ?? '').length;
    console.log(`The core before a run or a save: ${(bytes / 1000).toFixed(1)} kB of gzip.`);
    expect(core?.moduleIds.some((id) => id.endsWith('/src/models/manifest.ts'))).toBe(true);
    expect(bytes).toBeGreaterThan(10_000);
    expect(bytes).toBeLessThanOrEqual(60_000);
  });

  test.each(['onnxruntime-', 'dcmjs', 'codec-', 'nifti-reader-js'])('has nothing of %s…', (name) => {
    const modules = atStart.flatMap(({ moduleIds }) => moduleIds);
    expect(modules.some((id) => id.includes('/react-dom/'))).toBe(true);
    expect(modules.filter((id) => id.includes(`node_modules/${name}`) || id.includes(`/${name}`))).toEqual([]);
  });
});
