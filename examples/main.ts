import * as core from '@cornerstonejs/core';
import * as tools from '@cornerstonejs/tools';
import { isSegmentationError } from '../src/index.ts';
import { createSegmentationClient, type WorkerSession } from '../src/browser/client.ts';
import type { CornerstoneHost } from '../extension/cornerstone/index.ts';
import { listModels, type ServedModel } from './models.ts';
import { readFiles } from './read-files.ts';
import { rightHanded } from './right-handed.ts';
import { openStudy, segmentColours, type Study } from './study.ts';
import { createViewports, type Layout, type LeftButton } from './viewports.ts';

const host: CornerstoneHost = { core, tools };
core.init();
tools.init();

const client = createSegmentationClient({
  createWorker: () => new Worker(new URL('../src/browser/worker.ts', import.meta.url), { type: 'module' }),
  onNotice: ({ message }) => {
    say(message);
  },
});
const viewports = createViewports(host, element('viewports'));
const modelsUrl = new URL(new URLSearchParams(location.search).get('models') ?? '../models/', location.href).href;

let models: readonly ServedModel[] = [];
let study: Study | undefined;
let layout: Layout = 'slices';
let open: { readonly model: ServedModel; readonly session: WorkerSession } | undefined;
let running: AbortController | undefined;

const select = element('model') as HTMLSelectElement;
models = await listModels(modelsUrl).catch((error: unknown) => {
  showError(error);
  return [];
});
select.replaceChildren(
  ...models.map(({ manifest }) => new Option(`${manifest.title} ${manifest.version}`, manifest.id)),
);
select.onchange = update;

for (const id of ['folder', 'files']) {
  const input = element(id) as HTMLInputElement;
  input.onchange = () => {
    act(() => openFiles([...(input.files ?? [])]));
  };
}
document.body.ondragover = (event) => {
  event.preventDefault();
};
document.body.ondrop = (event) => {
  event.preventDefault();
  const files = [...(event.dataTransfer?.files ?? [])];
  act(() => openFiles(files));
};
element('run').onclick = () => {
  act(run);
};
element('cancel').onclick = () => running?.abort();
element('undo').onclick = () => {
  core.utilities.HistoryMemo.DefaultHistoryMemo.undo();
};
element('redo').onclick = () => {
  core.utilities.HistoryMemo.DefaultHistoryMemo.redo();
};
element('size').oninput = () => {
  tools.utilities.segmentation.setBrushSizeForToolGroup('slicewise-example', brushRadiusMm());
};
onEach('button', (value) => {
  viewports.use(value as LeftButton);
  tools.utilities.segmentation.setBrushSizeForToolGroup('slicewise-example', brushRadiusMm());
});
onEach('layout', (value) => {
  layout = value as Layout;
  act(showStudy);
});
for (const button of document.querySelectorAll<HTMLElement>('[data-export]')) {
  button.onclick = () => {
    act(() => save(button.dataset['export'] as 'dicom-seg' | 'nifti'));
  };
}
viewports.use('window');
update();

async function openFiles(files: readonly File[]): Promise<void> {
  if (files.length === 0) return;
  running?.abort();
  element('image').textContent = 'Reading …';
  const { volume: file, warnings } = await readFiles(files);
  study = await openStudy(host, { volume: rightHanded(file), file, onFigures: updateSegments });
  const { dimensions, spacing } = study.grid.geometry;
  element('image').textContent = [
    `${study.volume.modality ?? 'NIfTI'}, ${dimensions.join(' × ')} voxels of ${spacing.map((mm) => mm.toFixed(2)).join(' × ')} mm.`,
    ...warnings.map(({ message }) => message),
  ].join(' ');
  await showStudy();
  update();
}

async function showStudy(): Promise<void> {
  if (study === undefined) return;
  await viewports.show(study.imageIds, layout);
  const model = selectedModel();
  if (study.segmentationId !== undefined && model) {
    viewports.overlay(study.segmentationId, segmentColours(model.manifest));
  }
}

async function run(): Promise<void> {
  const model = selectedModel();
  if (study === undefined || model === undefined || running !== undefined) return;
  performance.mark('slicewise:click');
  running = new AbortController();
  const { signal } = running;
  update();
  try {
    if (open?.model !== model) {
      say('Loading and testing the model …');
      await open?.session.dispose();
      open = undefined;
      open = { model, session: await client.openModel(model.folderUrl, { signal }) };
    }
    const { session } = open;
    const segmentationId = study.prepare(model.manifest);
    viewports.overlay(segmentationId, segmentColours(model.manifest));
    const { warnings, provenance } = await study.run({
      client,
      session,
      firstImage: viewports.currentImage(),
      signal,
      onProgress: ({ done, total }) => {
        (element('progress') as HTMLProgressElement).value = done / total;
        say(`Slice ${done} of ${total} (${session.device.summary})`);
      },
    });
    const seconds = (provenance.durationMs / 1000).toFixed(1);
    say(
      [`Done in ${seconds} s on ${provenance.backendPerSlice[0] ?? ''}.`, ...warnings.map((w) => w.message)].join(' '),
    );
  } finally {
    running = undefined;
    update();
  }
}

async function save(kind: 'dicom-seg' | 'nifti'): Promise<void> {
  if (study === undefined) return;
  element('exported').textContent = 'Writing …';
  const url = URL.createObjectURL(await study.encode(kind));
  const name = kind === 'nifti' ? 'segmentation.nii.gz' : 'segmentation.dcm';
  Object.assign(document.createElement('a'), { href: url, download: name }).click();
  URL.revokeObjectURL(url);
  element('exported').textContent = `${name} was read back and compared: it is what is shown. Research use only.`;
}

function selectedModel(): ServedModel | undefined {
  return models.find(({ manifest }) => manifest.id === select.value);
}

function update(): void {
  const model = selectedModel();
  const isRunning = running !== undefined;
  element('use').textContent = model?.manifest.intendedUse ?? '';
  select.disabled = models.length === 0 || isRunning;
  (element('run') as HTMLButtonElement).disabled = study === undefined || model === undefined || isRunning;
  element('cancel').hidden = !isRunning;
  element('progress').hidden = !isRunning;
  for (const button of document.querySelectorAll<HTMLButtonElement>('[data-layout]')) {
    button.disabled = study === undefined;
  }
  const hasResult = study?.segmentationId !== undefined;
  for (const id of ['segments-section', 'edit-section']) element(id).hidden = !hasResult;
  element('export-section').hidden = study?.result === undefined || isRunning;
  const exportSeg = document.querySelector<HTMLButtonElement>('[data-export="dicom-seg"]');
  if (exportSeg) exportSeg.disabled = study?.grid.description.source === undefined;
  updateSegments();
}

function updateSegments(): void {
  const { statistics, target, segmentationId } = study ?? {};
  const model = selectedModel();
  if (!statistics || !target || !segmentationId || !model) return;
  const colours = segmentColours(model.manifest);
  const edited = target.editedSegments();
  const active = tools.segmentation.segmentIndex.getActiveSegmentIndex(segmentationId);
  const items = model.manifest.segments.map(({ segmentNumber, segmentLabel }) => {
    const figures = statistics.figures(segmentNumber);
    const [red, green, blue] = colours[segmentNumber - 1] ?? [0, 0, 0];
    const button = document.createElement('button');
    button.dataset['segment'] = String(segmentNumber);
    button.setAttribute('aria-pressed', String(segmentNumber === active));
    button.setAttribute('aria-checked', String(segmentNumber === active));
    button.append(
      withClass('swatch', '', { background: `rgb(${red} ${green} ${blue})` }),
      withClass('label', segmentLabel),
      withClass('edited', edited.has(segmentNumber) ? 'edited' : ''),
      withClass(
        'figures',
        figures === undefined
          ? 'empty'
          : `${figures.touchesBorder.length > 0 ? '≥ ' : ''}${figures.volumeMl.toFixed(1)} ml · ${figures.mean.toFixed(0)} ± ${figures.standardDeviation.toFixed(0)}`,
      ),
    );
    button.onclick = () => {
      tools.segmentation.segmentIndex.setActiveSegmentIndex(segmentationId, segmentNumber);
      if (figures && study) viewports.goTo(study.grid.sliceOfImage.indexOf(figures.centreSlice), figures.centre);
      updateSegments();
    };
    const item = document.createElement('li');
    item.append(button);
    return item;
  });
  element('segments').replaceChildren(...items);
}

function withClass(name: string, text: string, style: Partial<CSSStyleDeclaration> = {}): HTMLElement {
  const span = document.createElement('span');
  span.className = name;
  span.textContent = text;
  Object.assign(span.style, style);
  return span;
}

function brushRadiusMm(): number {
  return Number((element('size') as HTMLInputElement).value);
}

/** Buttons of which one is on: data-<kind>. */
function onEach(kind: 'button' | 'layout', choose: (value: string) => void): void {
  const buttons = [...document.querySelectorAll<HTMLElement>(`[data-${kind}]:is(button)`)];
  for (const button of buttons) {
    button.onclick = () => {
      for (const other of buttons) other.setAttribute('aria-checked', String(other === button));
      choose(button.dataset[kind] ?? '');
    };
  }
}

function act(work: () => Promise<void>): void {
  work().catch(showError);
}

function showError(error: unknown): void {
  if (error instanceof DOMException && error.name === 'AbortError') say('Cancelled; the slices that are done stay.');
  else if (isSegmentationError(error)) say(`${error.message} ${error.remedy}`);
  else say(String(error));
  if (study === undefined) element('image').textContent = 'No image is open.';
}

function say(text: string): void {
  element('status').textContent = text;
}

function element(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`The page has no #${id}.`);
  return found;
}
