#!/usr/bin/env node
import { ExitCode } from './exit-code.ts';
import { runCli } from './run-cli.ts';

// `slicewise models | head -1`: a reader that has seen enough is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

process.exitCode = await runCli(process.argv.slice(2), {
  stdout: process.stdout,
  stderr: process.stderr,
  catchInterrupts,
  debug: Boolean(process.env['DEBUG']),
});

function catchInterrupts(): AbortSignal {
  const controller = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => {
      // A second Ctrl-C does not wait for the work to unwind; temporary files are removed on exit either way.
      if (controller.signal.aborted) process.exit(ExitCode.interrupted);
      controller.abort(new Error('Interrupted'));
    });
  }
  return controller.signal;
}
