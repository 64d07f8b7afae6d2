import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { describeWithProgram } from '../support/python.ts';
import { judgedSeries, testEachSeries } from './judged-series.ts';

/** Lines that say Error. */
function errorsOf(file: string): string[] {
  const { stderr, stdout, error } = spawnSync('dciodvfy', [file], { encoding: 'utf8' });
  if (error !== undefined) throw error;
  return `${stdout}\n${stderr}`.split('\n').filter((line) => line.startsWith('Error'));
}

/** A wrong value and what is wrong with it, wherever it stands; "<2.16.06> - Leading zeroes …". */
function withoutPlace(error: string): string {
  return error.replace(/^.*?(?=<)/, '');
}

describeWithProgram('dciodvfy', 'dciodvfy', () => {
  testEachSeries('no error that the source images do not have', ({ imageFiles, segFile }, origin) => {
    const known = new Set(imageFiles.flatMap(errorsOf).map(withoutPlace));
    if (origin === 'generated') expect([...known]).toEqual([]);
    expect(errorsOf(segFile).filter((error) => !known.has(withoutPlace(error)))).toEqual([]);
  });

  test('it is asked: a file without its Content Label has an error', async () => {
    const { segFile, folder } = await judgedSeries('generated heart');
    const bytes = readFileSync(segFile);
    // The element's number, (0070,0080), becomes one that is not there.
    bytes[bytes.indexOf(Buffer.from([0x70, 0x00, 0x80, 0x00])) + 2] = 0x7f;
    const changed = join(folder, 'changed.dcm');
    writeFileSync(changed, bytes);
    expect(errorsOf(changed).join()).toMatch(/ContentLabel/);
  });
});
