import { InputError } from '../errors.ts';
import type { CommandContext, InterruptibleContext } from './standard-stream.ts';
import {
  commandSpecs,
  convertSpec,
  evaluateSpec,
  formatCommandHelp,
  formatHelp,
  infoSpec,
  modelsSpec,
  ohifFilesSpec,
  segmentSpec,
} from './commands.ts';
import { ExitCode, exitCodeOf, formatError, printLines } from './print.ts';
import { nearestName } from '../visible-text.ts';
import { type CommandSpec, parseArguments } from './parse-arguments.ts';
import { softwareVersion } from './encode-labelmap.ts';

/** @returns the exit code */
type RunCommand = (argv: readonly string[], context: CliContext) => Promise<number>;

/** Each command's code is loaded when it runs: --help needs none of it, info no inference, evaluate no reader of images. */
const commands: Readonly<Record<(typeof commandSpecs)[number]['name'], RunCommand>> = {
  segment: async (argv, context) => {
    const given = parseArguments(segmentSpec, argv);
    if (given.options['output-dir'] !== undefined) {
      return (await import('./batch/segment-folder.ts')).segmentFolder(given, interruptible(context));
    }
    await (await import('./segment.ts')).segment(given, interruptible(context));
    return ExitCode.done;
  },
  info: async (argv, context) => {
    const given = parseArguments(infoSpec, argv);
    return (await import('./info.ts')).info(given, context);
  },
  models: async (argv, context) => {
    const given = parseArguments(modelsSpec, argv);
    if (given.positionals[0] === 'add') {
      await (await import('./models.ts')).addModel(given, interruptible(context));
      return ExitCode.done;
    }
    await (await import('./models.ts')).models(given, context);
    return ExitCode.done;
  },
  convert: async (argv, context) => {
    const given = parseArguments(convertSpec, argv);
    await (await import('./convert.ts')).convert(given, interruptible(context));
    return ExitCode.done;
  },
  'ohif-files': async (argv, context) => {
    const given = parseArguments(ohifFilesSpec, argv);
    await (await import('./ohif-files.ts')).ohifFiles(given, interruptible(context));
    return ExitCode.done;
  },
  evaluate: async (argv, context) => {
    const given = parseArguments(evaluateSpec, argv);
    await (await import('./evaluate.ts')).evaluate(given, context);
    return ExitCode.done;
  },
};

export interface CliContext extends CommandContext {
  /** From this call on Ctrl-C aborts the signal; before, it ends the process at once. */
  readonly catchInterrupts: () => AbortSignal;
  /** Print the stack of an error too (the environment variable DEBUG). */
  readonly debug: boolean;
}

function interruptible({ stdout, stderr, catchInterrupts }: CliContext): InterruptibleContext {
  return { stdout, stderr, signal: catchInterrupts() };
}

/** Runs one command line and tells its outcome as an exit code; throws nothing. */
export async function runCli(argv: readonly string[], context: CliContext): Promise<number> {
  let signal: AbortSignal | undefined;
  const catchInterrupts = (): AbortSignal => (signal = context.catchInterrupts());
  try {
    return await dispatch(argv, { ...context, catchInterrupts });
  } catch (error) {
    if (signal?.aborted) {
      printLines(context.stderr, ['Interrupted: nothing was written.']);
      return ExitCode.interrupted;
    }
    printLines(context.stderr, formatError(error, { withStack: context.debug, spec: specOf(argv) }));
    return exitCodeOf(error);
  }
}

async function dispatch(argv: readonly string[], context: CliContext): Promise<number> {
  const [name, ...rest] = argv;
  if (name === 'help' && rest[0] !== undefined) {
    return dispatch([rest[0], '--help'], context);
  }
  if (name === undefined || name === 'help' || name === '--help' || name === '-h') {
    printLines(context.stdout, formatHelp());
    return ExitCode.done;
  }
  if (name === '--version') {
    printLines(context.stdout, [softwareVersion()]);
    return ExitCode.done;
  }
  const spec = commandSpecs.find((command) => command.name === name);
  if (spec === undefined) throw unknownCommand(name);
  const optionsEnd = rest.indexOf('--');
  const options = optionsEnd < 0 ? rest : rest.slice(0, optionsEnd);
  if (options.includes('--help') || options.includes('-h')) {
    printLines(context.stdout, formatCommandHelp(spec));
    return ExitCode.done;
  }
  return commands[spec.name](rest, context);
}

function specOf([name]: readonly string[]): CommandSpec | undefined {
  return commandSpecs.find((command) => command.name === name);
}

function unknownCommand(name: string): InputError {
  const names = commandSpecs.map((command) => command.name);
  const nearest = nearestName(name, names);
  return new InputError('invalid-arguments', `There is no command ${name}.`, {
    remedy:
      nearest === undefined
        ? `Use one of ${names.join(', ')}; slicewise --help tells more.`
        : `Did you mean: slicewise ${nearest}?`,
    details: { commands: names },
  });
}
