import { once } from 'node:events';
import { createServer } from 'node:http';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { createSlicewise } from '../../../extension/ohif/slicewise.ts';
import type { SegStore } from '../../../extension/ohif/store/seg-store.ts';
import { texts } from '../../../extension/ohif/texts.ts';
import { isUncertainty } from '../../../extension/ohif/uncertainty-overlay.ts';
import { ModelError, type SegmentVolumeOptions, type Volume } from '../../../src/index.ts';
import { segmentVolume } from '../../../src/pipeline/segment-volume.ts';
import type { SegmentationClient, WorkerSession } from '../../../src/browser/client.ts';
import { createFakeSession, createManifest, scoreByValue } from '../../pipeline/fake-session.ts';
import { history } from '../../support/cornerstone-series.ts';
import { createFakeViewer } from './fake-viewer.ts';

const manifest = createManifest({
  input: { spacing: 1.25, intensity: { kind: 'window', scope: 'volume', low: -100, high: 1100 } },
});
let modelsUrl = '';
const server = createServer(({ url }, response) => {
  response.end(url === '/models/index.json' ? '["fake"]' : JSON.stringify(manifest));
});
beforeAll(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  modelsUrl = `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}/models/`;
});
afterAll(() => server.close());

/** Runs in this thread; `beforeSlice` is called with each slice before it is handed over. */
function createClient(beforeSlice?: (index: number) => void): SegmentationClient {
  return {
    openModel: () =>
      Promise.resolve({
        backendId: 'wasm',
        model: { manifest },
        device: { backendId: 'wasm', threads: 1, msPerSlice: 10, summary: 'Fake', refused: [] },
        dispose: () => Promise.resolve(),
      }),
    segmentVolume: (volume: Volume, options: Omit<SegmentVolumeOptions, 'session'> & { session: WorkerSession }) =>
      segmentVolume(volume, {
        ...options,
        session: createFakeSession(manifest, scoreByValue(4)),
        onSlice: (slice) => {
          beforeSlice?.(slice.index);
          options.signal?.throwIfAborted();
          options.onSlice?.(slice);
        },
      }),
    dispose: () => Promise.resolve(),
  };
}

async function start(client = createClient()) {
  const fake = createFakeViewer();
  const described: unknown[] = [];
  const store: SegStore = {
    canSave: () => ({ ok: true }),
    save: () => Promise.resolve({ status: 'cancelled', mayBeStored: false }),
    download: () => Promise.resolve(),
    describe: (_, { provenance }) => described.push(provenance.modelId),
    state: () => 'unsaved',
    onChange: () => () => undefined,
  };
  const slicewise = createSlicewise({
    viewer: fake.viewer,
    modelsUrl,
    createClient: () => client,
    createStore: () => store,
  });
  const { state, actions } = slicewise;
  actions.loadModels();
  await vi.waitFor(() => {
    expect(state.get()).toMatchObject({ selectedModelId: 'fake', series: { id: fake.series.id } });
  });
  const volumes = (): (number | undefined)[] =>
    state.get().segmentations[0]?.segments.map(({ figures }) => figures?.volumeMl) ?? [];
  const withFigures = () =>
    vi.waitFor(() => {
      expect(volumes().some((volumeMl = 0) => volumeMl > 0)).toBe(true);
    });
  const messages = (): string[] => state.get().notices.map(({ message }) => message);
  return { ...fake, slicewise, state, actions, described, volumes, withFigures, messages };
}

describe('a run', () => {
  test('gives a segmentation with figures, uncertain slices and the speed of the device', async () => {
    const { state, actions, described, withFigures } = await start();
    await actions.run();
    await withFigures();
    expect(state.get().run).toBeUndefined();
    expect(state.get().notices).toEqual([]);
    expect(state.get().models?.[0]?.device?.msPerSlice).toBe(10);
    expect(described).toEqual(['fake', 'fake']);
    const [segmentation] = state.get().segmentations;
    expect(segmentation).toMatchObject({ label: 'Fake model', isActive: true, isUncertaintyShown: false });
    const figures = segmentation?.leastCertain.map(({ uncertainty }) => uncertainty) ?? [];
    expect(figures).toEqual([...figures].sort((a, b) => b - a));
    expect(figures).toHaveLength(5);
    expect(state.get().announcement).toBe(texts.finished('Fake model'));
  });

  test('its progress is in the state, not in the panel', async () => {
    const { state, actions } = await start();
    const phases = new Set<string>();
    let most = 0;
    state.subscribe(() => {
      const { run } = state.get();
      if (run) phases.add(run.phase);
      most = Math.max(most, run?.done ?? 0);
    });
    await actions.run();
    expect([...phases]).toEqual(['opening', 'reading', 'running']);
    expect(most).toBe(6);
  });

  test('"this slice" runs the slice that is in view, and a range both its ends', async () => {
    const { state, actions } = await start();
    const ran = (): number[] =>
      (state.get().segmentations[0]?.leastCertain.map(({ slice }) => slice) ?? []).sort((a, b) => a - b);
    actions.setScope({ kind: 'slice' });
    await actions.run();
    await vi.waitFor(() => {
      expect(ran()).toEqual([2]);
    });
    actions.setScope({ kind: 'range', first: 1, last: 3 });
    await actions.run();
    await vi.waitFor(() => {
      expect(ran()).toEqual([1, 2, 3]);
    });
  });

  test('run again, it writes into the same segmentation', async () => {
    const { state, actions, withFigures } = await start();
    await actions.run();
    await actions.run();
    await withFigures();
    expect(state.get().segmentations).toHaveLength(1);
  });

  test('cancelled, it says how much is kept and keeps it', async () => {
    let slices = 0;
    const client = createClient(() => {
      if (++slices === 3) actions.cancel();
    });
    const { state, actions, described, withFigures, messages } = await start(client);
    await actions.run();
    await withFigures();
    expect(messages()).toEqual([texts.cancelled({ done: 2, total: 6 })]);
    expect(described).toEqual(['fake']);
    expect(state.get().run).toBeUndefined();
  });

  test('undone while it is under way, it ends and says so', async () => {
    let slices = 0;
    const client = createClient(() => {
      if (++slices === 3) history.undo();
    });
    const { actions, messages } = await start(client);
    await actions.run();
    expect(messages()).toEqual([texts.undone]);
  });

  test('an error is told with its remedy, and the next run works', async () => {
    const client = createClient();
    const broken = new ModelError('model-file-mismatch', 'It is another file.', { remedy: 'Fetch it again.' });
    const openModel = vi.fn((url: string) => client.openModel(url)).mockRejectedValueOnce(broken);
    const { state, actions, withFigures } = await start({ ...client, openModel });
    await actions.run();
    expect(state.get().notices).toMatchObject([{ message: 'It is another file.', remedy: 'Fetch it again.' }]);
    await actions.run();
    await withFigures();
  });

  test('a second one does not begin while one is under way', async () => {
    const client = createClient();
    const openModel = vi.fn((url: string) => client.openModel(url));
    const { actions } = await start({ ...client, openModel });
    await Promise.all([actions.run(), actions.run(), actions.measure('fake')]);
    expect(openModel).toHaveBeenCalledTimes(1);
  });

  test('goes on when another series is looked at, and its result is there on return', async () => {
    let lookAway = (): void => undefined;
    const client = createClient((index) => {
      if (index === 0) lookAway();
    });
    const { state, actions, series, withFigures, ...fake } = await start(client);
    lookAway = () => {
      fake.showSeries(undefined);
    };
    await actions.run();
    await vi.waitFor(() => {
      expect(state.get()).toMatchObject({ run: undefined, series: undefined });
    });
    fake.showSeries(series);
    await withFigures();
  });
});

describe('a segmentation', () => {
  test('a click on a segment makes it active and shows its centre', async () => {
    const { state, actions, calls, withFigures } = await start();
    await actions.run();
    await withFigures();
    const [segmentation] = state.get().segmentations;
    const present = segmentation?.segments.find(({ figures }) => (figures?.volumeMl ?? 0) > 0);
    actions.goToSegment(segmentation?.segmentationId ?? '', present?.segmentNumber ?? 0);
    expect(calls).toEqual([['showPoint', expect.any(Number)]]);
  });

  test('the next segment after the last is the first', async () => {
    const { state, actions, withFigures } = await start();
    await actions.run();
    await withFigures();
    const active = () => state.get().segmentations[0]?.segments.find(({ isActive }) => isActive)?.segmentNumber;
    for (const expected of [2, 3, 1]) {
      actions.selectNextSegment();
      await vi.waitFor(() => {
        expect(active()).toBe(expected);
      });
    }
  });

  test('figures follow an undo', async () => {
    const { actions, volumes, withFigures } = await start();
    await actions.run();
    await withFigures();
    history.undo();
    await vi.waitFor(() => {
      expect(volumes()).toEqual([0, 0, 0]);
    });
  });

  test('its uncertainty is shown as an overlay that is not listed, and a new run takes it away', async () => {
    const { state, actions, viewer, withFigures } = await start();
    const overlays = (): string[] =>
      viewer
        .segmentationsOf({ id: '', description: '', imageIds: [] })
        .map(({ segmentationId }) => segmentationId)
        .filter(isUncertainty);
    await actions.run();
    await withFigures();
    const { segmentationId = '' } = state.get().segmentations[0] ?? {};
    await actions.showUncertainty(segmentationId, true);
    await vi.waitFor(() => {
      expect(state.get().segmentations).toMatchObject([{ isUncertaintyShown: true, isActive: true }]);
    });
    expect(overlays()).toHaveLength(1);
    await actions.run();
    expect(overlays()).toEqual([]);
  });

  test('one that was removed is forgotten', async () => {
    const { state, actions, viewer, withFigures } = await start();
    await actions.run();
    await withFigures();
    viewer.removeSegmentation(state.get().segmentations[0]?.segmentationId ?? '');
    await vi.waitFor(() => {
      expect(state.get().segmentations).toEqual([]);
    });
    await actions.run();
    await withFigures();
  });
});
