#!/usr/bin/env node
import { EnvironmentError } from '../errors.ts';
import { endProcessBySignal, UNWINDING_MS } from '../node/process.ts';
import { ExitCode, formatError, printLines } from './print.ts';
import { runCli } from './run-cli.ts';
import { standardStream } from './standard-stream.ts';

const terminal = process.env['TERM'];
const stdout = standardStream(process.stdout, { terminal });
const stderr = standardStream(process.stderr, { terminal });
const debug = Boolean(process.env['DEBUG']);

const code = await runCli(process.argv.slice(2), { stdout, stderr, catchInterrupts, debug });
const failure = await stdout.failure();
if (failure !== undefined) printLines(stderr, formatError(notPrinted(failure), { withStack: debug }));
await stderr.failure();
process.exitCode = code === ExitCode.done && failure !== undefined ? ExitCode.environment : code;

function notPrinted(cause: NodeJS.ErrnoException): EnvironmentError {
  const reason = cause.code === 'ENOSPC' || cause.code === 'EDQUOT' ? 'the disk is full' : cause.message;
  return new EnvironmentError('file-not-writable', `The standard output cannot be written: ${reason}.`, {
    remedy: 'Send it to where there is room. Files that the command was to write are there all the same.',
    cause,
  });
}

function endInterrupted(name: 'SIGINT' | 'SIGTERM'): void {
  stderr.write('Interrupted.\n');
  endProcessBySignal(name);
}

function catchInterrupts(): AbortSignal {
  const controller = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => {
      // A second Ctrl-C does not wait for the work to unwind, nor does a run of a model that takes longer hold it up;
      // temporary files are removed on exit either way.
      if (controller.signal.aborted) endProcessBySignal(name);
      else setTimeout(endInterrupted, UNWINDING_MS, name).unref();
      controller.abort(new Error('Interrupted'));
    });
  }
  return controller.signal;
}
