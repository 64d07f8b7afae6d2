import { readdirSync, readFileSync } from 'node:fs';
import ts from 'typescript';
import { describe, expect, test } from 'vitest';
import { commandSpecs } from '../src/cli/commands.ts';
import { REMEDY_OPTIONS } from '../src/errors.ts';

/** An option of a command line in a text; those of other programs stand behind the program's name. */
const OPTION = /(?<![\w-])--[a-z][\w-]*/g;
const OTHER_PROGRAMS = /\b(?:gdcmconv|dcmconv|dcmdjpeg|npm \w+(?: [a-z][\w-]*)?)(?: --?[\w-]+)+/g;

// The command line words its own options, and the server its own.
const OWN_WORDS = ['src/cli/', 'extension/ohif-app/', 'extension/dist/'];

const sources = ['src', 'extension', 'examples']
  .flatMap((folder) => readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => `${folder}/${name}`))
  .map((path) => path.replaceAll('\\', '/'))
  .filter((path) => /(?<!\.d)\.(?:ts|tsx|js)$/.test(path) && !OWN_WORDS.some((folder) => path.startsWith(folder)))
  .sort();

describe('remedies are data', () => {
  test('the search finds an option in a text, and none of another program', () => {
    const named = `const a = "Pass --phase 2."; const b = \`\${1} or --limit x\`; // --comment`;
    expect(optionsIn(named)).toEqual(['--phase', '--limit']);
    expect(optionsIn('const a = "gdcmconv --raw in.dcm out.dcm";')).toEqual([]);
  });

  test('no text outside the command line names an option of it', () => {
    expect(sources.length).toBeGreaterThan(150);
    const found = sources.flatMap((path) =>
      optionsIn(readFileSync(path, 'utf8')).map((option) => `${path}: ${option}`),
    );
    expect(found).toEqual([]);
  });

  test.each(REMEDY_OPTIONS)('a command has the option %s', (option) => {
    expect(commandSpecs.some(({ options }) => Object.hasOwn(options, option))).toBe(true);
  });

  test('every option that an error or notice carries is one of them', () => {
    const carried = sources.flatMap((path) =>
      [...readFileSync(path, 'utf8').matchAll(/\boption: '([^']+)'/g)].map(([, option]) => option ?? ''),
    );
    expect(carried).toEqual(expect.arrayContaining(['phase', 'series', 'resample', 'reference', 'overlap', 'force']));
    expect(carried.filter((option) => !(REMEDY_OPTIONS as readonly string[]).includes(option))).toEqual([]);
  });
});

/** Of string literals and templates, not of comments. */
function optionsIn(source: string): string[] {
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    const isText =
      ts.isStringLiteralLike(node) ||
      ts.isTemplateHead(node) ||
      ts.isTemplateMiddleOrTemplateTail(node) ||
      ts.isJsxText(node);
    if (isText) found.push(...(node.text.replace(OTHER_PROGRAMS, '').match(OPTION) ?? []));
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile('source.tsx', source, ts.ScriptTarget.Latest, true, ts.ScriptKind.TSX));
  return found;
}
