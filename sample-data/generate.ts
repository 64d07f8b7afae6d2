import { existsSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { encodeNiftiImage, encodeNiftiLabelmap } from '../src/nifti/encode-nifti.ts';
import { isMainModule } from './is-main-module.ts';
import { createShortAxisHeart, type ShortAxisHeart, type ShortAxisHeartOptions } from './short-axis-heart.ts';
import { encodeDicomPhase, type DicomSeriesOptions } from './write-dicom.ts';

/** Where `npm run demo` and the tests find the sample; git ignores it. */
export const GENERATED_FOLDER = join(import.meta.dirname, 'generated');

/** Written last: where it is, the sample is complete. */
const CONTENTS_FILE = 'contents.json';

/** Makes the sample and writes it, replacing what was there: `dicom/phase_01/…dcm`, `nifti/phase_01/image.nii.gz`,
 * `nifti/phase_01/labels.nii.gz`, and so on for each phase; `contents.json` tells them apart. */
export async function generateSample(
  folder: string,
  options: ShortAxisHeartOptions & DicomSeriesOptions = {},
): Promise<ShortAxisHeart> {
  const heart = createShortAxisHeart(options);
  for (const part of [CONTENTS_FILE, 'dicom', 'nifti']) await rm(join(folder, part), { recursive: true, force: true });
  for (const phase of heart.phases.keys()) {
    await writeDicomPhase(join(folder, 'dicom', phaseName(phase)), heart, phase, options);
    await writeNiftiPhase(join(folder, 'nifti', phaseName(phase)), heart, phase);
  }
  const contents = {
    seed: heart.seed,
    phases: heart.phases.map(({ triggerTimeMs }, phase) => ({ name: phaseName(phase), triggerTimeMs })),
    endDiastole: phaseName(0),
    endSystole: phaseName(heart.endSystole),
  };
  await writeFile(join(folder, CONTENTS_FILE), `${JSON.stringify(contents, null, 2)}\n`);
  return heart;
}

/** Whether a folder has a sample that was written to its end. */
export function isGenerated(folder: string): boolean {
  return existsSync(join(folder, CONTENTS_FILE));
}

/** phase_01 is the first, at end-diastole. */
export function phaseName(phase: number): string {
  return `phase_${String(phase + 1).padStart(2, '0')}`;
}

export async function writeDicomPhase(
  folder: string,
  heart: ShortAxisHeart,
  phase: number,
  options: DicomSeriesOptions = {},
): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const { name, bytes } of encodeDicomPhase(heart, phase, options)) await writeFile(join(folder, name), bytes);
}

async function writeNiftiPhase(folder: string, { geometry, phases }: ShortAxisHeart, phase: number): Promise<void> {
  const moment = phases[phase];
  if (moment === undefined) throw new RangeError(`there is no phase ${phase}`);
  await mkdir(folder, { recursive: true });
  const image = await encodeNiftiImage({ geometry, voxels: moment.voxels }, { gzip: true });
  const labels = await encodeNiftiLabelmap({ geometry, voxels: moment.labels, segments: [] }, { gzip: true });
  await writeFile(join(folder, 'image.nii.gz'), image);
  await writeFile(join(folder, 'labels.nii.gz'), labels);
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      output: { type: 'string', default: GENERATED_FOLDER },
      seed: { type: 'string' },
      slices: { type: 'string' },
      size: { type: 'string' },
      phases: { type: 'string' },
      implicit: { type: 'boolean', default: false },
    },
  });
  const heart = await generateSample(values.output, {
    ...wholeNumbers({ seed: values.seed, slices: values.slices, size: values.size, phases: values.phases }),
    transferSyntax: values.implicit ? 'implicit' : 'explicit',
  });
  const { dimensions, spacing } = heart.geometry;
  const grid = `${dimensions.join(' × ')} voxels of ${spacing.map((mm) => mm.toFixed(2)).join(' × ')} mm`;
  console.log(`${heart.phases.length} phases of ${grid} in ${values.output}`);
  console.log(`End-diastole is ${phaseName(0)}, end-systole ${phaseName(heart.endSystole)}.`);
}

function wholeNumbers(texts: Readonly<Record<string, string | undefined>>): Record<string, number> {
  return Object.fromEntries(
    Object.entries(texts).flatMap(([name, text]) => {
      if (text === undefined) return [];
      if (!/^[1-9]\d*$/.test(text)) throw new Error(`--${name} is a whole number of 1 or more, not "${text}"`);
      return [[name, Number(text)]];
    }),
  );
}

if (isMainModule(import.meta.url)) {
  try {
    await main();
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    process.exitCode = 2;
  }
}
