import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe } from 'vitest';

/** The folder of public scans (SLICEWISE_DATA, else ../shared/data); undefined where it is missing. */
const dataFolder: string | undefined = [
  process.env['SLICEWISE_DATA'] ?? resolve(import.meta.dirname, '../../../shared/data'),
].find((folder) => existsSync(folder));

/** A path below the data folder. Call it only inside {@link describeWithData}. */
export function dataPath(...parts: readonly string[]): string {
  if (dataFolder === undefined) throw new Error('The folder of public scans is missing: set SLICEWISE_DATA.');
  return join(dataFolder, ...parts);
}

/** A suite that needs the public scans: skipped, and said so, where they are missing; failed where CI or
 * REQUIRE_DATA=1 says they must be there. */
export function describeWithData(name: string, define: () => void): void {
  if (dataFolder !== undefined) {
    describe(name, define);
    return;
  }
  if (isSet('CI') || process.env['REQUIRE_DATA'] === '1') {
    throw new Error(`"${name}" needs the public scans, and none are in SLICEWISE_DATA or ../shared/data.`);
  }
  describe.skip(`${name} (no data: set SLICEWISE_DATA)`, define);
}

function isSet(name: string): boolean {
  const value = process.env[name];
  return value !== undefined && value !== '' && value !== '0' && value !== 'false';
}
