import { describe, expect, test } from 'vitest';
import { InputError } from '../../src/errors.ts';
import { commandSpecs, infoSpec, modelsSpec, segmentSpec } from '../../src/cli/commands.ts';
import { nearestName } from '../../src/visible-text.ts';
import { parseArguments, type CommandSpec } from '../../src/cli/parse-arguments.ts';

const complete = ['scan', '--model', 'cardiac-mr', '--output', 'seg.dcm'];

function refusal(spec: CommandSpec, argv: readonly string[]): InputError {
  try {
    parseArguments(spec, argv);
  } catch (error) {
    if (error instanceof InputError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('parseArguments', () => {
  test('inputs and options may come in any order, several inputs in theirs', () => {
    const { positionals, options } = parseArguments(segmentSpec, [
      '--tta',
      'a.dcm',
      '--model=own/folder',
      'b.dcm',
      '--output',
      'seg.nii.gz',
      'c.dcm',
    ]);
    expect(positionals).toEqual(['a.dcm', 'b.dcm', 'c.dcm']);
    expect(options).toEqual({ tta: true, model: 'own/folder', output: 'seg.nii.gz' });
  });

  test('what follows -- is an input, even if it looks like an option', () => {
    expect(parseArguments(infoSpec, ['--json', '--', '--odd-name.dcm']).positionals).toEqual(['--odd-name.dcm']);
  });

  test.each([
    ['--modle', 'Did you mean --model?'],
    ['--out', 'Did you mean --output?'],
    ['--thread', 'Did you mean --threads?'],
    ['--qiuet', 'Did you mean --quiet?'],
  ])('%s is refused with the nearest name', (given, remedy) => {
    const error = refusal(segmentSpec, [...complete, given, 'x']);
    expect(error.message).toContain(given);
    expect(error.remedy).toBe(remedy);
  });

  test.each([
    [['--frobnicate'], 'has no option --frobnicate'],
    [['-q'], 'has no option -q'],
    [['--toString'], 'has no option --toString'],
    [['--threads'], '--threads needs a value'],
    [['--threads', '--tta'], '--threads needs a value'],
    [['--preview='], '--preview needs a value'],
    [['--tta=yes'], '--tta takes no value'],
    [['--model', 'other'], '--model was given twice'],
    [[''], 'An argument is empty'],
  ])('%j is refused', (extra, message) => {
    expect(refusal(segmentSpec, [...complete, ...extra]).message).toContain(message);
  });

  test.each([
    [segmentSpec, ['scan', '--output', 'x.dcm'], '--model is missing'],
    [segmentSpec, ['--model', 'm', '--output', 'x.dcm'], '<input> is missing'],
    [modelsSpec, ['show', 'a', 'b'], 'one argument too many: b'],
  ] as const)('%#: what is missing or too much is named', (spec, argv, message) => {
    expect(refusal(spec, argv).message).toContain(message);
  });

  test('the options of the published contract are there, and no other for segment', () => {
    expect(Object.keys(segmentSpec.options).sort()).toEqual(
      [
        'model',
        'output',
        'seg-type',
        'compress',
        'series',
        'phase',
        'resample',
        'limit',
        'reference',
        'backend',
        'tta',
        'threads',
        'force',
        'preview',
        'report',
        'output-dir',
        'csv',
        'jobs',
        'format',
        'overwrite',
        'json',
        'quiet',
      ].sort(),
    );
    expect(commandSpecs.map(({ name }) => name)).toEqual([
      'segment',
      'info',
      'models',
      'convert',
      'evaluate',
      'ohif-files',
    ]);
  });
});

describe('nearestName', () => {
  const names = ['segment', 'info', 'models', 'convert', 'evaluate'];

  test.each([
    ['segmnet', 'segment'],
    ['model', 'models'],
    ['eval', 'evaluate'],
    ['covnert', 'convert'],
  ])('%s was meant to be %s', (given, meant) => {
    expect(nearestName(given, names)).toBe(meant);
  });

  test('nothing is suggested where nothing is near', () => {
    expect(nearestName('frobnicate', names)).toBeUndefined();
  });
});
