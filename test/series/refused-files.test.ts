import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { InputError } from '../../src/errors.ts';
import { openFiles } from '../../src/node/files.ts';
import { describeVolumes, readVolume } from '../../src/series/read-volume.ts';
import { dataPath, describeWithData } from '../support/data.ts';

const read = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`../goldens/${name}`, import.meta.url), 'utf8'));

/** Files and folders that no volume can be made of, and the code of the error that they end in. */
const refused = Object.entries(z.record(z.string(), z.string()).parse(read('refused.json')));
const { images } = z.object({ images: z.array(z.object({ path: z.string() })) }).parse(read('readers.json'));

describeWithData('what cannot be read as one volume ends in its typed error, never in a wrong volume', () => {
  it.each(refused)('%s: %s', async (path, code) => {
    const files = openFiles([dataPath(path)]);
    const error = await readVolume(files).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(InputError);
    expect(error).toMatchObject({ code });
    expect((error as InputError).remedy).toMatch(/\w{3}/);
    if (code !== 'no-images') await expect(describeVolumes(files)).resolves.toBeDefined();
  });

  it.each(['dicom/transfer-syntaxes', 'dicom/odd-series', 'nifti'])(
    'every file of %s has a line among the goldens or here',
    (folder) => {
      const lines = [...images.map(({ path }) => path), ...refused.map(([path]) => path)];
      const files = readdirSync(dataPath(folder), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name).slice(dataPath().length + 1));
      expect(files.length).toBeGreaterThan(10);
      const isOfLine = (file: string): boolean =>
        lines.some(
          (line) => file === line || file.startsWith(`${line}/`) || file === line.replace(/\.hdr(\.gz)?$/, '.img$1'),
        );
      expect(files.filter((file) => !isOfLine(file))).toEqual([]);
    },
  );

  it('every file and series of the public DICOM sets is described', async () => {
    const { series } = await describeVolumes(openFiles([dataPath('dicom')]));
    expect(series.length).toBeGreaterThan(50);
    for (const { problem, geometry } of series) expect(problem ?? geometry).toBeDefined();
  });
});
