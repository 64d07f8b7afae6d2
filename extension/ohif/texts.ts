import { nameEdges, type PatientSide, type RemedyOption } from '../../src/index.ts';
import type { RunState, Scope } from './state.ts';
import type { EditTool } from './viewer.ts';
import type { DownloadFormat, SaveStage, SaveState } from './store/save-outcome.ts';

/** Every text that the extension shows, in English. A sentence that names values is a function of them. */
export const texts = {
  modeName: 'Slicewise',
  panelName: 'Slicewise',
  researchOnly: 'Research use only',
  checkEveryResult: 'Not a medical device: check every result.',

  models: 'Model',
  loadingModels: 'Reading the list of models…',
  noModels: 'No model is installed.',
  noSeries: 'Show a series with images to run a model on it.',
  about: 'About this model',
  licence: (licence: string) => `Licence: ${licence}`,
  segments: 'Segments',
  notMeasured: 'Speed on this device: not measured.',
  measure: 'Measure',
  measureLabel: (model: string) => `Measure the speed of ${model} on this device`,
  slower: (reason: string) => `Not faster because: ${reason}`,
  modelsForOthers: (count: number) => `For other images (${count})`,
  notForThisSeries: 'Not for this series',
  mismatch: (reasons: readonly string[]) => `${capitalise(reasons.join('; '))}.`,
  notServed: (path: string, status: number) => `The server does not have ${path} (answer ${status}).`,
  badModelIndex: 'The list of models, models/index.json, is not a list of names.',
  modelsRemedy: 'Check that the folder of models is installed beside the extension.',

  scope: 'Slices to run',
  scopes: { series: 'All slices', slice: 'This slice', range: 'Range' } satisfies Record<Scope['kind'], string>,
  rangeFrom: 'From slice',
  rangeTo: 'To slice',
  run: 'Run',
  runAgain: 'Run again',
  runAnyway: 'Run anyway',
  runAnywayQuestion: 'The model was not made for this series. Its result may be meaningless.',
  back: 'Back',
  cancel: 'Cancel',
  progress: 'Progress of the run',
  phase: {
    opening: 'Preparing the model…',
    reading: 'Reading the images…',
    running: 'Running…',
    cancelling: 'Cancelling…',
  } satisfies Record<RunState['phase'], string>,
  loaded: (loadedBytes: number, totalBytes: number) => `${megabytes(loadedBytes)} of ${megabytes(totalBytes)} MB`,
  otherSeries: 'Running on another series',
  slices: (done: number, total: number) => `${done} of ${total} slices`,
  rate: (slicesPerSecond: number) =>
    slicesPerSecond >= 1 ? `${slicesPerSecond.toFixed(1)} slices/s` : `${(1 / slicesPerSecond).toFixed(1)} s a slice`,
  timeLeft: (seconds: number) => `${duration(seconds)} left`,
  cancelled: ({ done, total }: Pick<RunState, 'done' | 'total'>) =>
    done > 0
      ? `Cancelled after ${done} of ${total} slices. The finished slices are kept.`
      : 'Cancelled. Nothing was changed.',
  undone: 'The run was taken back while it was under way; what it had written is gone.',
  wholeSeries: (model: string) => `${model} looks at the series from another side, so it ran over all slices.`,
  finished: (model: string) => `${model}: finished.`,
  /** Where an option that a remedy speaks of is found in the viewer; of the others the remedy itself says enough. */
  optionHere: (option: RemedyOption | undefined): string | undefined => {
    const places: Partial<Record<RemedyOption, string>> = {
      force: 'The button "Run anyway" does so.',
      model: 'The list of models is above.',
      series: 'Show one of the series in the viewport.',
    };
    return option && places[option];
  },
  unexpectedError: (message: string) => `Something unexpected went wrong: ${message}`,

  segmentation: 'Segmentation',
  showSegmentation: 'Segmentation shown here',
  colour: (segment: string) => `Colour of ${segment}`,
  show: (segment: string) => `Show ${segment}`,
  hide: (segment: string) => `Hide ${segment}`,
  lock: (segment: string) => `Lock ${segment} against edits`,
  unlock: (segment: string) => `Unlock ${segment}`,
  goTo: (segment: string) => `Go to the centre of ${segment}`,
  opacity: 'Opacity',
  opacityOf: (segment: string) => `Opacity of ${segment}`,
  volumeMl: (ml: number) => `${ml < 10 ? ml.toFixed(2) : ml.toFixed(1)} ml`,
  lowerBoundMl: (ml: number) => `≥ ${texts.volumeMl(ml)}`,
  lowerBoundTitle: (lacks: string) => `A lower bound: ${lacks}. The structure may go on.`,
  /** As the command line's summary words it. */
  lacks: (sides: readonly PatientSide[], slices: { readonly run: number; readonly all: number }): string =>
    [
      ...(sides.length > 0 ? [`cut at ${nameEdges(sides)}`] : []),
      ...(slices.run < slices.all ? [`in ${slices.run} of ${slices.all} slices`] : []),
      ...(slices.all === 1 ? ['in a single slice'] : []),
    ].join(', '),
  empty: 'Empty',
  meanTitle: 'Mean and standard deviation of the image inside',
  meanAndDeviation: (mean: number, deviation: number, unit: string | undefined) => {
    const decimals = decimalsBeside(mean);
    return `mean ${mean.toFixed(decimals)} ± ${deviation.toFixed(decimals)}${unit === undefined ? '' : ` ${unit}`}`;
  },

  correct: 'Correct',
  editTools: {
    brush: 'Brush',
    eraser: 'Eraser',
    threshold: 'Threshold',
    scissors: 'Scissors',
  } satisfies Record<EditTool, string>,
  editToolTitles: {
    brush: 'Paint the active segment; [ and ] change the size',
    eraser: 'Erase; [ and ] change the size',
    threshold: 'Paint where the image is within the range set in the segmentation tab',
    scissors: 'Fill a circle that is dragged open',
  } satisfies Record<EditTool, string>,
  saveToPacs: 'Save to PACS',
  download: 'Download',
  formats: {
    'seg-binary': 'DICOM-SEG',
    'seg-labelmap': 'DICOM-SEG, label map (new class)',
    nifti: 'NIfTI label map',
  } satisfies Record<DownloadFormat, string>,
  saveStates: {
    unsaved: 'Not saved',
    saved: 'Saved',
    edited: 'Changed since it was saved',
  } satisfies Record<SaveState, string>,
  saveStages: {
    preparing: 'Preparing…',
    encoding: 'Writing…',
    sending: 'Sending…',
    'reading-back': 'Reading back…',
  } satisfies Record<SaveStage, string>,
  saved: 'Saved, read back from the PACS and compared: every voxel is the same.',
  editedMeanwhile: 'It was changed while it was being saved; the PACS has it as it was at the start.',
  saveCancelled: 'Saving was cancelled.',
  mayBeStored: 'The PACS may hold an object that could not be confirmed.',
  downloaded: (format: string) => `Downloaded: ${format}.`,

  leastCertain: 'Least certain slices',
  uncertainSlice: (number: number) => `Slice ${number}`,
  uncertainty: (fraction: number) => `${Math.round(fraction * 100)} %`,
  goToSlice: (number: number, fraction: number) =>
    `Go to slice ${number}, uncertainty ${Math.round(fraction * 100)} per cent`,
  showUncertainty: 'Show uncertainty over the image',
  uncertaintyOf: (model: string) => `Uncertainty: ${model}`,
  uncertaintyFrom: (fraction: number) => `From ${Math.round(fraction * 100)} %`,

  notices: 'Notices',
  dismiss: 'Dismiss this notice',
  wholeNotice: 'Show all of it, or one line',
  severity: { info: 'Note', warning: 'Warning', error: 'Error' },

  hotkeys: {
    run: 'Slicewise: run the model',
    cancel: 'Slicewise: cancel the run',
    save: 'Slicewise: save to the PACS',
    nextSegment: 'Slicewise: next segment',
  },
};

function capitalise(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Seconds as a person would say them; nothing finer than 1 s. */
function duration(seconds: number): string {
  if (seconds < 1) return 'under 1 s';
  if (seconds < 60) return `${Math.ceil(seconds)} s`;
  const minutes = Math.floor(seconds / 60);
  return `${minutes} min ${Math.round(seconds % 60)} s`;
}

/** As many decimals as make sense beside a value of this size. */
function decimalsBeside(value: number): number {
  const size = Math.abs(value);
  return size >= 100 ? 0 : size >= 10 ? 1 : 2;
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(0);
}
