import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { dciodvfyErrors, newDciodvfyErrors } from '../support/dciodvfy.ts';
import { describeWithProgram } from '../support/python.ts';
import { judgedSeries, testEachSeries } from './judged-series.ts';

describeWithProgram('dciodvfy', 'dciodvfy', () => {
  testEachSeries('no error that the source images do not have', ({ imageFiles, segFile }, origin) => {
    if (origin === 'generated') expect(imageFiles.flatMap(dciodvfyErrors)).toEqual([]);
    expect(newDciodvfyErrors(segFile, imageFiles)).toEqual([]);
  });

  test('it is asked: a file without its Content Label has an error', async () => {
    const { segFile, folder } = await judgedSeries('generated heart');
    const bytes = readFileSync(segFile);
    // The element's number, (0070,0080), becomes one that is not there.
    bytes[bytes.indexOf(Buffer.from([0x70, 0x00, 0x80, 0x00])) + 2] = 0x7f;
    const changed = join(folder, 'changed.dcm');
    writeFileSync(changed, bytes);
    expect(dciodvfyErrors(changed).join()).toMatch(/ContentLabel/);
  });
});
