import { randomFillSync } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createParallelDecoders } from '../../src/node/parallel-decoders.ts';
import type { SourceFile } from '../../src/io/reader.ts';
import { obliqueGeometry } from '../support/labelled-series.ts';
import { encodeJpeg2000 } from '../support/jpeg-2000.ts';
import { expectSameValues } from '../support/matchers.ts';
import { memoryFile } from '../support/memory-file.ts';
import { encodePart10 } from '../support/part10.ts';
import { sliceAttributes } from '../support/phantom.ts';
import { createDicomReader, dicomReader } from '../support/whole-reader.ts';

const SIDE = 256;
const SLICES = 18;

/** Noise, which hardly compresses: two and a half megabytes. */
const voxels = randomFillSync(new Int16Array(SIDE * SIDE * SLICES));
const source = { geometry: obliqueGeometry([SIDE, SIDE, SLICES]), voxels };
const format = { rows: SIDE, columns: SIDE, bitsAllocated: 16, bitsStored: 16, isSigned: true } as const;
const images = await Promise.all(
  Array.from({ length: SLICES }, (_, k) =>
    encodeJpeg2000(voxels.slice(k * SIDE * SIDE, (k + 1) * SIDE * SIDE), format),
  ),
);

/** @param damaged slices whose images are cut off */
function series(damaged: readonly number[] = []): SourceFile[] {
  return images.map((image, k) => {
    const fragments = [damaged.includes(k) ? image.subarray(0, image.length >> 1) : image];
    const attributes = { ...sliceAttributes(source, k), PixelData: undefined };
    return memoryFile(`slice-${k}.dcm`, encodePart10(attributes, { transferSyntaxUID: JPEG_2000, fragments }));
  });
}

const JPEG_2000 = '1.2.840.10008.1.2.4.90';

describe('a series of JPEG 2000 that is decoded in threads', () => {
  let started: Worker[];
  const note = (worker: Worker): unknown => started.push(worker);
  beforeEach(() => {
    started = [];
    process.on('worker', note);
  });
  afterEach(async () => {
    process.off('worker', note);
    await Promise.all(started.map((worker) => worker.terminate()));
  });

  test('has the voxels that it has in one thread', async () => {
    const { volume } = await createDicomReader(createParallelDecoders(2)).read(series());
    const inOneThread = await dicomReader.read(series());
    expect(volume.geometry).toEqual(inOneThread.volume.geometry);
    expectSameValues(volume.voxels, inOneThread.volume.voxels);
    expectSameValues(volume.voxels, voxels);
    expect(started).toHaveLength(2);
  });

  test('is refused for the same slice, with the same error, and the threads decode on', async () => {
    const reader = createDicomReader(createParallelDecoders(2));
    const errorOf = (reading: Promise<unknown>): Promise<unknown> => reading.catch((error: unknown) => error);
    const error = await errorOf(reader.read(series([9, 10])));
    expect(error).toEqual(await errorOf(dicomReader.read(series([9, 10]))));
    expect(error).toMatchObject({ code: 'damaged-file', details: { file: 'slice-9.dcm' } });
    expectSameValues((await reader.read(series())).volume.voxels, voxels);
    expect(started).toHaveLength(2);
  });

  test('is given up when the signal aborts, with its reason, and no file is read after', async () => {
    const controller = new AbortController();
    const reason = new Error('Interrupted');
    const files = series();
    const read: string[] = [];
    const watched = files.map((file) => ({
      ...file,
      read: () => {
        if (read.push(file.name) === 6) controller.abort(reason);
        return file.read();
      },
    }));
    const reading = createDicomReader(createParallelDecoders(2)).read(watched, { signal: controller.signal });
    await expect(reading).rejects.toBe(reason);
    await sleep(100);
    expect(read).toHaveLength(6);
  });

  test('is decoded although a thread ends', async () => {
    process.once('worker', (worker: Worker) => void worker.once('online', () => void worker.terminate()));
    const { volume } = await createDicomReader(createParallelDecoders(2)).read(series());
    expectSameValues(volume.voxels, voxels);
  });

  test('is few files ahead of what is decoded', async () => {
    let read = 0;
    const ahead: number[] = [];
    const [decoder, ...others] = createParallelDecoders(2);
    if (decoder === undefined) throw new Error('no decoder');
    let decoded = 0;
    const counting = {
      ...decoder,
      decode: async (...args: Parameters<typeof decoder.decode>) => {
        ahead.push(read - decoded);
        const values = await decoder.decode(...args);
        decoded++;
        return values;
      },
    };
    const watched = series().map((file) => ({
      ...file,
      read: () => {
        read++;
        return file.read();
      },
    }));
    await createDicomReader([counting, ...others]).read(watched);
    expect(Math.max(...ahead)).toBeGreaterThan(1);
    expect(Math.max(...ahead)).toBeLessThanOrEqual(decoder.framesUnderWay ?? 1);
  });

  test('starts no thread for one image, nor where there is one processor', async () => {
    const [one] = series();
    if (one === undefined) throw new Error('no slice');
    await createDicomReader(createParallelDecoders(2)).read([one]);
    await createDicomReader(createParallelDecoders(1)).read(series());
    expect(started).toHaveLength(0);
  });
});
