import { act, createElement } from 'react';
import { createRoot } from 'react-dom/client';
import { Panel } from '../../../../extension/ohif/panel/panel.tsx';
import type { Actions } from '../../../../extension/ohif/slicewise.ts';
import { createCell } from '../../../../extension/ohif/observable.ts';
import { emptyState, type PanelState, type SegmentationEntry } from '../../../../extension/ohif/state.ts';
import { createManifest } from '../../../pipeline/fake-session.ts';

declare global {
  // How React's act is switched on.
  var IS_REACT_ACT_ENVIRONMENT: boolean;
}
globalThis.IS_REACT_ACT_ENVIRONMENT = true;

/** The panel in a page of its own, over a state that the test sets, with the actions that were asked for. */
export function renderPanel(initial: Partial<PanelState> = {}) {
  const state = createCell<PanelState>({ ...emptyState, ...initial });
  const asked: unknown[][] = [];
  const actions = new Proxy({} as Actions, {
    get:
      (_, name) =>
      (...values: unknown[]) => {
        asked.push([name, ...values]);
        return Promise.resolve();
      },
  });
  const container = document.createElement('div');
  document.body.replaceChildren(container);
  const root = createRoot(container);
  act(() => {
    root.render(createElement(Panel, { slicewise: { state, actions, leave: () => undefined } }));
  });
  asked.splice(0);
  return {
    container,
    asked,
    update(change: Partial<PanelState>) {
      act(() => {
        state.update(change);
      });
    },
    unmount() {
      act(() => {
        root.unmount();
      });
    },
    /** The control with this accessible name. */
    control(name: string): HTMLElement {
      const found = [...container.querySelectorAll<HTMLElement>('button, input, select, summary')].filter(
        (element) => nameOf(element) === name,
      );
      const [only] = found;
      if (found.length !== 1 || only === undefined) throw new Error(`${found.length} controls are called "${name}"`);
      return only;
    },
    isDisabled(name: string): boolean {
      return this.control(name).matches(':disabled');
    },
    click(name: string) {
      act(() => {
        this.control(name).click();
      });
    },
    /** Types into an input as a person does: React listens to the native setter. */
    type(name: string, value: string) {
      const input = this.control(name);
      act(() => {
        Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value')?.set?.call(input, value);
        input.dispatchEvent(new Event('input', { bubbles: true }));
      });
    },
    text: () => container.textContent,
  };
}

export function nameOf(element: HTMLElement): string {
  const label = element.getAttribute('aria-label') ?? element.closest('label')?.textContent ?? element.textContent;
  return label.trim();
}

export const series = {
  id: 'series',
  description: 'Cine',
  modality: 'MR',
  bodyPartExamined: 'HEART',
  imageIds: ['a', 'b', 'c', 'd'],
};

export const models = [{ folderUrl: 'http://127.0.0.1/models/fake/', manifest: createManifest() }];

/** A state with one model chosen, on a series that it is for. */
export const ready = { models, series, selectedModelId: 'fake' };

export const segmentation: SegmentationEntry = {
  segmentationId: 'segmentation',
  label: 'Fake model',
  isActive: true,
  segments: [
    {
      segmentNumber: 1,
      label: 'Part 1',
      colour: [10, 20, 30, 255],
      isVisible: true,
      isLocked: false,
      isActive: true,
      opacity: 0.5,
      figures: { volumeMl: 12.34, lacks: '', mean: 101.4, standardDeviation: 9.6 },
    },
    {
      segmentNumber: 2,
      label: 'Part 2',
      colour: [40, 50, 60, 255],
      isVisible: false,
      isLocked: true,
      isActive: false,
      opacity: 0.5,
      figures: { volumeMl: 0, lacks: '' },
    },
  ],
  leastCertain: [
    { slice: 2, uncertainty: 0.42 },
    { slice: 0, uncertainty: 0.1 },
  ],
  isUncertaintyShown: false,
  saveState: 'unsaved',
  canSave: { ok: true },
};
