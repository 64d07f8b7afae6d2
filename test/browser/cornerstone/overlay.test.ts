import type { Types } from '@cornerstonejs/core';
import { afterEach, beforeAll, expect, test } from 'vitest';
import { createLabelmapTarget, readImageVolume, type LabelmapTarget } from '../../../extension/cornerstone/index.ts';
import { indexToWorld, type IndexPoint } from '../../../src/volume/geometry.ts';
import { addSegmentation, addSeries, history, host } from '../../support/cornerstone-series.ts';
import { obliqueGeometry } from '../../support/labelled-series.ts';

// What Cornerstone3D draws, pixel by pixel: the one proof that labels lie on the anatomy that they were made from.

const { core, tools } = host;
const COLUMNS = 14;
const ROWS = 10;
const geometry = obliqueGeometry([COLUMNS, ROWS, 6]);
const order = [3, 0, 5, 1, 4, 2];
const ENGINE = 'test';

// One for all tests: each has seven WebGL contexts, and a browser takes the oldest away where there are many.
let engine: InstanceType<typeof core.RenderingEngine>;
beforeAll(() => {
  core.init();
  tools.init();
  engine = new core.RenderingEngine(ENGINE);
});

afterEach(() => {
  for (const { id: viewportId, element } of engine.getViewports()) {
    for (const { segmentationId } of tools.segmentation.state.getSegmentationRepresentations(viewportId)) {
      tools.segmentation.removeSegmentationRepresentations(viewportId, { segmentationId });
    }
    engine.disableElement(viewportId);
    element.remove();
  }
});

function addElement(): HTMLDivElement {
  const element = document.createElement('div');
  Object.assign(element.style, { width: '420px', height: '320px' });
  document.body.append(element);
  return element;
}

/** An F in slice k, its size and place and segment those of the slice: no flip, turn or transpose of it is itself. */
function letterF(k: number): Uint8Array {
  const labels = new Uint8Array(COLUMNS * ROWS);
  const set = (i: number, j: number): void => {
    labels[j * COLUMNS + i] = (k % 3) + 1;
  };
  for (let j = 1; j <= 7; j++) set(2 + k, j);
  for (let i = 0; i <= 4; i++) set(2 + k + i, 1);
  for (let i = 0; i <= 2; i++) set(2 + k + i, 4);
  return labels;
}

function pointAt(index: IndexPoint): Types.Point3 {
  const [x, y, z] = indexToWorld(geometry, index);
  return [x, y, z];
}

async function open(): Promise<{ imageIds: string[]; segmentationId: string; target: LabelmapTarget }> {
  const stored = new Int16Array(COLUMNS * ROWS * 6).fill(100);
  const imageIds = addSeries({ geometry, stored, order });
  const segmentationId = addSegmentation(imageIds);
  const { sliceOfImage } = await readImageVolume(host, imageIds);
  const target = createLabelmapTarget(host, { segmentationId, imageIds, sliceOfImage });
  return { imageIds, segmentationId, target };
}

async function showStack(imageIds: readonly string[]): Promise<InstanceType<typeof core.StackViewport>> {
  engine.enableElement({ viewportId: 'stack', element: addElement(), type: core.Enums.ViewportType.STACK });
  const viewport = engine.getViewport('stack');
  if (!(viewport instanceof core.StackViewport)) throw new Error('the viewport shows no stack');
  await viewport.setStack([...imageIds], 0);
  return viewport;
}

async function showVolume(
  imageIds: readonly string[],
  viewportId = 'volume',
): Promise<InstanceType<typeof core.VolumeViewport>> {
  engine.enableElement({
    viewportId,
    element: addElement(),
    type: core.Enums.ViewportType.ORTHOGRAPHIC,
    defaultOptions: { orientation: core.Enums.OrientationAxis.ACQUISITION },
  });
  const volumeId = `volume-of-${imageIds[0] ?? ''}`;
  const volume = await core.volumeLoader.createAndCacheVolume(volumeId, { imageIds: [...imageIds] });
  volume.load();
  await core.setVolumesForViewports(engine, [{ volumeId }], [viewportId]);
  const viewport = engine.getViewport(viewportId);
  if (!(viewport instanceof core.VolumeViewport)) throw new Error('the viewport shows no volume');
  return viewport;
}

const COLOURS: Types.ColorLUT = [
  [0, 0, 0, 0],
  [255, 0, 0, 255],
  [0, 255, 0, 255],
  [0, 0, 255, 255],
];

function addOverlay(viewportId: string, segmentationId: string): void {
  const type = tools.Enums.SegmentationRepresentations.Labelmap;
  const config = { colorLUTOrIndex: COLOURS };
  tools.segmentation.addSegmentationRepresentations(viewportId, [{ segmentationId, type, config }]);
  tools.segmentation.activeSegmentation.setActiveSegmentation(viewportId, segmentationId);
}

type SeenViewport = Pick<Types.IStackViewport, 'canvas' | 'worldToCanvas'>;

/** The segment that is seen at each voxel of slice k, by the colour at its centre. */
function segmentsSeen(viewport: SeenViewport, k: number): number[] {
  const canvas = viewport.canvas;
  const context = canvas.getContext('2d');
  if (context === null) throw new Error('the viewport draws on no 2D canvas');
  const scale = canvas.width / canvas.clientWidth;
  return Array.from({ length: COLUMNS * ROWS }, (_, at) => {
    const [i, j] = [at % COLUMNS, Math.floor(at / COLUMNS)];
    const [x, y] = viewport.worldToCanvas(pointAt([i, j, k]));
    const [red = 0, green = 0, blue = 0] = context.getImageData(
      Math.round(x * scale),
      Math.round(y * scale),
      1,
      1,
    ).data;
    const strongest = Math.max(red, green, blue);
    if (strongest - Math.min(red, green, blue) < 20) return 0;
    return [red, green, blue].indexOf(strongest) + 1;
  });
}

/** Waits for the page to draw what is expected; what it draws in the end is compared. */
async function expectSegments(viewport: SeenViewport, k: number, expected: Uint8Array): Promise<void> {
  await expect.poll(() => segmentsSeen(viewport, k), { timeout: 10_000 }).toEqual([...expected]);
}

test('in a stack every slice shows its own labels where the image has them', async () => {
  const { imageIds, segmentationId, target } = await open();
  const viewport = await showStack(imageIds);
  addOverlay('stack', segmentationId);
  const replacement = target.replace();
  for (let k = 0; k < 6; k++) replacement.write(k, letterF(k));
  target.flush();
  for (const [n, k] of order.entries()) {
    await viewport.setImageIdIndex(n);
    await expectSegments(viewport, k, letterF(k));
  }
  target.dispose();
});

test('a slice that is written while a stack shows it is seen, and gone when it is undone', async () => {
  const { imageIds, segmentationId, target } = await open();
  const viewport = await showStack(imageIds);
  addOverlay('stack', segmentationId);
  await expectSegments(viewport, 3, new Uint8Array(COLUMNS * ROWS));
  target.replace().write(3, letterF(3));
  await expectSegments(viewport, 3, letterF(3));
  history.undo();
  await expectSegments(viewport, 3, new Uint8Array(COLUMNS * ROWS));
  target.dispose();
});

test('in a volume every slice shows its own labels, written before and after it was opened', async () => {
  const { imageIds, segmentationId, target } = await open();
  const replacement = target.replace();
  for (const k of [0, 1, 2]) replacement.write(k, letterF(k));
  const viewport = await showVolume(imageIds);
  addOverlay('volume', segmentationId);
  for (const k of [3, 4, 5]) replacement.write(k, letterF(k));
  target.flush();
  for (let k = 0; k < 6; k++) {
    viewport.jumpToWorld(pointAt([COLUMNS / 2, ROWS / 2, k]));
    viewport.render();
    await expectSegments(viewport, k, letterF(k));
  }
  target.dispose();
});

test('a stack and a volume side by side both follow a slice that is written', async () => {
  const { imageIds, segmentationId, target } = await open();
  const stack = await showStack(imageIds);
  const volume = await showVolume(imageIds);
  addOverlay('stack', segmentationId);
  addOverlay('volume', segmentationId);
  volume.jumpToWorld(pointAt([COLUMNS / 2, ROWS / 2, 3]));
  target.replace().write(3, letterF(3));
  await expectSegments(stack, 3, letterF(3));
  await expectSegments(volume, 3, letterF(3));
  target.dispose();
});

test('an overlay that is added just after a viewport was closed is seen', async () => {
  const { imageIds, segmentationId, target } = await open();
  target.replace().write(3, letterF(3));
  target.flush();
  const volume = await showVolume(imageIds, 'opened');
  volume.jumpToWorld(pointAt([COLUMNS / 2, ROWS / 2, 3]));
  // What Cornerstone3D queues then: a viewport that is gone, and, where it stands still, a segmentation nowhere shown.
  tools.utilities.segmentation.triggerSegmentationRender('closed');
  tools.segmentation.triggerSegmentationEvents.triggerSegmentationModified(segmentationId);
  addOverlay('opened', segmentationId);
  await expectSegments(volume, 3, letterF(3));
  target.dispose();
});
