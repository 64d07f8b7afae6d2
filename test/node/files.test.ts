import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { EnvironmentError, InputError } from '../../src/errors.ts';
import { openFiles } from '../../src/node/files.ts';
import { errorWith, textContaining } from '../support/matchers.ts';

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'slicewise-files-'));
  mkdirSync(join(folder, 'series/deeper'), { recursive: true });
  for (const name of ['IM10', 'IM2', 'IM1', 'deeper/IM3'])
    writeFileSync(join(folder, 'series', name), `bytes of ${name}`);
  symlinkSync(join(folder, 'series'), join(folder, 'series/deeper/loop'));
  symlinkSync(join(folder, 'series/IM1'), join(folder, 'series/link'));
  symlinkSync(join(folder, 'nowhere'), join(folder, 'series/broken-link'));
});

afterAll(() => {
  rmSync(folder, { recursive: true });
});

describe('openFiles', () => {
  it('gives the files of a folder and the folders in it by name and number, each once', () => {
    const names = openFiles([join(folder, 'series')]).map(({ name }) => name);
    expect(names).toEqual(['broken-link', join('deeper', 'IM3'), 'IM1', 'IM2', 'IM10']);
  });

  it('takes files and folders together, in the order given', () => {
    const names = openFiles([join(folder, 'series/IM2'), join(folder, 'series')]).map(({ name }) => name);
    expect(names).toEqual(['IM2', 'broken-link', join('deeper', 'IM3'), 'IM1', 'IM10']);
  });

  it('gives what cannot be opened below a folder as a file whose reading fails, so that the rest can be read', async () => {
    mkdirSync(join(folder, 'mixed/closed'), { recursive: true });
    writeFileSync(join(folder, 'mixed/IM1'), 'x');
    symlinkSync(join(folder, 'nowhere'), join(folder, 'mixed/link'));
    chmodSync(join(folder, 'mixed/closed'), 0);
    // Root may read everything, so root becomes nobody for a moment.
    const isRoot = process.geteuid?.() === 0;
    chmodSync(folder, 0o755);
    if (isRoot) process.seteuid?.('nobody');
    onTestFinished(() => {
      if (isRoot) process.seteuid?.('root');
      chmodSync(join(folder, 'mixed/closed'), 0o755);
    });
    const files = openFiles([join(folder, 'mixed')]);
    expect(files.map(({ name }) => name)).toEqual(['closed', 'IM1', 'link']);
    await expect(files[0]?.readHead(4)).rejects.toMatchObject({ code: 'file-not-readable' });
    await expect(files[1]?.readHead(4)).resolves.toHaveLength(1);
    await expect(files[2]?.read()).rejects.toMatchObject({
      code: 'file-not-found',
      message: textContaining('is a link to nothing'),
    });
  });

  it('brings the other file of a NIfTI pair', () => {
    for (const name of ['brain.hdr', 'brain.img.gz']) writeFileSync(join(folder, name), name);
    for (const named of ['brain.hdr', 'brain.img.gz']) {
      const names = openFiles([join(folder, named)]).map(({ name }) => name);
      expect(names.sort()).toEqual(['brain.hdr', 'brain.img.gz']);
    }
    expect(openFiles([join(folder, 'brain.hdr'), join(folder, 'brain.img.gz')])).toHaveLength(2);
  });

  it('reads a file whole, or only its head', async () => {
    const [file] = openFiles([join(folder, 'series/IM1')]);
    const text = (bytes: Uint8Array | undefined): string => new TextDecoder().decode(bytes);
    expect(file?.byteLength).toBe(12);
    expect(text(await file?.read())).toBe('bytes of IM1');
    expect(text(await file?.readHead(5))).toBe('bytes');
    expect(text(await file?.readHead(500))).toBe('bytes of IM1');
    // A Buffer's slice() would be a view.
    expect((await file?.read())?.constructor).toBe(Uint8Array);
  });

  it('refuses a path that is not there as the user’s mistake', () => {
    expect(() => openFiles([join(folder, 'sereis')])).toThrow(errorWith({ code: 'file-not-found' }));
    expect(() => openFiles([join(folder, 'sereis')])).toThrow(InputError);
    expect(() => openFiles([join(folder, 'series/IM1/IM2')])).toThrow(errorWith({ code: 'file-not-found' }));
  });

  it('refuses pipes and devices: to wait for a pipe could take for ever', () => {
    expect(() => openFiles(['/dev/null'])).toThrow(errorWith({ code: 'file-not-found' }));
    expect(() => openFiles(['/dev/null'])).toThrow(/neither a file nor a folder/);
  });

  it('refuses a file that vanishes before it is read', async () => {
    const path = join(folder, 'vanishing');
    writeFileSync(path, 'x');
    const [file] = openFiles([path]);
    rmSync(path);
    await expect(file?.read()).rejects.toMatchObject({ code: 'file-not-found' });
  });

  it('refuses a file without permission as the machine’s fault', async () => {
    const path = join(folder, 'secret');
    writeFileSync(path, 'x');
    chmodSync(path, 0);
    const [file] = openFiles([path]);
    // Root may read everything, so root becomes nobody for a moment.
    const isRoot = process.geteuid?.() === 0;
    if (isRoot) process.seteuid?.('nobody');
    onTestFinished(() => {
      if (isRoot) process.seteuid?.('root');
    });
    await expect(file?.read()).rejects.toBeInstanceOf(EnvironmentError);
  });
});
