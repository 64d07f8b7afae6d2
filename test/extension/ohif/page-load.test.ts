import { gzipSync } from 'node:zlib';
import { build, type Rolldown } from 'vite';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import config from '../../../extension/vite.config.ts';

/** What OHIF fetches when it starts: the entries and all that they import statically. */
const atStart = new Map<string, Rolldown.OutputChunk>();

beforeAll(async () => {
  const ohif = new URL('../../../extension/ohif/', import.meta.url);
  const input = { extension: new URL('extension.ts', ohif).pathname, mode: new URL('mode.ts', ohif).pathname };
  // Else React would be its development build, as under any test.
  vi.stubEnv('NODE_ENV', 'production');
  const built = await build({
    ...config,
    configFile: false,
    logLevel: 'silent',
    build: { ...config.build, write: false, rolldownOptions: { ...config.build?.rolldownOptions, input } },
  });
  const output = 'output' in built ? built.output : [];
  const chunks = new Map(output.flatMap((file) => (file.type === 'chunk' ? [[file.fileName, file]] : [])));
  const add = (fileName: string): void => {
    const chunk = chunks.get(fileName);
    if (chunk === undefined || atStart.has(fileName)) return;
    atStart.set(fileName, chunk);
    chunk.imports.forEach(add);
  };
  add('extension.js');
  add('mode.js');
}, 240_000);

describe('what a page loads before a run or a save', () => {
  test('is at most 140 kB of gzip', () => {
    const bytes = [...atStart.values()].reduce((sum, { code }) => sum + gzipSync(code).length, 0);
    // React alone is more: less would mean that the wrong files were counted.
    expect(bytes).toBeGreaterThan(40_000);
    expect(bytes).toBeLessThanOrEqual(140_000);
  });

  test.each(['onnxruntime-', 'dcmjs', 'codec-', 'nifti-reader-js'])('has nothing of %s…', (name) => {
    const modules = [...atStart.values()].flatMap(({ moduleIds }) => moduleIds);
    expect(modules.some((id) => id.includes('/react-dom/'))).toBe(true);
    expect(modules.filter((id) => id.includes(`node_modules/${name}`) || id.includes(`/${name}`))).toEqual([]);
  });
});
