import { openFiles } from '../node/files.ts';
import type { SeriesDescription } from '../io/reader.ts';
import { type DescribedSeries, describeVolumes } from '../series/read-volume.ts';
import type { CommandContext } from './standard-stream.ts';
import { infoSpec, segmentSpec } from './commands.ts';
import { type InfoDocument, toGeometryDocument } from './documents.ts';
import { ExitCode, formatCount, formatGeometry, printJson, printLines, wordRemedy } from './print.ts';
import type { CommandArguments } from './parse-arguments.ts';
import { parseLimits, readers } from './read-options.ts';

const MAX_VOLUMES_LISTED = 20;

/** `slicewise info`: every series of the input, its geometry, and what is odd about it.
 * @returns the exit code */
export async function info(
  { positionals, options }: CommandArguments<typeof infoSpec>,
  { stdout }: CommandContext,
): Promise<number> {
  const { series, ignoredFiles } = await describeVolumes(openFiles(positionals), {
    readers,
    ...parseLimits(infoSpec, options.limit),
  });
  if (options.json) {
    const document: InfoDocument = { schemaVersion: 1, series: series.map(toDocument), ignoredFiles };
    printJson(stdout, document);
  } else {
    const lines = series.flatMap((one) => [...describeSeries(one), '']);
    const unreadable = series.filter(isUnreadable).length;
    const counted = [
      formatCount(series.length - unreadable, 'series', 'series'),
      ...(unreadable > 0 ? [`${formatCount(unreadable, 'file')} that cannot be read`] : []),
      ...(ignoredFiles > 0 ? [`${formatCount(ignoredFiles, 'other file')} ignored`] : []),
    ];
    printLines(stdout, [...lines, counted.join(', ')]);
  }
  return series.some(isUnreadable) ? ExitCode.someFailed : ExitCode.done;
}

function isUnreadable({ contents }: SeriesDescription): boolean {
  return contents === 'unreadable';
}

function toDocument(series: DescribedSeries): InfoDocument['series'][number] {
  const { files, geometry, problem, warnings, volumes, transferSyntaxUIDs, ...plain } = series;
  return {
    ...plain,
    fileCount: files.length,
    ...(transferSyntaxUIDs && { transferSyntaxUIDs: [...transferSyntaxUIDs] }),
    ...(volumes && { volumes: volumes.map(({ phase, label, images }) => ({ phase, label, images })) }),
    ...(geometry && { geometry: toGeometryDocument(geometry) }),
    ...(problem && { problem }),
    warnings: warnings.map(({ code, message }) => ({ code, message })),
  };
}

function describeSeries(series: SeriesDescription): string[] {
  const { format, path, modality, bodyPartExamined, seriesNumber, seriesDescription, seriesInstanceUID, geometry } =
    series;
  const what = [
    path === '.' ? undefined : path,
    modality,
    bodyPartExamined,
    seriesNumber === undefined ? undefined : `number ${seriesNumber}`,
    seriesDescription,
  ].filter((part) => part !== undefined && part !== '');
  const { problem, volumes = [], warnings } = series;
  // That there are several volumes is no problem here: they are listed.
  const shown = volumes.length > 0 && problem?.code === 'several-volumes' ? undefined : problem;
  return [
    [format, ...what, formatCount(series.fileCount, 'file')].join(' · '),
    ...(seriesInstanceUID === undefined ? [] : [`  series ${seriesInstanceUID}`]),
    ...(geometry === undefined ? [] : formatGeometry(geometry).map((line) => `  ${line}`)),
    ...(volumes.length > 0 ? [`  ${formatCount(volumes.length, 'volume')}; --phase chooses one:`] : []),
    ...volumes
      .slice(0, MAX_VOLUMES_LISTED)
      .map(({ phase, label, images }) => `    ${String(phase)}: ${label} (${formatCount(images, 'image')})`),
    ...(volumes.length > MAX_VOLUMES_LISTED ? [`    and ${String(volumes.length - MAX_VOLUMES_LISTED)} more`] : []),
    ...warnings.map(({ message }) => `  note: ${message}`),
    ...(shown === undefined ? [] : [`  problem: ${shown.message}`, `           ${wordRemedy(shown, segmentSpec)}`]),
  ];
}
