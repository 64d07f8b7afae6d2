/** A process of its own that builds the extension into the folder that it is given: the bundler takes more than a gigabyte,
 * which a server that goes on for days would keep. */
import { join } from 'node:path';
import { build } from 'vite';
import { writeBuildManifest } from './build-manifest.ts';

const [outDir = ''] = process.argv.slice(2);
const output = await build({
  configFile: join(import.meta.dirname, '..', 'extension', 'vite.config.ts'),
  logLevel: 'error',
  build: { outDir },
});
writeBuildManifest(outDir, output);
