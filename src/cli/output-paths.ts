import { realpathSync } from 'node:fs';
import { resolve } from 'node:path';
import { InputError } from '../errors.ts';

/** Checks that no output would replace an input file or another output.
 * @throws InputError `invalid-arguments` */
export function assertNotAnInput(outputs: readonly string[], inputs: readonly string[]): void {
  const taken = new Set(inputs.map(identity));
  for (const output of outputs) {
    const place = identity(output);
    if (taken.has(place)) {
      throw new InputError('invalid-arguments', `${output} would replace an input or another output.`, {
        remedy: 'Give every output a name of its own.',
        details: { output },
      });
    }
    taken.add(place);
  }
}

function identity(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return resolve(path);
  }
}
