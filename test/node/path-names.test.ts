import { posix, win32 } from 'node:path';
import { describe, expect, test } from 'vitest';
import { isWithin, nameWithin } from '../../src/node/write-file.ts';

describe('the name of a file below a folder', () => {
  test.each([
    ['C:\\scans', 'C:\\scans\\heart\\1.dcm', 'heart/1.dcm'],
    ['C:\\scans\\', 'C:\\scans\\a\\b\\c.nii.gz', 'a/b/c.nii.gz'],
    ['\\\\server\\share', '\\\\server\\share\\heart\\1.dcm', 'heart/1.dcm'],
    ['C:\\scans\\1.dcm', 'C:\\scans\\1.dcm', '1.dcm'],
    ['C:\\scans\\1.hdr', 'C:\\scans\\1.img', '1.img'],
    ['C:\\scans', 'D:\\other\\1.dcm', '1.dcm'],
    ['C:\\scans', 'C:\\scans\\..hidden\\1.dcm', '..hidden/1.dcm'],
  ])('has slashes on Windows: of %s, %s', (folder, file, name) => {
    expect(nameWithin(folder, file, win32)).toBe(name);
  });

  test.each([
    ['/scans', '/scans/heart/1.dcm', 'heart/1.dcm'],
    ['/scans', '/scans/a\\b.dcm', 'a\\b.dcm'],
    ['/scans', '/scans/..a/1.dcm', '..a/1.dcm'],
    ['/scans/1.hdr', '/scans/1.img', '1.img'],
  ])('keeps a backslash elsewhere, where it is a sign like others: of %s, %s', (folder, file, name) => {
    expect(nameWithin(folder, file, posix)).toBe(name);
  });
});

test.each([
  [win32, 'C:\\out', 'C:\\out', true],
  [win32, 'C:\\out', 'C:\\out\\a\\b', true],
  [win32, 'C:\\out', 'C:\\outer', false],
  [win32, 'C:\\out', 'C:\\', false],
  [win32, 'C:\\out', 'D:\\out\\a', false],
  [posix, '/out', '/out/..a', true],
  [posix, '/out', '/out/../a', false],
  [posix, '/out', '/', false],
])('what lies in a folder, and what does not (%#)', (platform, folder, file, expected) => {
  expect(isWithin(folder, file, platform)).toBe(expected);
});
