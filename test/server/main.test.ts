import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { temporaryFolder } from './served.ts';

/** Runs what `npm start` runs, to its end. */
function start(...args: readonly string[]): {
  readonly status: number | null;
  readonly stderr: string;
  stdout: string;
} {
  const main = join(import.meta.dirname, '..', '..', 'server', 'main.ts');
  return spawnSync(process.execPath, ['--import', 'tsx', main, ...args], { encoding: 'utf8', timeout: 60_000 });
}

test.each([
  ['a port that is none', ['--port', '70000'], 'error: --port is a number up to 65535, not "70000".'],
  ['an unknown option', ['--dat', 'x'], "error: Unknown option '--dat'"],
  ['a folder that is not there', ['--data', 'no/such folder'], 'error: There is no folder no/such folder.'],
  ['a file for a folder', ['--data', 'package.json'], 'error: There is no folder package.json.'],
  ['two places', ['--pacs', 'http://127.0.0.1/dicom-web', '--data', '.'], 'error: --pacs stands alone'],
  ['an address that is none', ['--pacs', 'nonsense'], 'error: '],
  ['credentials of no Orthanc', ['--credentials-file', 'x'], 'error: --credentials-file is for'],
])('%s is told before anything is fetched or read', (_, args, message) => {
  const { status, stdout, stderr } = start(...args);
  expect(stderr).toContain(message);
  expect([status, stdout]).toEqual([2, '']);
});

test('what a terminal obeys in an option is made visible', () => {
  const { status, stderr } = start('--data', 'a\u001b[2J\u202e\nerror: b');
  expect(status).toBe(2);
  expect(stderr).toContain('There is no folder a\\x1b[2J\\u202e\\nerror: b.');
  for (const sign of ['\u001b', '\u202e']) expect(stderr).not.toContain(sign);
});

test('a port that is taken ends it with 3 before files are read', async () => {
  const server = createServer().listen(0, '0.0.0.0');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const address = server.address();
  const port = typeof address === 'object' ? String(address?.port) : '';
  const folder = join(temporaryFolder(), 'data');
  mkdirSync(folder);
  const { status, stdout, stderr } = start('--port', port, '--data', folder);
  expect([status, stdout]).toEqual([3, '']);
  expect(stderr).toBe(
    `error: Port ${port} is in use by another program.\n  Pass another: npm start -- --port 0 takes a free one.\n`,
  );
});
