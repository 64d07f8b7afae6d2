import { parseArgs } from 'node:util';
import { InputError } from '../errors.ts';
import { nearestName } from '../visible-text.ts';

interface OptionSpec {
  readonly type: 'string' | 'boolean';
  /** What the value is, for the help text; strings only. */
  readonly value?: string;
  readonly help: string;
}

export interface PositionalSpec {
  readonly name: string;
  readonly help: string;
  /** May be left out; only the last ones. */
  readonly optional?: true;
  /** May be given more than once; one of them at most. */
  readonly several?: true;
}

/** What a command accepts, as data: parsing and help are derived from it. */
export interface CommandSpec {
  readonly name: string;
  readonly summary: string;
  readonly positionals: readonly PositionalSpec[];
  readonly options: Readonly<Record<string, OptionSpec>>;
  /** Names of options that must be given. */
  readonly required: readonly string[];
  readonly examples: readonly string[];
}

export interface CommandArguments<S extends CommandSpec> {
  readonly positionals: readonly string[];
  readonly options: {
    readonly [K in keyof S['options']]?: S['options'][K]['type'] extends 'boolean' ? boolean : string;
  };
}

/** Reads a command's arguments strictly: nothing is guessed, nothing ignored.
 * @throws InputError `invalid-arguments` naming the argument, and the nearest valid name of an unknown option */
export function parseArguments<S extends CommandSpec>(spec: S, argv: readonly string[]): CommandArguments<S> {
  const options: Record<string, string | boolean> = {};
  const { tokens, positionals } = parseArgs({
    args: [...argv],
    options: Object.fromEntries(Object.entries(spec.options).map(([name, { type }]) => [name, { type }])),
    allowPositionals: true,
    strict: false,
    tokens: true,
  });
  for (const token of tokens) {
    if (token.kind !== 'option') continue;
    const option = Object.hasOwn(spec.options, token.name) ? spec.options[token.name] : undefined;
    if (option === undefined || token.rawName === `-${token.name}`) throw unknownOption(spec, token.rawName);
    if (Object.hasOwn(options, token.name)) throw invalidArguments(spec, `${token.rawName} was given twice`);
    if (option.type === 'boolean') {
      if (token.value !== undefined) throw invalidArguments(spec, `${token.rawName} takes no value`);
      options[token.name] = true;
    } else {
      const looksLikeOption = token.inlineValue === false && token.value.startsWith('-');
      if (token.value === undefined || token.value === '' || looksLikeOption) {
        throw invalidArguments(spec, `${token.rawName} needs a value, <${option.value ?? 'value'}>`);
      }
      options[token.name] = token.value;
    }
  }
  assertPositionals(spec, positionals);
  for (const name of spec.required) {
    if (options[name] === undefined) throw invalidArguments(spec, `--${name} is missing`);
  }
  return { positionals, options: options as CommandArguments<S>['options'] };
}

/** The error for arguments that a command cannot accept. */
export function invalidArguments(spec: Pick<CommandSpec, 'name'>, problem: string, remedy?: string): InputError {
  return new InputError('invalid-arguments', `${problem}.`, {
    remedy: remedy ?? `See: slicewise ${spec.name} --help`,
    details: { command: spec.name },
  });
}

function unknownOption(spec: CommandSpec, rawName: string): InputError {
  const nearest = nearestName(rawName.replace(/^-+/, ''), Object.keys(spec.options));
  return invalidArguments(
    spec,
    `slicewise ${spec.name} has no option ${rawName}`,
    nearest === undefined ? undefined : `Did you mean --${nearest}?`,
  );
}

function assertPositionals(spec: CommandSpec, given: readonly string[]): void {
  const needed = spec.positionals.filter((positional) => positional.optional !== true);
  const missing = needed[given.length];
  if (missing !== undefined) throw invalidArguments(spec, `<${missing.name}> is missing`);
  const unexpected = given[spec.positionals.length];
  if (unexpected !== undefined && !spec.positionals.some(({ several }) => several)) {
    throw invalidArguments(spec, `There is one argument too many: ${unexpected}`);
  }
  if (given.includes('')) throw invalidArguments(spec, 'An argument is empty');
}
