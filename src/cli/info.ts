import { openFiles } from '../node/files.ts';
import type { SeriesDescription } from '../readers/reader.ts';
import { describeVolumes } from '../readers/read-volume.ts';
import type { CommandContext } from './command-context.ts';
import { segmentSpec, type infoSpec } from './commands.ts';
import type { InfoDocument } from './documents.ts';
import type { CommandArguments } from './parse-arguments.ts';
import { formatCount, formatGeometry, printJson, printLines } from './print.ts';
import { toGeometryDocument } from './to-geometry-document.ts';
import { wordRemedy } from './word-remedy.ts';

/** `slicewise info`: every series of the input, its geometry, and what is odd about it. */
export async function info(
  { positionals, options }: CommandArguments<typeof infoSpec>,
  { stdout }: CommandContext,
): Promise<void> {
  const { series, ignoredFiles } = await describeVolumes(openFiles(positionals));
  if (options.json) {
    const document: InfoDocument = { schemaVersion: 1, series: series.map(toDocument), ignoredFiles };
    printJson(stdout, document);
    return;
  }
  const lines = series.flatMap((one) => [...describeSeries(one), '']);
  const counted = formatCount(series.length, 'series', 'series');
  const ignored = ignoredFiles > 0 ? `, ${formatCount(ignoredFiles, 'other file')} ignored` : '';
  printLines(stdout, [...lines, `${counted}${ignored}`]);
}

function toDocument(series: SeriesDescription): InfoDocument['series'][number] {
  const { geometry, problem, warnings, transferSyntaxUIDs, ...plain } = series;
  return {
    ...plain,
    ...(transferSyntaxUIDs && { transferSyntaxUIDs: [...transferSyntaxUIDs] }),
    ...(geometry && { geometry: toGeometryDocument(geometry) }),
    ...(problem && { problem }),
    warnings: warnings.map(({ code, message }) => ({ code, message })),
  };
}

function describeSeries(series: SeriesDescription): string[] {
  const { format, fileName, modality, bodyPartExamined, seriesDescription, seriesInstanceUID, geometry, problem } =
    series;
  const what = [fileName, modality, bodyPartExamined, seriesDescription].filter(
    (part) => part !== undefined && part !== '',
  );
  return [
    [format, ...what, formatCount(series.fileCount, 'file')].join(' · '),
    ...(seriesInstanceUID === undefined ? [] : [`  series ${seriesInstanceUID}`]),
    ...(geometry === undefined ? [] : formatGeometry(geometry).map((line) => `  ${line}`)),
    ...series.warnings.map(({ message }) => `  note: ${message}`),
    ...(problem === undefined
      ? []
      : [`  problem: ${problem.message}`, `           ${wordRemedy(problem, segmentSpec)}`]),
  ];
}
