import { createShortAxisHeart } from '../../../sample-data/short-axis-heart.ts';
import { createGeometry } from '../../../src/volume/geometry.ts';
import type { Volume } from '../../../src/volume/volume.ts';
import { allocateVoxels, createSegmentationClient } from '../../../src/browser/client.ts';

export interface PageJob {
  readonly modelUrl: string;
  readonly dimensions: readonly [number, number, number];
  /** In plane, mm. */
  readonly spacing: number;
}

/** What one run in the page took; times in ms. */
export interface PageFigures {
  readonly summary: string;
  /** From the call of segmentVolume. */
  readonly wholeRunMs: number;
  readonly firstSliceMs: number;
  readonly inferenceMs: number;
  readonly medianSliceMs: number;
  /** Tasks of the page's own thread over 50 ms while the run went on; the page does nothing else. */
  readonly longTasksMs: readonly number[];
  readonly labelled: number;
}

/** Steps of a job, so that the caller can look at the memory between them. */
export interface BenchPage {
  /** A volume and a labelmap, as a viewer has them. */
  prepare(job: PageJob): void;
  open(): Promise<void>;
  run(): Promise<PageFigures>;
}

let job: PageJob | undefined;
let volume: Volume | undefined;
let labelmap = new Uint8Array();
const client = createSegmentationClient({
  createWorker: () => new Worker(new URL('../../../src/browser/worker.ts', import.meta.url), { type: 'module' }),
  stallTimeoutMs: 60_000,
});
let session: Awaited<ReturnType<typeof client.openModel>> | undefined;

const page: BenchPage = {
  prepare(given) {
    job = given;
    volume = drawVolume(given);
    labelmap = new Uint8Array(volume.voxels.length).fill(1).fill(0); // written to, so that it is really there
  },
  async open() {
    if (job === undefined) throw new Error('prepare first');
    session = await client.openModel(job.modelUrl);
  },
  async run() {
    if (session === undefined || volume === undefined) throw new Error('open first');
    const longTasksMs: number[] = [];
    const observer = new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) longTasksMs.push(Math.round(duration));
    });
    observer.observe({ type: 'longtask' });
    const [columns, rows, slices] = volume.geometry.dimensions;
    const start = performance.now();
    let firstSliceMs = NaN;
    const sliceMs: number[] = [];
    const result = await client.segmentVolume(volume, {
      session,
      softwareVersion: 'bench',
      force: true,
      onSlice({ index, labels, durationMs }) {
        if (sliceMs.length === 0) firstSliceMs = performance.now() - start;
        sliceMs.push(durationMs);
        labelmap.set(labels, index * columns * rows);
      },
    });
    const wholeRunMs = performance.now() - start;
    labelmap.set(result.labelmap.voxels);
    observer.disconnect();
    return {
      summary: session.device.summary,
      wholeRunMs,
      firstSliceMs,
      inferenceMs: result.provenance.inferenceMs,
      medianSliceMs: sliceMs.toSorted((a, b) => a - b)[Math.floor(slices / 2)] ?? NaN,
      longTasksMs,
      labelled: labelmap.reduce((count, label) => count + Math.sign(label), 0),
    };
  },
};
Object.assign(globalThis, { benchPage: page });

/** The sample heart, enlarged to the size wanted. */
function drawVolume({ dimensions, spacing }: PageJob): Volume {
  const [columns, rows, slices] = dimensions;
  const { geometry: own, phases } = createShortAxisHeart({ phases: 1 });
  const heart = phases[0]?.voxels ?? new Uint16Array();
  const [ownColumns, ownRows, ownSlices] = own.dimensions;
  const geometry = createGeometry({ ...own, dimensions, spacing: [spacing, spacing, 2] });
  const voxels = new Uint16Array(allocateVoxels(2 * columns * rows * slices));
  const nearest = (n: number, length: number, ownLength: number): number => Math.floor((n / length) * ownLength);
  for (let k = 0, at = 0; k < slices; k++) {
    for (let j = 0; j < rows; j++) {
      const row = (nearest(k, slices, ownSlices) * ownRows + nearest(j, rows, ownRows)) * ownColumns;
      for (let i = 0; i < columns; i++, at++) voxels[at] = heart[row + nearest(i, columns, ownColumns)] ?? 0;
    }
  }
  return { geometry, voxels, modality: 'MR', bodyPartExamined: 'HEART' };
}
