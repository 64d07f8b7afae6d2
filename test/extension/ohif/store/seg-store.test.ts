import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, test, vi } from 'vitest';
import { createSegStore, type SegStore } from '../../../../extension/ohif/store/seg-store.ts';
import type { SaveOutcome } from '../../../../extension/ohif/store/save-outcome.ts';
import { readDicomSeg } from '../../../../src/seg/read-dicom-seg.ts';
import { readNiftiLabelmap } from '../../../../src/nifti/read-nifti.ts';
import { memoryFile } from '../../../support/memory-file.ts';
import { asStored, obliqueGeometry, seriesOn, testLabelmap, testProvenance } from '../../../support/labelled-series.ts';
import { createFakePacs, multipart, noAnswer, type FakePacs, type FakePacsBehaviour } from './fake-pacs.ts';
import { createFakeViewer, openExportHere, type FakeViewer } from './fake-viewer.ts';

const labelmap = testLabelmap([0, 0, 1, 2, 2, 0, 3, 3, 3, 0, 0], { geometry: obliqueGeometry([8, 6, 4]) });
const reference = { geometry: labelmap.geometry, source: seriesOn(labelmap.geometry) };

interface Scene {
  readonly store: SegStore;
  readonly viewer: FakeViewer;
  readonly pacs: FakePacs;
}

/** As memory is collected while a large segmentation is sent: what hangs on a weak reference goes. */
function noAnswerWhileCollecting(signal: AbortSignal): Promise<never> {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  for (const ms of [20, 60, 120]) setTimeout(collect, ms);
  return noAnswer(signal);
}

/** A model's result in the viewer, and a PACS. */
function scene(behaviour: FakePacsBehaviour = {}, { described = true } = {}): Scene {
  const pacs = createFakePacs(behaviour);
  const viewer = createFakeViewer({ labelmap, source: reference.source, pacs: pacs.dicomWeb });
  const store = storeOf(viewer);
  if (described) store.describe('seg', { segments: labelmap.segments, provenance: testProvenance });
  viewer.changed();
  return { store, viewer, pacs };
}

function storeOf(viewer: FakeViewer): SegStore {
  return createSegStore({
    viewer,
    openExport: openExportHere,
    softwareVersion: '0.1.0',
    wait: () => Promise.resolve(),
  });
}

function lastStored({ stored }: FakePacs): ReturnType<typeof readDicomSeg> {
  return readDicomSeg([...stored.values()].at(-1) ?? new Uint8Array(), { reference });
}

function failureOf(outcome: SaveOutcome) {
  if (outcome.status !== 'failed') throw new Error(`the save ended as ${outcome.status}`);
  return { code: outcome.error.code, message: outcome.error.message, mayBeStored: outcome.mayBeStored };
}

describe('a save', () => {
  test('is "saved" once the PACS gave the same voxels back, and the series is listed', async () => {
    const { store, viewer, pacs } = scene();
    const stages: string[] = [];
    const outcome = await store.save('seg', { onProgress: (stage) => stages.push(stage) });
    expect(outcome).toMatchObject({ status: 'saved', editedMeanwhile: false, warnings: [] });
    expect(stages).toEqual(['preparing', 'encoding', 'sending', 'reading-back']);
    expect(pacs.requests).toEqual([
      'POST /dicom-web/studies',
      expect.stringMatching(/^GET .*\/instances\/2\.25\.\d+$/),
    ]);
    expect((await lastStored(pacs)).labelmap).toEqual({ ...labelmap, segments: asStored(labelmap.segments) });
    expect(viewer.shown).toHaveLength(1);
    expect(store.state('seg')).toBe('saved');
  });

  test('asks for what it needs with the headers of the session', async () => {
    const { store, pacs } = scene();
    await store.save('seg');
    expect(pacs.lastHeaders.get('Authorization')).toBe('Bearer of-the-test');
  });

  test('is BINARY, but LABELMAP where OHIF would misread BINARY: frames that are no whole number of bytes', async () => {
    const { store, pacs } = scene();
    await store.save('seg');
    expect((await lastStored(pacs)).segmentationType).toBe('BINARY');

    const odd = testLabelmap([0, 1, 2, 3], { geometry: obliqueGeometry([7, 5, 4]) });
    const source = seriesOn(odd.geometry);
    const oddPacs = createFakePacs();
    await storeOf(createFakeViewer({ labelmap: odd, source, pacs: oddPacs.dicomWeb })).save('seg');
    const [file = new Uint8Array()] = oddPacs.stored.values();
    const stored = await readDicomSeg(file, { reference: { geometry: odd.geometry, source } });
    expect(stored.segmentationType).toBe('LABELMAP');
    expect(stored.labelmap.voxels).toEqual(odd.voxels);
  });

  test('is always a new instance in a new series; nothing is ever deleted', async () => {
    const { store, pacs } = scene();
    await store.save('seg');
    await store.save('seg');
    expect(pacs.stored.size).toBe(2);
    expect(pacs.requests.map((request) => request.split(' ')[0])).toEqual(['POST', 'GET', 'POST', 'GET']);
    const [first, second] = [...pacs.stored.values()];
    const series = await Promise.all([first, second].map((file) => readDicomSeg(file ?? new Uint8Array())));
    expect(series[0]?.identity.seriesInstanceUID).not.toBe(series[1]?.identity.seriesInstanceUID);
  });

  test('that is asked for twice at once is one save', async () => {
    const { store, pacs } = scene();
    const outcomes = await Promise.all([store.save('seg'), store.save('seg')]);
    expect(outcomes[0]).toBe(outcomes[1]);
    expect(pacs.stored.size).toBe(1);
  });

  test('of a list that cannot be refreshed is saved all the same, with a warning', async () => {
    const { store, viewer } = scene();
    viewer.showStored = () => Promise.reject(new Error('no such study'));
    expect(await store.save('seg')).toMatchObject({ status: 'saved', warnings: [{ code: 'not-listed' }] });
  });

  test('of a segmentation that is gone fails', async () => {
    const { store, viewer } = scene();
    viewer.label = undefined;
    expect(failureOf(await store.save('seg'))).toMatchObject({ mayBeStored: false });
  });
});

describe('a save is not called saved', () => {
  const refusals: [string, FakePacsBehaviour, string, RegExp, boolean][] = [
    ['the PACS answers 500', { onStore: () => new Response('', { status: 500 }) }, 'pacs-refused', /HTTP 500/, true],
    ['the PACS answers 401', { onStore: () => new Response('', { status: 401 }) }, 'pacs-refused', /HTTP 401/, false],
    ['the PACS answers 405', { onStore: () => new Response('', { status: 405 }) }, 'pacs-refused', /HTTP 405/, false],
    [
      'the PACS answers 200 with a failed instance',
      {
        onStore: () =>
          Response.json({ '00081198': { vr: 'SQ', Value: [{ '00081197': { vr: 'US', Value: [0xa700] } }] } }),
      },
      'pacs-refused',
      /A700h/,
      false,
    ],
    [
      'the network is down',
      { onStore: () => Promise.reject(new TypeError('failed to fetch')) },
      'pacs-unreachable',
      /does not answer/,
      true,
    ],
    ['the PACS is slow', { onStore: noAnswer, timeoutMs: 20 }, 'pacs-unreachable', /did not answer within/, true],
    [
      'the PACS is slow and memory is collected meanwhile',
      { onStore: noAnswerWhileCollecting, timeoutMs: 300 },
      'pacs-unreachable',
      /did not answer within/,
      true,
    ],
    [
      'the PACS breaks off',
      {
        onRetrieve: () =>
          new Response(
            new ReadableStream({
              pull: (c) => {
                c.error(new TypeError('terminated'));
              },
            }),
          ),
      },
      'pacs-unreachable',
      /broke off its answer/,
      true,
    ],
    ['the PACS took it and has nothing', { keep: () => undefined }, 'not-stored', /does not have it/, true],
    [
      'the PACS keeps half of it',
      { keep: (file) => file.slice(0, file.length / 2) },
      'not-stored',
      /gives back something else/,
      true,
    ],
    [
      'the PACS loses one voxel',
      { keep: (file) => withVoxelLost(file) },
      'not-stored',
      /voxel \(\d+, \d+, \d+\) is/,
      true,
    ],
    [
      'the PACS gives back a page',
      { onRetrieve: () => new Response('<html>', { headers: { 'Content-Type': 'text/html' } }) },
      'not-stored',
      /gives back something else/,
      true,
    ],
    [
      'the network fails after sending',
      { onRetrieve: () => Promise.reject(new TypeError('failed to fetch')) },
      'pacs-unreachable',
      /does not answer/,
      true,
    ],
    [
      'reading back is refused',
      { onRetrieve: () => new Response('', { status: 403 }) },
      'pacs-refused',
      /HTTP 403/,
      true,
    ],
  ];
  test.each(refusals)('when %s', async (_, behaviour, code, message, mayBeStored) => {
    const { store, viewer } = scene(behaviour);
    const outcome = await store.save('seg');
    expect(failureOf(outcome)).toEqual({ code, message: expect.stringMatching(message) as string, mayBeStored });
    expect(store.state('seg')).toBe('unsaved');
    expect(viewer.shown).toEqual([]);
  });

  test('when the PACS gives back an older instance with the same voxels', async () => {
    const first = scene();
    await first.store.save('seg');
    const [older = new Uint8Array()] = first.pacs.stored.values();
    const { store } = scene({ onRetrieve: () => multipart(older) });
    expect(failureOf(await store.save('seg'))).toMatchObject({
      code: 'not-stored',
      message: expect.stringMatching(/another instance/) as string,
    });
  });

  test('before an archive that is slow to file has it', async () => {
    let asked = 0;
    const { store } = scene({ onRetrieve: () => (++asked < 4 ? new Response('', { status: 404 }) : undefined) });
    expect(await store.save('seg')).toMatchObject({ status: 'saved' });
    expect(asked).toBe(4);
  });

  test('when the data source cannot store; the download still works', async () => {
    const viewer = createFakeViewer({ labelmap, source: reference.source });
    const store = storeOf(viewer);
    expect(store.canSave()).toEqual({ ok: false, reason: 'The study was opened from files.' });
    expect(failureOf(await store.save('seg'))).toMatchObject({ code: 'pacs-unavailable', mayBeStored: false });
    await store.download('seg', 'seg-binary');
    expect(viewer.files).toHaveLength(1);
  });

  test('when the images have no identity; the NIfTI download still works', async () => {
    const pacs = createFakePacs();
    const viewer = createFakeViewer({ labelmap, pacs: pacs.dicomWeb });
    const store = storeOf(viewer);
    expect(failureOf(await store.save('seg'))).toMatchObject({ code: 'source-without-identity', mayBeStored: false });
    await store.download('seg', 'nifti');
    expect(viewer.files.map(({ name }) => name)).toEqual(['kidneys.nii.gz']);
    expect(pacs.requests).toEqual([]);
  });
});

describe('cancelling', () => {
  test('before sending stores nothing', async () => {
    const { store, pacs } = scene();
    const controller = new AbortController();
    const save = store.save('seg', { signal: controller.signal });
    controller.abort();
    expect(await save).toEqual({ status: 'cancelled', mayBeStored: false });
    expect(pacs.requests).toEqual([]);
  });

  test('while reading back says that the PACS may have it', async () => {
    const controller = new AbortController();
    const { store } = scene({
      onRetrieve: (signal) => {
        const never = noAnswer(signal);
        controller.abort();
        return never;
      },
    });
    expect(await store.save('seg', { signal: controller.signal })).toEqual({ status: 'cancelled', mayBeStored: true });
  });
});

describe('edits', () => {
  test('after a save make it "edited"', async () => {
    const { store, viewer } = scene();
    const heard = vi.fn();
    store.onChange(heard);
    await store.save('seg');
    viewer.paint(0, 2);
    viewer.paint(1, 2);
    expect(heard.mock.calls).toEqual([
      ['seg', 'saved'],
      ['seg', 'edited'],
    ]);
  });

  test('during a save are neither in what is stored nor called saved', async () => {
    const { store, viewer, pacs } = scene({
      onRetrieve: () => {
        viewer.paint(0, 2);
        return undefined;
      },
    });
    expect(await store.save('seg')).toMatchObject({ status: 'saved', editedMeanwhile: true });
    expect((await lastStored(pacs)).labelmap.voxels).toEqual(labelmap.voxels);
    expect(viewer.voxels[0]).toBe(2);
    expect(store.state('seg')).toBe('edited');
  });

  test('during a save that the viewer did not tell of are found by comparing', async () => {
    const { store, viewer } = scene({
      onRetrieve: () => {
        viewer.voxels[0] = 2;
        return undefined;
      },
    });
    expect(await store.save('seg')).toMatchObject({ status: 'saved', editedMeanwhile: true });
    expect(store.state('seg')).toBe('edited');
  });

  test('by a model that runs again make it "unsaved", without a predecessor', async () => {
    const { store, viewer, pacs } = scene();
    await store.save('seg');
    const heard = vi.fn();
    store.onChange(heard);
    store.describe('seg', { segments: labelmap.segments, provenance: testProvenance });
    viewer.paint(0, 1);
    expect(heard.mock.calls).toEqual([['seg', 'unsaved']]);
    await store.save('seg');
    expect((await lastStored(pacs)).identity.predecessorSOPInstanceUID).toBeUndefined();
  });

  test('of names count as edits', async () => {
    const { store, viewer, pacs } = scene();
    await store.save('seg');
    viewer.listed = viewer.listed.map((segment) => ({ ...segment, label: `My ${segment.label}` }));
    viewer.changed();
    expect(store.state('seg')).toBe('edited');
    await store.save('seg');
    expect((await lastStored(pacs)).labelmap.segments.map(({ segmentLabel }) => segmentLabel)).toEqual([
      'My Kidney 1',
      'My Kidney 2',
      'My Kidney 3',
    ]);
  });

  test('make exactly the edited segments semiautomatic, with the edit as a second algorithm', async () => {
    const { store, viewer, pacs } = scene();
    viewer.paint(0, 2);
    await store.save('seg');
    const { segments } = (await lastStored(pacs)).labelmap;
    expect(segments.map(({ algorithmType, isEdited }) => [algorithmType, isEdited])).toEqual([
      ['AUTOMATIC', undefined],
      ['SEMIAUTOMATIC', true],
      ['AUTOMATIC', undefined],
    ]);
    expect(segments.map(({ algorithms }) => algorithms?.[0]?.name)).toEqual(['test-net', 'test-net', 'test-net']);
  });
});

describe('a stored segmentation that is opened again', () => {
  /** The store of a fresh page that has opened what another page stored. */
  async function reopened(change: (first: Scene) => void = () => undefined): Promise<Scene & { firstUid: string }> {
    const first = scene();
    change(first);
    const outcome = await first.store.save('seg');
    if (outcome.status !== 'saved') throw new Error(outcome.status);
    const { pacs } = first;
    const stored = await lastStored(pacs);
    const viewer = createFakeViewer({ labelmap: stored.labelmap, source: reference.source, pacs: pacs.dicomWeb });
    viewer.openedPath = { studyInstanceUID: reference.source.studyInstanceUID, ...stored.identity };
    const store = storeOf(viewer);
    viewer.changed();
    return { store, viewer, pacs, firstUid: outcome.sopInstanceUID };
  }

  test('counts as saved until the first edit', async () => {
    const { store, viewer } = await reopened();
    expect(store.state('seg')).toBe('saved');
    viewer.paint(0, 1);
    expect(store.state('seg')).toBe('edited');
  });

  test('is stored as a new one that refers to its predecessor, with the same identities, codes and algorithms', async () => {
    const { store, viewer, pacs, firstUid } = await reopened();
    viewer.paint(0, 3);
    expect(await store.save('seg')).toMatchObject({ status: 'saved', warnings: [] });
    const { identity, labelmap: corrected } = await lastStored(pacs);
    expect(identity.predecessorSOPInstanceUID).toBe(firstUid);
    expect(identity.sopInstanceUID).not.toBe(firstUid);
    expect(corrected.voxels[0]).toBe(3);
    const [one, two, three] = asStored(labelmap.segments);
    expect(corrected.segments).toEqual([one, two, { ...three, algorithmType: 'SEMIAUTOMATIC', isEdited: true }]);
  });

  test('and is saved twice refers to the one saved in between', async () => {
    const { store, viewer, pacs, firstUid } = await reopened();
    viewer.paint(0, 3);
    const second = await store.save('seg');
    viewer.paint(1, 3);
    await store.save('seg');
    expect(pacs.stored.size).toBe(3);
    if (second.status !== 'saved') throw new Error(second.status);
    const { identity } = await lastStored(pacs);
    expect(identity.predecessorSOPInstanceUID).toBe(second.sopInstanceUID);
    expect(identity.predecessorSOPInstanceUID).not.toBe(firstUid);
  });

  test('and has lost its middle segment keeps what the others are, numbered anew', async () => {
    const { store, viewer, pacs } = await reopened();
    viewer.voxels = viewer.voxels.map((label) => (label === 2 ? 0 : label));
    viewer.listed = viewer.listed.filter(({ segmentNumber }) => segmentNumber !== 2);
    viewer.changed();
    expect(await store.save('seg')).toMatchObject({ status: 'saved' });
    const { labelmap: corrected } = await lastStored(pacs);
    expect(corrected.segments.map(({ segmentNumber, trackingUID }) => [segmentNumber, trackingUID])).toEqual([
      [1, labelmap.segments[0]?.trackingUID],
      [2, labelmap.segments[2]?.trackingUID],
    ]);
    expect(corrected.voxels).toEqual(viewer.voxels.map((label) => (label === 3 ? 2 : label)));
  });

  test("does not give a removed segment's identity to a new one with its number", async () => {
    const { store, viewer, pacs } = await reopened();
    const all = viewer.listed;
    viewer.voxels = viewer.voxels.map((label) => (label === 3 ? 0 : label));
    viewer.listed = all.slice(0, 2);
    viewer.changed();
    viewer.listed = [...viewer.listed, { segmentNumber: 3, label: 'Lesion', colour: [0, 150, 0] }];
    viewer.paint(0, 3);
    await store.save('seg');
    const { segments } = (await lastStored(pacs)).labelmap;
    expect(segments[2]).toMatchObject({ segmentLabel: 'Lesion', algorithmType: 'MANUAL' });
    expect(segments[2]?.segmentedPropertyType.codeValue).toBe('52988006');
    expect(segments[2]?.trackingUID).not.toBe(labelmap.segments[2]?.trackingUID);
  });

  test('is not saved without what the stored one says of it', async () => {
    const { store, pacs } = await reopened();
    pacs.stored.clear();
    expect(failureOf(await store.save('seg'))).toMatchObject({ code: 'pacs-refused', mayBeStored: false });
  });
});

describe('a segmentation drawn by hand', () => {
  test('is stored with what its names and colours say, the same identities in every save', async () => {
    const { store, viewer, pacs } = scene({}, { described: false });
    viewer.listed = [
      { segmentNumber: 1, label: 'Left kidney', colour: [185, 102, 83] },
      { segmentNumber: 2, label: 'Segment 2', colour: [0, 0, 255] },
      { segmentNumber: 3, label: '' },
    ];
    await store.save('seg');
    const { segments } = (await lastStored(pacs)).labelmap;
    expect(segments).toMatchObject([
      {
        segmentLabel: 'Left kidney',
        algorithmType: 'MANUAL',
        segmentedPropertyType: { codeValue: '64033007' },
        segmentedPropertyTypeModifier: { codeValue: '7771000' },
      },
      { segmentLabel: 'Segment 2', segmentedPropertyType: { codeValue: '85756007', codingSchemeDesignator: 'SCT' } },
      { segmentLabel: 'Segment 3' },
    ]);
    await store.save('seg');
    const again = (await lastStored(pacs)).labelmap.segments;
    expect(again.map(({ trackingUID }) => trackingUID)).toEqual(segments.map(({ trackingUID }) => trackingUID));
  });

  test('keeps voxels of a label that the viewer does not list', async () => {
    const { store, viewer, pacs } = scene({}, { described: false });
    viewer.listed = viewer.listed.slice(0, 2);
    expect(await store.save('seg')).toMatchObject({ status: 'saved' });
    expect((await lastStored(pacs)).labelmap.voxels).toEqual(labelmap.voxels);
  });
});

describe('a download', () => {
  test('is a file of the format asked for, with the same voxels', async () => {
    const { store, viewer, pacs } = scene();
    await store.download('seg', 'seg-binary');
    await store.download('seg', 'seg-labelmap');
    await store.download('seg', 'nifti');
    expect(viewer.files.map(({ name }) => name)).toEqual(['kidneys.seg.dcm', 'kidneys.seg.dcm', 'kidneys.nii.gz']);
    const [binary, labels, nifti] = await Promise.all(
      viewer.files.map(async ({ content }) => new Uint8Array(await content.arrayBuffer())),
    );
    const read = await Promise.all(
      [binary, labels].map((file) => readDicomSeg(file ?? new Uint8Array(), { reference })),
    );
    expect(read.map(({ segmentationType }) => segmentationType)).toEqual(['BINARY', 'LABELMAP']);
    for (const { labelmap: stored } of read) expect(stored.voxels).toEqual(labelmap.voxels);
    const volume = await readNiftiLabelmap(memoryFile('labels.nii.gz', nifti ?? new Uint8Array()));
    expect(volume.voxels).toEqual(labelmap.voxels);
    expect(pacs.requests).toEqual([]);
  });

  test('does not make it "saved"', async () => {
    const { store } = scene();
    await store.download('seg', 'seg-binary');
    expect(store.state('seg')).toBe('unsaved');
  });

  test('that the format cannot hold is refused with the reason', async () => {
    const { store, viewer } = scene();
    const other = seriesOn(obliqueGeometry([8, 6, 9]));
    viewer.labels = () =>
      Promise.resolve({ ...reference, source: other, voxels: viewer.voxels.slice(), edited: new Set() });
    await expect(store.download('seg', 'seg-binary')).rejects.toMatchObject({ code: 'geometry-mismatch' });
    expect(viewer.files).toEqual([]);
  });
});

/** Clears a bit of the last byte that has one. */
function withVoxelLost(file: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const flipped = file.slice();
  const at = flipped.findLastIndex((byte) => byte !== 0);
  flipped[at] = (flipped[at] ?? 0) & ((flipped[at] ?? 0) - 1);
  return flipped;
}
