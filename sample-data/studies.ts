import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { GENERATED_FOLDER, writeDicomPhase } from './generate.ts';
import { createShortAxisHeart } from './short-axis-heart.ts';

/** What `npm start` opens if it is given nothing: two synthetic patients, each with a short-axis series at end-diastole. */
export const SAMPLE_STUDIES = join(GENERATED_FOLDER, 'studies');

const SEEDS = [1, 2];

/** Makes the studies that are missing; a folder is there whole or not at all.
 * @returns the folder */
export async function generateStudies(onGenerate: () => void, folder = SAMPLE_STUDIES): Promise<string> {
  const missing = SEEDS.map((seed) => ({ seed, target: join(folder, `heart-${seed}`) })).filter(
    ({ target }) => !existsSync(target),
  );
  if (missing.length > 0) onGenerate();
  for (const { seed, target } of missing) {
    const unfinished = join(folder, `.heart-${seed}`);
    await rm(unfinished, { recursive: true, force: true });
    await mkdir(unfinished, { recursive: true });
    await writeDicomPhase(unfinished, createShortAxisHeart({ seed, phases: 1 }), 0);
    await rename(unfinished, target);
  }
  return folder;
}
