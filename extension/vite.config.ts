import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { defineConfig } from 'vite';

const here = import.meta.dirname;
const checkout = join(here, '..');
const example = join(checkout, 'examples', 'index.html');

/** Two modules that OHIF imports by their address, one for pages without 'unsafe-eval', and the example page. Not library mode: it would inline the worker
 * and its WebAssembly as text. */
export default defineConfig({
  root: checkout,
  base: './',
  publicDir: false,
  worker: { format: 'es' },
  build: {
    outDir: join(here, 'dist'),
    emptyOutDir: true,
    target: 'es2022',
    modulePreload: false,
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 1500,
    rolldownOptions: {
      input: {
        extension: join(here, 'ohif', 'extension.ts'),
        mode: join(here, 'ohif', 'mode.ts'),
        'without-eval': join(here, 'ohif', 'without-eval.ts'),
        ...(existsSync(example) ? { examples: example } : {}),
      },
      preserveEntrySignatures: 'strict',
      output: { format: 'es', entryFileNames: '[name].js' },
    },
  },
});
