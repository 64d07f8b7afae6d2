import { readFileSync, readdirSync } from 'node:fs';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { generateSample } from '../../sample-data/generate.ts';
import { checkout } from './run-cli.ts';

/** A model of 54 KB: a run takes milliseconds. */
export const tinyModel = join(checkout, 'test/fixtures/models/tiny-heart');

/** A folder with a small synthetic heart, and one for what a test writes. */
export interface Workspace {
  readonly dicom: string;
  readonly otherPhase: string;
  readonly nifti: string;
  readonly truth: string;
  /** A path in the folder for results. */
  readonly out: (name: string) => string;
  /** Names of the results, hidden and temporary ones included. */
  readonly written: () => string[];
  /** Empties the folder for results. */
  readonly clear: () => Promise<void>;
  readonly remove: () => Promise<void>;
}

export async function createWorkspace(): Promise<Workspace> {
  const folder = await mkdtemp(join(tmpdir(), 'slicewise-e2e-'));
  const results = await mkdtemp(join(tmpdir(), 'slicewise-out-'));
  await generateSample(folder, { size: 64, slices: 10, phases: 2, supersampling: [1, 1, 1] });
  return {
    dicom: join(folder, 'dicom/phase_01'),
    otherPhase: join(folder, 'dicom/phase_02'),
    nifti: join(folder, 'nifti/phase_01/image.nii.gz'),
    truth: join(folder, 'nifti/phase_01/labels.nii.gz'),
    out: (name) => join(results, name),
    written: () => readdirSync(results).sort(),
    async clear() {
      for (const name of readdirSync(results)) await rm(join(results, name), { recursive: true });
    },
    async remove() {
      await rm(folder, { recursive: true });
      await rm(results, { recursive: true });
    },
  };
}

/** A copy of the tiny model whose manifest says something else. */
export async function writeModelVariant(
  folder: string,
  change: (manifest: Record<string, unknown>) => unknown,
): Promise<string> {
  await cp(tinyModel, folder, { recursive: true });
  const path = join(folder, 'manifest.json');
  const manifest: unknown = JSON.parse(await readFile(path, 'utf8'));
  if (typeof manifest !== 'object' || manifest === null) throw new TypeError(`${path} is no object`);
  await writeFile(path, JSON.stringify(change({ ...manifest })));
  return folder;
}

/** Parses a document by the published JSON Schema.
 * @throws ZodError if it is not valid */
export function parseBySchema(file: string, text: string): Record<string, unknown> {
  const schema: unknown = JSON.parse(readFileSync(join(checkout, 'schemas', file), 'utf8'));
  const parsed = z.fromJSONSchema(schema as z.core.JSONSchema.JSONSchema).parse(JSON.parse(text));
  return z.record(z.string(), z.unknown()).parse(parsed);
}
