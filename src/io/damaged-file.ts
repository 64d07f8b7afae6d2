import { InputError } from '../errors.ts';

export function damagedFile(name: string, reason: string, cause?: unknown): InputError {
  return new InputError('damaged-file', `${name} is damaged: ${reason}.`, {
    remedy: 'Copy or export the file again, or take it out of the input.',
    details: { file: name },
    cause,
  });
}
