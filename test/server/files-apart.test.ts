import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readFilesApart } from '../../server/dicom-web/files-apart.ts';
import { readFile } from '../../server/dicom-web/known-file.ts';
import { openStudyIndex } from '../../server/dicom-web/study-index.ts';
import { dicomPhantom, phantom } from '../support/phantom.ts';
import { temporaryFolder } from './served.ts';

const walked = (paths: readonly string[]) => paths.map((path) => ({ path, version: 'seen' }));
const script = new URL('../fixtures/workers/file-thread.js', import.meta.url);

test('a file that ends, hangs or fills the thread is counted with its reason, and the others are read', async () => {
  const paths = ['a', 'exit', 'b', 'gone', 'throw', 'hang', 'c', 'memory', 'd', 'exit again'];
  expect(await readFilesApart(walked(paths), { script, limitMs: 20_000 })).toEqual([
    { version: 'a' },
    { version: 'seen', reason: 'not readable' },
    { version: 'b' },
    undefined,
    { version: 'seen', reason: 'not readable' },
    { version: 'seen', reason: 'takes too long to read' },
    { version: 'c' },
    { version: 'seen', reason: 'more than is read of a file' },
    { version: 'd' },
    { version: 'seen', reason: 'not readable' },
  ]);
});

test('a thread that does not start is an error: no file is to blame', async () => {
  const none = new URL('../fixtures/workers/none.js', import.meta.url);
  await expect(readFilesApart(walked(['a', 'b']), { script: none })).rejects.toThrow('Cannot find module');
});

test('in a folder of many files the thread finds what is found without one', async () => {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'series'));
  const files = dicomPhantom(phantom([7, 5, 12]), () => ({ StudyInstanceUID: '1.2.3' }));
  for (const [n, file] of files.entries()) writeFileSync(join(folder, 'series', `${n}.dcm`), await file.read());
  writeFileSync(join(folder, 'notes.txt'), 'no image');
  const paths = [...files.keys()].map((n) => join(folder, 'series', `${n}.dcm`)).concat(join(folder, 'notes.txt'));
  expect(await readFilesApart(walked(paths))).toEqual(await Promise.all(paths.map((path) => readFile(path))));
  const index = await openStudyIndex(folder);
  expect(index.instances()).toHaveLength(12);
  expect(index.ignoredFiles()).toEqual(new Map([['not DICOM', 1]]));
});
