// @vitest-environment happy-dom
import { describe, expect, test } from 'vitest';
import { texts } from '../../../../extension/ohif/texts.ts';
import { createManifest } from '../../../pipeline/fake-session.ts';
import { models, nameOf, ready, renderPanel, segmentation, series } from './render-panel.ts';

const ct = { ...series, id: 'ct', modality: 'CT', bodyPartExamined: 'ABDOMEN' };

describe('models', () => {
  test('one is shown with what it is for, its licence and its segments', () => {
    const panel = renderPanel(ready);
    for (const text of ['Fake model', 'Tests.', 'Licence: MIT', 'Part 1', 'Part 3'])
      expect(panel.text()).toContain(text);
  });

  test('the speed is told for the slices of the series in view', () => {
    const device = { backendId: 'wasm', threads: 2, msPerSlice: 1000 } as const;
    const panel = renderPanel({ ...ready, models: models.map((model) => ({ ...model, device })) });
    expect(panel.text()).toContain('about 4 s for 4 slices');
  });

  test('an empty list is said to be empty, an unread one to be read', () => {
    expect(renderPanel({ models: [] }).text()).toContain(texts.noModels);
    expect(renderPanel().text()).toContain(texts.loadingModels);
  });
});

describe('several models', () => {
  const manifest = { ...createManifest({ input: { modality: ['CT'] } }), id: 'ct', title: 'Of CT' };
  const several = [{ folderUrl: 'http://127.0.0.1/models/ct/', manifest }, ...models];

  const titles = (within: Element): string[] =>
    [...within.querySelectorAll<HTMLElement>('input[type=radio][name=slicewise-model]')].map((radio) => nameOf(radio));

  test('those for other images are folded away; a chosen one is shown, and why it is not for the series', () => {
    const panel = renderPanel({ ...ready, models: several });
    const folded = (): Element => panel.control(texts.modelsForOthers(1)).closest('details') ?? panel.container;
    expect(titles(panel.container)).toEqual(['Fake model', `Of CT${texts.notForThisSeries}`]);
    expect(titles(folded())).toEqual([`Of CT${texts.notForThisSeries}`]);
    expect(folded().matches('[open]')).toBe(false);
    expect(panel.text()).not.toMatch(/the model's CT/);
    panel.update({ selectedModelId: 'ct' });
    expect(folded().matches('[open]')).toBe(true);
    expect(panel.text()).toMatch(/modality is MR, the model's CT/);
  });

  test('the fold stays as the reader left it', () => {
    const panel = renderPanel({ ...ready, models: several });
    panel.click(texts.modelsForOthers(1));
    panel.update({ selectedModelId: 'ct' });
    panel.click(texts.modelsForOthers(1));
    expect(panel.control(texts.modelsForOthers(1)).closest('details')?.matches('[open]')).toBe(false);
  });

  test('without a series, or one that none is for, all are shown', () => {
    const panel = renderPanel({ models: several });
    expect(titles(panel.container)).toHaveLength(2);
    expect(panel.text()).not.toContain(texts.modelsForOthers(1));
    const [onlyCt] = several;
    panel.update({ ...ready, models: onlyCt ? [onlyCt] : [] });
    expect(panel.text()).not.toContain(texts.modelsForOthers(1));
  });
});

describe('notices', () => {
  test('an error is told whole; another one in one line, until it is asked for more', () => {
    const panel = renderPanel({
      notices: [
        { id: 1, severity: 'error', code: 'pacs-refused', message: 'Refused.', remedy: 'Sign in again.' },
        { id: 2, severity: 'warning', code: 'backend-unavailable', message: 'Slow.', remedy: 'Use a graphics card.' },
      ],
    });
    const whole = (): boolean[] =>
      [...panel.container.querySelectorAll('.sw-notice details')].map((it) => it.matches('[open]'));
    expect(whole()).toEqual([true, false]);
    panel.click('Warning: Slow.');
    expect(whole()).toEqual([true, true]);
  });
});

describe('running', () => {
  test('is what comes next until there is a result', () => {
    const panel = renderPanel(ready);
    expect(panel.control(texts.run).className).toContain('sw-primary');
    panel.update({ segmentations: [segmentation] });
    expect(panel.control(texts.runAgain).className).not.toContain('sw-primary');
  });

  test('research use only is said where the button is', () => {
    const panel = renderPanel(ready);
    expect(panel.control('Run').closest('section')?.textContent).toContain('Research use only');
  });

  test('a model for another modality cannot simply be run, and the reason is told', () => {
    const panel = renderPanel({ ...ready, series: ct });
    expect(panel.isDisabled('Run')).toBe(true);
    expect(panel.text()).toContain("modality is CT, the model's MR");
  });

  test('running it anyway takes a second answer, and is forced', () => {
    const panel = renderPanel({ ...ready, series: ct });
    panel.click('Run anyway…');
    expect(panel.asked).toEqual([]);
    expect(document.activeElement).toBe(panel.control('Back'));
    panel.click('Run anyway');
    expect(panel.asked).toEqual([['run', { force: true }]]);
  });

  test('the answer for one series does not count for the next', () => {
    const panel = renderPanel({ ...ready, series: ct });
    panel.click('Run anyway…');
    panel.update({ series: { ...ct, id: 'another ct' } });
    expect(() => panel.control('Run anyway')).toThrow();
  });

  test('a series that does not say its modality and body part can be run', () => {
    const { id, description, imageIds } = series;
    const panel = renderPanel({ ...ready, series: { id, description, imageIds } });
    expect(panel.isDisabled('Run')).toBe(false);
  });

  test('a range is typed as the viewport counts, from 1, and cannot leave the series', () => {
    const panel = renderPanel({ ...ready, scope: { kind: 'range', first: 0, last: 3 } });
    panel.type('From slice', '2');
    panel.type('From slice', '0');
    panel.type('To slice', '5');
    panel.type('To slice', '');
    expect(panel.asked).toEqual([['setScope', { kind: 'range', first: 1, last: 3 }]]);
  });

  test('a run shows slices, rate and time left, and can be cancelled', () => {
    const run = { seriesId: 'series', modelId: 'fake', phase: 'running', done: 1, total: 4 } as const;
    const panel = renderPanel({ ...ready, run: { ...run, slicesPerSecond: 0.5, secondsLeft: 90.2 } });
    expect(panel.text()).toContain('1 of 4 slices');
    expect(panel.text()).toContain('2.0 s a slice · 1 min 30 s left');
    expect(panel.container.querySelector('progress')).toMatchObject({ max: 4, value: 1 });
    panel.click('Cancel');
    expect(panel.asked).toEqual([['cancel']]);
  });

  test('a run on another series is said to be one', () => {
    const run = { seriesId: 'other', modelId: 'fake', phase: 'running', done: 1, total: 4 } as const;
    expect(renderPanel({ ...ready, run }).text()).toContain(texts.otherSeries);
  });

  test('the panel shows a run that began while it was closed', () => {
    const run = { seriesId: 'series', modelId: 'fake', phase: 'running', done: 3, total: 4 } as const;
    const closed = renderPanel(ready);
    closed.unmount();
    expect(renderPanel({ ...ready, run }).text()).toContain('3 of 4 slices');
  });
});

describe('segments', () => {
  const shown = { ...ready, segmentations: [segmentation] };

  test('each has its volume, mean and deviation; one without voxels is empty', () => {
    const panel = renderPanel(shown);
    expect(panel.text()).toContain('12.3 mlmean 101 ± 10');
    expect(panel.text()).toContain('Empty');
  });

  test('CT has Hounsfield units', () => {
    const segments = segmentation.segments.map((segment) => ({
      ...segment,
      figures: { volumeMl: 1, lacks: '', mean: -50.26, standardDeviation: 3, unit: 'HU' },
    }));
    expect(renderPanel({ ...ready, segmentations: [{ ...segmentation, segments }] }).text()).toContain(
      '1.00 mlmean -50.3 ± 3.0 HU',
    );
  });

  test('a volume that may be of a part is a lower bound, and why is said', () => {
    const lacks = 'cut at the superior edge, in 3 of 12 slices';
    const segments = segmentation.segments.map((segment) => ({
      ...segment,
      figures: { volumeMl: 62, lacks, mean: 100, standardDeviation: 3 },
    }));
    const text = renderPanel({ ...ready, segmentations: [{ ...segmentation, segments }] }).text();
    expect(text).toContain(`≥ 62.0 mlmean 100 ± 3${lacks}`);
  });

  test('a click on the name goes there', () => {
    const panel = renderPanel(shown);
    panel.click('Part 2');
    expect(panel.asked).toEqual([['goToSegment', 'segmentation', 2]]);
  });

  test('visibility, lock, colour and opacity are changed by controls that say what they do', () => {
    const panel = renderPanel(shown);
    panel.click('Hide Part 1');
    panel.click('Unlock Part 2');
    panel.type('Colour of Part 1', '#ff8000');
    panel.type('Opacity of Part 1', '80');
    expect(panel.asked).toEqual([
      ['changeSegment', 'segmentation', 1, { isVisible: false }],
      ['changeSegment', 'segmentation', 2, { isLocked: false }],
      ['changeSegment', 'segmentation', 1, { colour: [255, 128, 0, 255] }],
      ['changeSegment', 'segmentation', 1, { opacity: 0.8 }],
    ]);
  });

  test('the least certain slices are listed as the viewport counts them, and a click goes there', () => {
    const panel = renderPanel(shown);
    panel.click('Go to slice 3, uncertainty 42 per cent');
    expect(panel.asked).toEqual([['goToSlice', 2]]);
  });

  test('of several segmentations one is chosen by name', () => {
    const other = { ...segmentation, segmentationId: 'other', label: 'Stored', isActive: false };
    const panel = renderPanel({ ...ready, segmentations: [segmentation, other] });
    expect(panel.control(texts.showSegmentation)).toMatchObject({ value: 'segmentation' });
  });
});

describe('saving', () => {
  test('saves and downloads the segmentation that is shown', () => {
    const panel = renderPanel({ ...ready, segmentations: [segmentation] });
    panel.click(texts.saveToPacs);
    panel.click(texts.formats.nifti);
    expect(panel.asked).toEqual([
      ['save', 'segmentation'],
      ['download', 'segmentation', 'nifti'],
    ]);
  });

  test('where the PACS takes nothing the reason is told and the download stays', () => {
    const canSave = { ok: false, reason: 'It cannot store.' } as const;
    const panel = renderPanel({ ...ready, segmentations: [{ ...segmentation, canSave }] });
    expect(panel.isDisabled(texts.saveToPacs)).toBe(true);
    expect(panel.text()).toContain('It cannot store.');
    expect(panel.isDisabled(texts.formats['seg-binary'])).toBe(false);
  });
});

test('every control has a name, and no two have the same', () => {
  const panel = renderPanel({ ...ready, segmentations: [segmentation], scope: { kind: 'range', first: 0, last: 3 } });
  const names = [...panel.container.querySelectorAll<HTMLElement>('button, input, select, summary')].map(nameOf);
  expect(names.filter((name) => name === '')).toEqual([]);
  expect(names).toEqual([...new Set(names)]);
});

test('progress is spoken politely', () => {
  const panel = renderPanel({ ...ready, announcement: '6 of 12 slices' });
  expect(panel.container.querySelector('[role=status][aria-live=polite]')?.textContent).toBe('6 of 12 slices');
});

test('a notice is dismissed by its button', () => {
  const notices = [{ id: 7, severity: 'warning', code: 'x', message: 'Slower here.', remedy: 'Wait.' }] as const;
  const panel = renderPanel({ ...ready, notices });
  expect(panel.text()).toContain('Slower here.Wait.');
  panel.click(texts.dismiss);
  expect(panel.asked).toEqual([['dismissNotice', 7]]);
});
