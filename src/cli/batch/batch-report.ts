import type { ModelManifest } from '../../models/manifest.ts';
import type { SegmentationBatchDocument } from '../documents.ts';
import { incompleteNotice } from '../../series/find-series.ts';
import { segmentSpec } from '../commands.ts';
import { formatCount, RESEARCH_USE_ONLY, wordRemedy } from '../print.ts';
import { CHANGED_SINCE, countsOf, type SeriesOutcome, toSeriesDocument, warningsOf } from './results.ts';
import type { BatchSeries } from './find-series.ts';

/** Everything that is told at the end of a batch. */
export interface Batch {
  readonly outcomes: readonly SeriesOutcome[];
  readonly manifest: ModelManifest;
  readonly outputDir: string;
  readonly ignoredFiles: number;
}

const MAX_LISTED = 20;

/** What a person is told at the end. */
export function describeBatch({ outcomes, manifest, outputDir, ignoredFiles }: Batch): string[] {
  const { done, doneBefore, changedSince, incomplete, failed, skipped } = countsOf(outcomes);
  const remarks = [
    ...(doneBefore > 0 ? [`${String(doneBefore)} of them by an earlier run`] : []),
    ...(changedSince > 0 ? [`${String(changedSince)} changed since and kept`] : []),
    ...(incomplete > 0 ? [`${String(incomplete)} incomplete`] : []),
  ];
  const remark = remarks.length > 0 ? ` (${remarks.join(', ')})` : '';
  const ignored = ignoredFiles > 0 ? `, ${formatCount(ignoredFiles, 'other file')} ignored` : '';
  const seconds = (performance.now() / 1000).toFixed(1);
  return [
    `${formatCount(outcomes.length, 'series', 'series')}: ${String(done)} done${remark}, ${String(failed)} failed, ` +
      `${String(skipped)} skipped${ignored}`,
    ...listed(outcomes, 'failed'),
    ...outcomes.flatMap((outcome) => incompleteLine(outcome)).slice(0, MAX_LISTED),
    ...outcomes.flatMap((outcome) => changedLine(outcome)).slice(0, MAX_LISTED),
    ...listed(outcomes, 'skipped'),
    `${seconds} s with ${manifest.id} ${manifest.version}; segmentations and their reports are in ${outputDir}`,
    RESEARCH_USE_ONLY,
  ];
}

function changedLine({ names, changed }: SeriesOutcome): string[] {
  return changed === undefined ? [] : [`kept: ${names.segmentation}: ${CHANGED_SINCE.message}`];
}

function incompleteLine({ series, status }: SeriesOutcome): string[] {
  if (status !== 'done' || series.leftOutFiles.length === 0) return [];
  return [`incomplete: ${nameOf(series)}: ${incompleteNotice(series.leftOutFiles).message}`];
}

function listed(outcomes: readonly SeriesOutcome[], status: 'failed' | 'skipped'): string[] {
  const problems = outcomes.filter((one) => one.status === status);
  const shown = problems
    .slice(0, MAX_LISTED)
    .flatMap(({ series, problem }) => [
      `${status}: ${nameOf(series)}: ${problem?.message ?? ''}`,
      ...(status === 'failed' ? [`  ${problem === undefined ? '' : wordRemedy(problem, segmentSpec)}`] : []),
    ]);
  const more = problems.length - MAX_LISTED;
  return more > 0
    ? [...shown, `… and ${String(more)} more that ${status === 'failed' ? 'failed' : 'were skipped'}`]
    : shown;
}

/** One line a series, while the batch runs. */
export function formatProgressLine(outcome: SeriesOutcome, finished: number, total: number): string {
  const { series, names, status, report, doneBefore, changed, problem } = outcome;
  const count = `[${String(finished).padStart(String(total).length)}/${String(total)}]`;
  if (changed !== undefined) return `${count} kept: ${nameOf(series)} → ${names.segmentation}, changed since`;
  if (report === undefined) return `${count} ${status}: ${nameOf(series)}: ${problem?.message ?? ''}`;
  const warnings = warningsOf(outcome).length;
  const seconds = `${(report.durationsMs.total / 1000).toFixed(1)} s`;
  return [
    `${count} ${doneBefore ? 'done before' : 'done'}: ${nameOf(series)} → ${names.segmentation}`,
    ...(doneBefore ? [] : [formatCount(report.uncertaintyPerSlice.length, 'slice'), seconds]),
    ...(warnings > 0 ? [formatCount(warnings, 'warning')] : []),
  ].join(', ');
}

function nameOf({ path, phase, seriesInstanceUID }: BatchSeries): string {
  const name = path === '.' ? (seriesInstanceUID ?? path) : path;
  return phase === undefined ? name : `${name}, volume ${String(phase)}`;
}

export function toBatchDocument({ outcomes, manifest, outputDir, ignoredFiles }: Batch): SegmentationBatchDocument {
  const { id, version, file } = manifest;
  return {
    schemaVersion: 1,
    notice: RESEARCH_USE_ONLY,
    model: { id, version, sha256: file.sha256 },
    outputDir,
    counts: countsOf(outcomes),
    ignoredFiles,
    series: outcomes.map(toSeriesDocument),
  };
}
