/** Writes what a release says of its parts into dist, which the package carries: `npm run release-papers`, and before each
 * `npm pack`. A list of components (CycloneDX, by npm's own command) and the notices of third parties. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { z } from 'zod';
import { thirdPartyNotices } from './third-party.ts';

const checkout = join(import.meta.dirname, '..');
const folder = join(checkout, 'dist');

const manifestSchema = z.looseObject({ name: z.string(), devDependencies: z.unknown().optional() });
const lockSchema = z.looseObject({
  packages: z.record(
    z.string(),
    z.looseObject({ dev: z.boolean().optional(), devDependencies: z.unknown().optional() }),
  ),
});

/** From a lock file without what is for development: `--omit dev` would also leave out what both need. */
function componentList(): string {
  const copy = mkdtempSync(join(tmpdir(), 'slicewise-release-'));
  try {
    const { devDependencies: _, ...manifest } = manifestSchema.parse(readJson('package.json'));
    const { packages, ...lock } = lockSchema.parse(readJson('package-lock.json'));
    const kept = Object.entries(packages).filter(([, entry]) => entry.dev !== true);
    const withoutDevelopment = Object.fromEntries(
      kept.map(([path, { devDependencies: __, ...entry }]) => [path, entry]),
    );
    writeFileSync(join(copy, 'package.json'), JSON.stringify(manifest));
    writeFileSync(join(copy, 'package-lock.json'), JSON.stringify({ ...lock, packages: withoutDevelopment }));
    const args = ['sbom', '--sbom-format', 'cyclonedx', '--sbom-type', 'library', '--package-lock-only'];
    const text = execFileSync('npm', args, { cwd: copy, encoding: 'utf8', maxBuffer: 64 * 2 ** 20 });
    // npm names the component by the folder that it lies in.
    return `${text.replace(JSON.stringify(basename(copy)), JSON.stringify(manifest.name)).trim()}\n`;
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

function readJson(name: string): unknown {
  return JSON.parse(readFileSync(join(checkout, name), 'utf8'));
}

mkdirSync(folder, { recursive: true });
writeFileSync(join(folder, 'sbom.cdx.json'), componentList());
writeFileSync(join(folder, 'THIRD_PARTY_NOTICES.txt'), thirdPartyNotices(checkout));
