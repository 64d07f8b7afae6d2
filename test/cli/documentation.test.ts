import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { commandSpecs } from '../../src/cli/commands.ts';
import { ExitCode } from '../../src/cli/print.ts';
import { parseArguments } from '../../src/cli/parse-arguments.ts';

const docs = resolve(import.meta.dirname, '../../docs');
const page = readFileSync(resolve(docs, 'cli.md'), 'utf8');
const sectionOf = (name: string): string => page.split(/^## /m).find((part) => part.startsWith(`${name}\n`)) ?? '';
const commandLines = [...page.matchAll(/^slicewise .+$/gm)].map(([line]) => line);

describe('docs/cli.md', () => {
  test.each(commandLines)('%s is a command line that the CLI accepts', (line) => {
    const [, name, ...argv] = line.split(' ');
    const spec = commandSpecs.find((command) => command.name === name);
    expect(spec).toBeDefined();
    if (spec !== undefined) parseArguments(spec, argv);
  });

  test.each(commandSpecs)('$name is there with every option', (spec) => {
    const section = sectionOf(spec.name);
    expect(section).toContain(`slicewise ${spec.name} `);
    for (const option of Object.keys(spec.options).filter((name) => name !== 'quiet' && name !== 'series')) {
      expect(section).toContain(`--${option}`);
    }
  });

  test('every exit code is there', () => {
    for (const code of Object.values(ExitCode))
      expect(sectionOf('Exit codes')).toMatch(new RegExp(`^\\| ${String(code)} +\\|`, 'm'));
  });

  test('its links lead somewhere', () => {
    const links = [...page.matchAll(/\]\(([^)]+)\)/g)].map(([, target = '']) => target);
    expect(links.length).toBeGreaterThan(5);
    expect(links.filter((target) => !existsSync(resolve(docs, target.replace(/#.*/, ''))))).toEqual([]);
  });
});

test('the examples of every --help are command lines that the CLI accepts', () => {
  for (const spec of commandSpecs) {
    for (const example of spec.examples) parseArguments(spec, example.split(' ').slice(2));
  }
});
