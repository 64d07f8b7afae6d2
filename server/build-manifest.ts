import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const MANIFEST = 'build-manifest.json';
/** Where Vite puts what it names by a hash of the content; entries, whose names stay, lie beside this folder. */
const HASHED_FOLDER = 'assets/';

/** Writes down which files of a build have names that stand for their content.
 * @param output what Vite's `build` returned */
export function writeBuildManifest(folder: string, output: unknown): void {
  const names = filesOf(output).filter((name) => name.startsWith(HASHED_FOLDER));
  writeFileSync(join(folder, MANIFEST), `${JSON.stringify(names.toSorted(), null, 2)}\n`);
}

/** Names, with slashes, of a build's files that never change; none without a manifest. */
export function builtNames(folder: string): ReadonlySet<string> {
  try {
    const names: unknown = JSON.parse(readFileSync(join(folder, MANIFEST), 'utf8'));
    return new Set(Array.isArray(names) ? names.filter((name) => typeof name === 'string') : []);
  } catch {
    return new Set();
  }
}

function filesOf(output: unknown): string[] {
  const bundles: unknown[] = Array.isArray(output) ? output : [output];
  return bundles.flatMap((bundle) => {
    if (typeof bundle !== 'object' || bundle === null || !('output' in bundle) || !Array.isArray(bundle.output))
      return [];
    const files: unknown[] = bundle.output;
    return files.flatMap((file) =>
      typeof file === 'object' && file !== null && 'fileName' in file && typeof file.fileName === 'string'
        ? [file.fileName]
        : [],
    );
  });
}
