import { evaluateOverlap } from '../evaluate/overlap.ts';
import { openFiles } from '../node/files.ts';
import type { CommandContext } from './command-context.ts';
import { evaluateSpec } from './commands.ts';
import type { EvaluationDocument } from './documents.ts';
import { assertSameVoxels, commonGrid, labelmapOnto } from './onto-grid.ts';
import { invalidArguments, type CommandArguments } from './parse-arguments.ts';
import { formatMl, formatTable, printJson, printLines, printWarnings } from './print.ts';
import { readLabelmap } from './read-labelmap.ts';
import { parseOverlap } from './seg-options.ts';

/** `slicewise evaluate`: Dice and volumes of a labelmap against a reference, each DICOM-SEG or NIfTI. */
export async function evaluate(
  { positionals, options }: CommandArguments<typeof evaluateSpec>,
  { stdout, stderr }: CommandContext,
): Promise<void> {
  const [predictionPath = '', referencePath = ''] = positionals;
  if (options.tolerance !== undefined) {
    if (!(Number(options.tolerance) > 0)) {
      throw invalidArguments(evaluateSpec, `--tolerance is a distance in mm above 0, not ${options.tolerance}`);
    }
    stderr.write('warning: --tolerance is for surface figures, which this version does not compute.\n');
  }
  const rule = parseOverlap(evaluateSpec, options.overlap);
  const prediction = await readLabelmap(openFiles([predictionPath]), rule);
  const reference = await readLabelmap(openFiles([referencePath]), rule);
  printWarnings(stderr, [...prediction.warnings, ...reference.warnings]);

  const [from, to] = [prediction.labelmap.geometry, reference.labelmap.geometry];
  if (prediction.format === 'NIfTI' && reference.format === 'NIfTI') assertSameVoxels(from, to);
  // A DICOM-SEG leaves out empty slices: it lies on the grid of a NIfTI file, or two of them on one that holds both.
  const grid = reference.format === 'NIfTI' ? to : prediction.format === 'NIfTI' ? from : commonGrid(to, from);
  const overlap = evaluateOverlap(labelmapOnto(prediction.labelmap, grid), labelmapOnto(reference.labelmap, grid));

  if (options.json) {
    const document: EvaluationDocument = { schemaVersion: 1, ...overlap };
    printJson(stdout, document);
    return;
  }
  const rows = overlap.labels.map(({ label, name, dice, predictionMl, referenceMl }) => [
    name === undefined ? `label ${String(label)}` : `${String(label)}  ${name}`,
    dice.toFixed(4),
    formatMl(predictionMl),
    formatMl(referenceMl),
  ]);
  printLines(
    stdout,
    formatTable([
      ['segment', 'Dice', 'prediction', 'reference'],
      ...rows,
      ['mean', overlap.meanDice.toFixed(4), '', ''],
    ]),
  );
}
