import { Worker } from 'node:worker_threads';
import type { WalkedFile } from './folder-walk.ts';
import type { KnownFile } from './known-file.ts';

export interface ApartOptions {
  /** The script of the thread, for tests. */
  readonly script?: URL;
  /** Without an answer for so long, the file is given up. */
  readonly limitMs?: number;
}

/** Of the thread's objects. */
const MAX_HEAP_MB = 256;
const LIMIT_MS = 20_000;

/** Reads many files of unknown make in a thread of its own, which has limits of time and memory: what ends it is counted
 * with its reason, the others are read by the next thread, and the server answers meanwhile.
 * @param files a file that is given up is known by this version, and not tried again before it changes
 * @returns in their order; undefined for what is not there any more
 * @throws what keeps the thread from starting */
export async function readFilesApart(
  files: readonly Pick<WalkedFile, 'path' | 'version'>[],
  { script = new URL('./file-thread.js', import.meta.url), limitMs = LIMIT_MS }: ApartOptions = {},
): Promise<(KnownFile | undefined)[]> {
  const found: (KnownFile | undefined)[] = [];
  while (found.length < files.length) {
    const paths = files.slice(found.length).map(({ path }) => path);
    const { answers, fault } = await readUntilFault(paths, script, limitMs);
    found.push(...answers);
    const culprit = files[found.length];
    if (fault !== undefined && culprit !== undefined) found.push({ version: culprit.version, reason: fault });
  }
  return found;
}

interface Outcome {
  readonly answers: readonly (KnownFile | undefined)[];
  /** Why the file behind the last answer was given up. */
  readonly fault?: string;
}

function readUntilFault(paths: readonly string[], script: URL, limitMs: number): Promise<Outcome> {
  const worker = new Worker(script, { execArgv: [], resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB } });
  return new Promise((resolve, reject) => {
    const answers: (KnownFile | undefined)[] = [];
    let isReady = false;
    const end = (outcome: Outcome): void => {
      clearTimeout(timer);
      worker.removeAllListeners();
      worker.on('error', () => undefined);
      worker.terminate().then(() => {
        resolve(outcome);
      }, reject);
    };
    const timer = setTimeout(() => {
      end({ answers, fault: 'takes too long to read' });
    }, limitMs);
    worker.on('message', (answer: KnownFile | 'ready' | undefined) => {
      timer.refresh();
      if (answer === 'ready') isReady = true;
      else answers.push(answer);
      if (answers.length === paths.length) end({ answers });
    });
    worker.on('error', (error: NodeJS.ErrnoException) => {
      if (!isReady) reject(error);
      const isMemory = error.code === 'ERR_WORKER_OUT_OF_MEMORY';
      end({ answers, fault: isMemory ? 'more than is read of a file' : 'not readable' });
    });
    worker.on('exit', () => {
      end({ answers, fault: 'not readable' });
    });
    for (const path of paths) worker.postMessage(path);
  });
}
