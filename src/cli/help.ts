import { commandSpecs } from './commands.ts';
import type { CommandSpec, PositionalSpec } from './parse-arguments.ts';
import { RESEARCH_USE_ONLY } from './print.ts';

export function formatHelp(): string[] {
  const rows: [string, string][] = commandSpecs.map(({ name, summary }) => [name, summary]);
  return [
    'slicewise: segments organs and tumours in DICOM and NIfTI scans, on this machine alone',
    '',
    'Usage: slicewise <command> …',
    '',
    ...formatColumns(rows),
    '',
    'slicewise <command> --help tells more · slicewise --version',
    RESEARCH_USE_ONLY,
  ];
}

export function formatCommandHelp(spec: CommandSpec): string[] {
  const optionRows = Object.entries(spec.options).map(([name, option]): [string, string] => [
    formatOption(name, option.value),
    option.help,
  ]);
  const positionalRows = spec.positionals.map(({ name, help }): [string, string] => [`<${name}>`, help]);
  return [
    `slicewise ${spec.name}: ${spec.summary}`,
    '',
    `Usage: ${formatUsage(spec)}`,
    '',
    ...formatColumns([...positionalRows, ...optionRows]),
    '',
    'Examples:',
    ...spec.examples.map((example) => `  ${example}`),
    '',
    RESEARCH_USE_ONLY,
  ];
}

function formatUsage(spec: CommandSpec): string {
  const parts = spec.positionals.map(formatPositional);
  for (const [name, { value }] of Object.entries(spec.options)) {
    const option = formatOption(name, value);
    parts.push(spec.required.includes(name) ? option : `[${option}]`);
  }
  return `slicewise ${spec.name} ${parts.join(' ')}`;
}

function formatPositional({ name, optional, several }: PositionalSpec): string {
  const placeholder = `<${name}>${several ? ' …' : ''}`;
  return optional ? `[${placeholder}]` : placeholder;
}

function formatOption(name: string, value: string | undefined): string {
  return value === undefined ? `--${name}` : `--${name} <${value}>`;
}

function formatColumns(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`);
}
