import { gzipSync } from 'node:zlib';
import { build } from 'vite';
import { expect, test } from 'vitest';

test('a page that imports the client loads 8 kB, and no runtime, schema or reader', async () => {
  const built = await build({
    root: import.meta.dirname,
    configFile: false,
    logLevel: 'error',
    publicDir: false,
    build: {
      write: false,
      target: 'es2022',
      modulePreload: false,
      rolldownOptions: {
        input: `${import.meta.dirname}/../../src/browser/client.ts`,
        preserveEntrySignatures: 'strict',
      },
    },
  });
  if (!('output' in built)) throw new Error('more or less than one bundle');
  const chunks = built.output.filter((file) => file.type === 'chunk');
  const modules = chunks.flatMap((chunk) => Object.keys(chunk.modules));
  expect(modules.filter((module) => /node_modules|readers|export/.test(module))).toEqual([]);
  expect(modules.some((module) => module.endsWith('segment-in-worker.ts'))).toBe(true);
  const bytes = chunks.reduce((sum, { code }) => sum + gzipSync(code).length, 0);
  expect(bytes).toBeLessThan(8000);
});
