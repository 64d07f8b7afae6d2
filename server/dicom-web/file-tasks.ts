import { parentPort } from 'node:worker_threads';
import { readFile } from './known-file.ts';

// Says that it is ready, then reads the files whose paths it is sent, one after another, and answers each in its turn.

parentPort?.postMessage('ready');

let last: Promise<void> = Promise.resolve();

parentPort?.on('message', (path: string) => {
  last = last.then(async () => {
    parentPort?.postMessage(await readFile(path));
  });
});
