import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** Loads @cornerstonejs/dicom-image-loader as a bundler does: its files are ES modules, and `new URL('package/file',
 * import.meta.url)` is that file's place. A load hook of node:module.
 * @type {import('node:module').LoadHook} */
export async function load(url, context, nextLoad) {
  if (!url.includes('/dicom-image-loader/dist/esm/')) return nextLoad(url, context);
  const path = fileURLToPath(url);
  const { resolve } = createRequire(path);
  const source = (await readFile(path, 'utf8')).replaceAll(
    /new URL\('(@[^']+)', import\.meta\.url\)/g,
    (_, /** @type {string} */ specifier) => `new URL(${JSON.stringify(pathToFileURL(resolve(specifier)).href)})`,
  );
  return { format: 'module', source, shortCircuit: true };
}
