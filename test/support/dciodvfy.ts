import { spawnSync } from 'node:child_process';

/** Lines of dciodvfy on a file that say Error. */
export function dciodvfyErrors(file: string): string[] {
  const { stderr, stdout, error } = spawnSync('dciodvfy', [file], { encoding: 'utf8' });
  if (error !== undefined) throw error;
  return `${stdout}\n${stderr}`.split('\n').filter((line) => line.startsWith('Error'));
}

/** Errors of a derived object that its source images do not have: of a wrong value that was copied, they say the same
 * wherever it stands, "<2.16.06> - Leading zeroes …". */
export function newDciodvfyErrors(file: string, sourceFiles: readonly string[]): string[] {
  const known = new Set(sourceFiles.flatMap(dciodvfyErrors).map(withoutPlace));
  return dciodvfyErrors(file).filter((error) => !known.has(withoutPlace(error)));
}

function withoutPlace(error: string): string {
  return error.replace(/^.*?(?=<)/, '');
}
