import { resolve } from 'node:path';
import { InputError } from '../errors.ts';
import type { LocalFile } from '../node/files.ts';
import { linkTarget } from '../node/link-target.ts';

/** Checks that no output would replace a file that is named as an input, or another output.
 * @throws InputError `invalid-arguments` */
export function assertNotAnInput(outputs: readonly string[], inputs: readonly string[]): void {
  const taken = new Set(inputs.map(identity));
  for (const output of outputs) {
    const place = identity(output);
    if (taken.has(place)) throw wouldReplace(output, 'an input or another output');
    taken.add(place);
  }
}

/** Checks that no output would replace an image in a folder that is read. What else lies there may be replaced: a
 * preview, a report, the DICOM-SEG of an earlier run.
 * @throws InputError `invalid-arguments` */
export async function assertKeepsImages(outputs: readonly string[], files: readonly LocalFile[]): Promise<void> {
  for (const output of outputs) {
    const place = identity(output);
    const file = files.find(({ realPath }) => realPath === place);
    if (file !== undefined && (await isImage(file))) throw wouldReplace(output, 'an image of the input');
  }
}

async function isImage(file: LocalFile): Promise<boolean> {
  const { volumeReaders } = await import('../series/find-series.ts');
  const { isDicomSeg } = await import('./read-labelmap.ts');
  const head = await file.readHead(352);
  return volumeReaders.some((reader) => reader.accepts(head, file.name)) && !(await isDicomSeg(file));
}

function wouldReplace(output: string, what: string): InputError {
  return new InputError('invalid-arguments', `${output} would replace ${what}.`, {
    remedy: 'Give every output a name of its own.',
    details: { output },
  });
}

/** A circle of links is no file: what would be written there says so. */
function identity(path: string): string {
  try {
    return linkTarget(path);
  } catch {
    return resolve(path);
  }
}
