import { execFile } from 'node:child_process';
import { appendFile, mkdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { evaluateOverlap } from '../../src/evaluate/overlap.ts';
import type { Labelmap } from '../../src/labelmap/labelmap.ts';
import { openFiles } from '../../src/node/files.ts';
import { readNiftiLabelmap } from '../../src/nifti/read-nifti.ts';

const root = resolve(import.meta.dirname, '../..');

/** Runs the built command.
 * @returns its warnings
 * @throws an error with the exit `code`, if that is not 0 */
export async function slicewise(...args: string[]): Promise<string> {
  const { stderr } = await promisify(execFile)(process.execPath, [join(root, 'dist/cli/main.js'), ...args, '--quiet']);
  return stderr;
}

/** Dice by label value of two NIfTI labelmaps; a label that neither has is missing, and so is one that both lack. */
export async function compareNifti(prediction: string, reference: string): Promise<Record<string, number>> {
  const { labels } = evaluateOverlap(await readLabels(prediction), await readLabels(reference));
  return Object.fromEntries(labels.flatMap(({ label, dice }) => (dice === null ? [] : [[label, dice]])));
}

/** A NIfTI labelmap. */
export async function readLabels(path: string): Promise<Labelmap> {
  const [file] = openFiles([path]);
  if (!file) throw new Error(`${path} is missing`);
  return { ...(await readNiftiLabelmap(file)), segments: [] };
}

/** Notes a reading of own test patients in out/ci/test-readings.jsonl, which a continuous integration keeps with its
 * results: the logs beside the splits are of readings that a person chose to make. */
export async function logTestReading(model: string, what: string): Promise<void> {
  const folder = join(root, 'out', 'ci');
  await mkdir(folder, { recursive: true });
  const row = { at: new Date().toISOString(), model: `${model}, ${what}` };
  await appendFile(join(folder, 'test-readings.jsonl'), `${JSON.stringify(row)}\n`);
}

/** A JSON file of models/. */
export async function readModelsJson(...path: string[]): Promise<unknown> {
  return JSON.parse(await readFile(join(root, 'models', ...path), 'utf8'));
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
