import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { EnvironmentError } from '../src/index.ts';

/** A package of its own: OHIF's build, by its lock file. */
const OHIF_APP = join(import.meta.dirname, '..', 'extension', 'ohif-app');
const DIST = join(OHIF_APP, 'node_modules', '@ohif', 'app', 'dist');

/** OHIF's published build; the first time it is fetched from the package registry (50 MB) and checked by its hash.
 * @returns the folder with its index.html
 * @throws EnvironmentError `ohif-unavailable` if npm could not fetch it */
export async function openOhifApp(onInstall: () => void): Promise<string> {
  if (existsSync(join(DIST, 'index.html'))) return DIST;
  onInstall();
  const { code, output } = await npm(['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--prefix', OHIF_APP]);
  if (code === 0 && existsSync(join(DIST, 'index.html'))) return DIST;
  throw new EnvironmentError('ohif-unavailable', `OHIF could not be fetched: ${lastLine(output)}.`, {
    remedy: `Check the connection to the package registry and run \`npm start\` again, or \`npm ci --ignore-scripts --prefix ${OHIF_APP}\`.`,
  });
}

function npm(args: readonly string[]): Promise<{ readonly code: number | null; readonly output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn('npm', [...args], { stdio: ['ignore', 'pipe', 'pipe'], shell: process.platform === 'win32' });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => (output += text));
    }
    child.on('error', reject);
    child.on('close', (code) => {
      resolve({ code, output });
    });
  });
}

function lastLine(output: string): string {
  const errors = output.split('\n').filter((line) => line.startsWith('npm error') && !line.includes('log of this run'));
  return (errors[0] ?? 'npm gave no reason').replace(/^npm error\s*/, '');
}
