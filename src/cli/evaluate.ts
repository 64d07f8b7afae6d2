import { evaluateLabelmaps, type Evaluation, matchSegments } from '../evaluate/evaluation.ts';
import { openFiles } from '../node/files.ts';
import { assertWritable, writeFilesTogether } from '../node/write-file.ts';
import type { CommandContext } from './standard-stream.ts';
import { evaluateSpec } from './commands.ts';
import { type EvaluationDocument, formatCsv } from './documents.ts';
import { assertSameVoxels, commonGrid, regridLabelmap } from '../labelmap/regrid.ts';
import { assertNotAnInput } from './segment-request.ts';
import { type CommandArguments, invalidArguments } from './parse-arguments.ts';
import { formatMl, formatTable, printJson, printLines, printWarnings } from './print.ts';
import { readLabelmap, type ReadLabelmapResult } from './read-labelmap.ts';
import { parseLimits, parseOverlap } from './read-options.ts';

/** `slicewise evaluate`: Dice, volumes and surface distances of a labelmap against a reference, each DICOM-SEG or NIfTI. */
export async function evaluate(
  { positionals, options }: CommandArguments<typeof evaluateSpec>,
  { stdout, stderr }: CommandContext,
): Promise<void> {
  const [predictionPath = '', referencePath = ''] = positionals;
  const tolerance = parseTolerance(options.tolerance);
  const reading = { ...parseOverlap(evaluateSpec, options.overlap), ...parseLimits(evaluateSpec, options.limit) };
  const { csv } = options;
  if (csv !== undefined) {
    assertCsv(csv);
    assertNotAnInput([csv], positionals);
    await assertWritable(csv);
  }
  const prediction = await readLabelmap(openFiles([predictionPath]), reading);
  const reference = await readLabelmap(openFiles([referencePath]), reading);
  const matched = matchSegments(prediction.labelmap, reference.labelmap);
  printWarnings(stderr, [...prediction.warnings, ...reference.warnings, ...matched.notices], evaluateSpec);

  const grids = onOneGrid({ ...prediction, labelmap: matched.labelmap }, reference);
  const evaluation = evaluateLabelmaps(...grids, tolerance);
  if (csv !== undefined) await writeCsv(csv, evaluation);
  if (options.json) {
    const document: EvaluationDocument = { schemaVersion: 1, ...evaluation };
    printJson(stdout, document);
    return;
  }
  printLines(stdout, describeEvaluation(evaluation));
}

function parseTolerance(text: string | undefined): { toleranceMm?: number } {
  if (text === undefined) return {};
  const toleranceMm = Number(text);
  if (toleranceMm > 0 && Number.isFinite(toleranceMm)) return { toleranceMm };
  throw invalidArguments(evaluateSpec, `--tolerance is a distance in mm above 0, not ${text}`);
}

function assertCsv(path: string): void {
  if (path.toLowerCase().endsWith('.csv')) return;
  throw invalidArguments(
    evaluateSpec,
    `--csv writes a file that ends in .csv, not ${path}`,
    'Name it with .csv at the end.',
  );
}

/** A DICOM-SEG leaves out empty slices: it lies on the grid of a NIfTI file, or two of them on one that holds both. */
function onOneGrid(prediction: ReadLabelmapResult, reference: ReadLabelmapResult) {
  const [from, to] = [prediction.labelmap.geometry, reference.labelmap.geometry];
  if (prediction.format === 'NIfTI' && reference.format === 'NIfTI') assertSameVoxels(from, to);
  const grid = reference.format === 'NIfTI' ? to : prediction.format === 'NIfTI' ? from : commonGrid(to, from);
  return [regridLabelmap(prediction.labelmap, grid), regridLabelmap(reference.labelmap, grid)] as const;
}

function describeEvaluation({ toleranceMm, labels, meanDice, absentInBoth, means }: Evaluation): string[] {
  const rows = labels.map((one) => [
    one.name === undefined ? `label ${String(one.label)}` : `${String(one.label)}  ${one.name}`,
    formatShare(one.dice),
    formatShare(one.surfaceDice),
    formatMm(one.hd95Mm),
    formatMm(one.averageSymmetricSurfaceDistanceMm),
    formatMl(one.predictionMl),
    formatMl(one.referenceMl),
  ]);
  const withoutDistances = labels.length - means.labels;
  return [
    ...formatTable([
      ['segment', 'Dice', 'surface Dice', 'HD95', 'ASSD', 'prediction', 'reference'],
      ...rows,
      [
        'mean',
        formatShare(meanDice),
        formatShare(means.surfaceDice),
        formatMm(means.hd95Mm),
        formatMm(means.averageSymmetricSurfaceDistanceMm),
        '',
        '',
      ],
    ]),
    `surface Dice at a tolerance of ${String(toleranceMm)} mm; ASSD: average symmetric surface distance`,
    ...(withoutDistances > 0
      ? [
          `${String(withoutDistances)} of ${String(labels.length)} segments are empty in one of the labelmaps or both and have no distances (–)`,
        ]
      : []),
    ...(absentInBoth > 0 ? [`${String(absentInBoth)} of them are empty in both and count in no mean`] : []),
  ];
}

function formatShare(value: number | null): string {
  return value === null ? '–' : value.toFixed(4);
}

function formatMm(value: number | null): string {
  return value === null ? '–' : `${value.toFixed(2)} mm`;
}

const CSV_COLUMNS = [
  'label',
  'name',
  'dice',
  'surface_dice',
  'tolerance_mm',
  'hd95_mm',
  'average_symmetric_surface_distance_mm',
  'prediction_to_reference_mm',
  'reference_to_prediction_mm',
  'prediction_ml',
  'reference_ml',
  'empty',
] as const;

async function writeCsv(path: string, { toleranceMm, labels }: Evaluation): Promise<void> {
  const rows = labels.map((one) => ({
    label: one.label,
    name: one.name,
    dice: one.dice,
    surface_dice: one.surfaceDice,
    tolerance_mm: toleranceMm,
    hd95_mm: one.hd95Mm,
    average_symmetric_surface_distance_mm: one.averageSymmetricSurfaceDistanceMm,
    prediction_to_reference_mm: one.predictionToReferenceMm,
    reference_to_prediction_mm: one.referenceToPredictionMm,
    prediction_ml: one.predictionMl,
    reference_ml: one.referenceMl,
    empty: one.empty,
  }));
  await writeFilesTogether((stage) => stage(path, [new TextEncoder().encode(formatCsv(CSV_COLUMNS, rows))]));
}
