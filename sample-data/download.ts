import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { EnvHttpProxyAgent, fetch } from 'undici';
import { z } from 'zod';
import { EnvironmentError, InputError } from '../src/errors.ts';
import { isMainModule } from './is-main-module.ts';

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
/** Inside the target folder, whatever a table may say. */
const relativePath = z.string().regex(/^(?!.*\.\.)[\w-][\w./-]*$/);

const publicSeriesSchema = z.strictObject({
  title: z.string(),
  reference: z.string(),
  licence: z.string(),
  /** `source` of a file is appended to it. */
  baseUrl: z.url(),
  files: z.array(
    z.strictObject({
      path: relativePath,
      source: z.string(),
      sha256,
      byteLength: z.number().int().positive(),
    }),
  ),
});

/** Public files with their place, size and SHA-256. */
export type PublicSeries = z.infer<typeof publicSeriesSchema>;

type PublicFile = PublicSeries['files'][number];

export interface DownloadOptions {
  /** Instead of the table's. */
  readonly baseUrl?: string;
  readonly onFile?: (done: number, total: number) => void;
}

/** Reads a table of public files from JSON. */
export function parsePublicSeries(json: string): PublicSeries {
  return publicSeriesSchema.parse(JSON.parse(json));
}

/** Fetches every file that is missing or is not what the table says; a run that was interrupted goes on where it
 * stopped. A file gets its name only after its SHA-256 was found right.
 * @throws EnvironmentError `file-not-readable` if the server does not answer with the file; InputError `damaged-file`
 * if it answers with another one */
export async function downloadSeries(
  series: PublicSeries,
  folder: string,
  { baseUrl = series.baseUrl, onFile }: DownloadOptions = {},
): Promise<{ readonly downloaded: number; readonly present: number }> {
  let downloaded = 0;
  let present = 0;
  for (const file of series.files) {
    const target = join(folder, file.path);
    if (await isIntact(target, file)) present++;
    else {
      await downloadFile(new URL(file.source, baseUrl), target, file);
      downloaded++;
    }
    onFile?.(downloaded + present, series.files.length);
  }
  return { downloaded, present };
}

async function isIntact(path: string, { sha256: expected }: PublicFile): Promise<boolean> {
  try {
    return sha256Of(await readFile(path)) === expected;
  } catch {
    return false;
  }
}

async function downloadFile(url: URL, target: string, file: PublicFile): Promise<void> {
  const bytes = await fetchBytes(url);
  const actual = sha256Of(bytes);
  if (bytes.byteLength !== file.byteLength || actual !== file.sha256) {
    await rm(target, { force: true });
    throw new InputError(
      'damaged-file',
      `${url.href} is not the file that was published: ${bytes.byteLength} bytes with SHA-256 ${actual}, ` +
        `expected ${file.byteLength} bytes with ${file.sha256}.`,
      { remedy: 'Run the download again; if it stays so, the source has changed: do not use it.' },
    );
  }
  await mkdir(dirname(target), { recursive: true });
  const temporary = `${target}.partial`;
  try {
    await writeFile(temporary, bytes);
    await rename(temporary, target);
  } finally {
    await rm(temporary, { force: true });
  }
}

async function fetchBytes(url: URL): Promise<Uint8Array> {
  try {
    const response = await fetch(url, { dispatcher: byProxy() });
    if (!response.ok) throw new Error(`the server answered ${response.status} ${response.statusText}`);
    return new Uint8Array(await response.arrayBuffer());
  } catch (cause) {
    throw new EnvironmentError('file-not-readable', `${url.href} could not be fetched: ${reasonOf(cause)}.`, {
      remedy: 'Check the connection and run the download again: it goes on where it stopped.',
      cause,
    });
  }
}

let agent: EnvHttpProxyAgent | undefined;

/** The proxies of the environment: HTTP_PROXY, HTTPS_PROXY, NO_PROXY, in capitals or not. Node's own fetch heeds them from
 * 24 on, and only if it is told to. */
function byProxy(): EnvHttpProxyAgent {
  return (agent ??= new EnvHttpProxyAgent());
}

/** "fetch failed: connect ECONNREFUSED 127.0.0.1:9": what failed, down to its cause; of several addresses each. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) {
    return [...new Set(error.errors.map(reasonOf))].join('; ');
  }
  if (!(error instanceof Error)) return String(error);
  const own = error.message === '' && 'code' in error ? String(error.code) : error.message;
  return error.cause === undefined ? own : `${own}: ${reasonOf(error.cause)}`;
}

function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { output: { type: 'string', default: join(import.meta.dirname, 'downloaded', 'cardiac-sunnybrook') } },
  });
  const series = parsePublicSeries(await readFile(join(import.meta.dirname, 'sunnybrook.json'), 'utf8'));
  console.log(`${series.title} (${series.licence}).\n${series.reference}`);
  const { downloaded, present } = await downloadSeries(series, values.output, {
    onFile: (done, total) => {
      if (process.stderr.isTTY && process.env['TERM'] !== 'dumb') process.stderr.write(`\r${done} of ${total} files`);
    },
  });
  console.log(`${downloaded} files fetched, ${present} were there: ${values.output}`);
}

if (isMainModule(import.meta.url)) {
  try {
    await main();
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    if (error instanceof InputError || error instanceof EnvironmentError) console.error(error.remedy);
    process.exitCode = error instanceof EnvironmentError ? 3 : 2;
  }
}
