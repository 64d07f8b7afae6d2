// @ts-check
/* global document, location */
// A page of a stranger's: opens the model in the worker, runs two slices, and says in the title what came of it.
import { createGeometry } from 'slicewise';
import { allocateVoxels, createSegmentationClient } from 'slicewise/browser';
import * as bridge from 'slicewise/cornerstone';

const SIZE = 96;
const SLICES = 2;

async function run() {
  const client = createSegmentationClient({
    createWorker: () => new Worker(new URL('./slicewise-worker.js', import.meta.url), { type: 'module' }),
    backend: 'wasm',
  });
  const session = await client.openModel(new URL('/models/cardiac-mr-fast/', location.href).href);
  const geometry = createGeometry({
    dimensions: [SIZE, SIZE, SLICES],
    spacing: [1.5, 1.5, 8],
    origin: [0, 0, 0],
    direction: [
      [1, 0, 0],
      [0, 1, 0],
      [0, 0, 1],
    ],
  });
  const voxels = new Float32Array(allocateVoxels(4 * SIZE * SIZE * SLICES)).map((_, at) => at % 97);
  const volume = { geometry, voxels, modality: 'MR' };
  const result = await client.segmentVolume(volume, { session, softwareVersion: '1.0', force: true });
  await client.dispose();
  const labels = result.labelmap.voxels.length;
  return { labels, id: session.model.manifest.id, backend: session.backendId, bridge: typeof bridge.runModel };
}

run().then(
  (outcome) => {
    document.title = JSON.stringify(outcome);
  },
  (/** @type {unknown} */ error) => {
    document.title = JSON.stringify({ failed: String(error) });
  },
);
