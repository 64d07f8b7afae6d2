import { HttpError } from '../http-error.ts';
import { multipart, type Answer, type StreamedPart } from './answer.ts';
import { bulkValue } from './bulk-value.ts';
import { valueAt } from './dataset-json.ts';
import { withDataset } from './dicom-file.ts';
import { frameMediaType } from './frame-media-types.ts';
import { openFrameSource, type Frame, type FrameSource } from './frame-source.ts';
import type { StoredInstance } from './known-file.ts';
import { choose, type MediaType, type Offer } from './media-types.ts';
import { notFound, orNotFound } from './not-found.ts';
import type { OpenPlainFile } from './plain-file.ts';
import { rememberFrames } from './remember-frames.ts';
import type { StudyIndex } from './study-index.ts';

/** Frames and bulk data of instances, read piece by piece as they are sent. */
export interface BulkRetrieval {
  /** @param numbers from 1
   * @throws HttpError 404, 406
   * @see DICOM PS3.18 10.4.1.6 */
  readonly frames: (
    instance: StoredInstance,
    numbers: readonly number[],
    accepted: readonly MediaType[],
  ) => Promise<Answer>;
  /** @param path of the value, its tag or `tag/item/tag`
   * @throws HttpError 404, 406
   * @see DICOM PS3.18 10.4.1.5 */
  readonly bulkData: (
    instance: StoredInstance,
    path: readonly string[],
    accepted: readonly MediaType[],
  ) => Promise<Answer>;
}

export function createBulkRetrieval(index: StudyIndex): BulkRetrieval {
  const framesOf = rememberFrames((instance) => index.read(instance, openFrameSource));
  return {
    async frames(instance, numbers, accepted) {
      const source = await orNotFound(framesOf(instance));
      const missing = numbers.find((number) => number > source.count);
      if (missing !== undefined) {
        throw new HttpError(404, `There is no frame ${missing}; the instance has ${source.count}.`);
      }
      const offer = choose(accepted, frameOffers(source, numbers.length));
      const wanted = numbers.map((number) => source.frame(number - 1));
      return inOffer(await orNotFound(index.open(instance)), wanted, offer);
    },
    async bulkData(instance, path, accepted) {
      const [tag = ''] = path;
      if (PIXEL_DATA_TAGS.has(tag) && path.length === 1) {
        const source = await orNotFound(framesOf(instance));
        const offer = choose(accepted, frameOffers(source, source.count));
        const all = Array.from({ length: source.count }, (_, frameIndex) => source.frame(frameIndex));
        return inOffer(await orNotFound(index.open(instance)), all, offer);
      }
      const offer = choose(accepted, [
        { type: 'application/octet-stream' },
        { type: 'multipart/related', partType: 'application/octet-stream' },
      ]);
      const file = await orNotFound(index.open(instance));
      try {
        const value = await withDataset(file, (read) => {
          const found = valueAt(read.dataset, path);
          return found && bulkValue(file, found, read.placeOf(found.bytes));
        });
        if (value === undefined) throw new HttpError(404, 'The instance has no bulk data there.');
        return await inOffer(file, [value], offer);
      } catch (error) {
        await file.close();
        throw notFound(error);
      }
    },
  };
}

const PIXEL_DATA_TAGS = new Set(['7FE00008', '7FE00009', '7FE00010']);

function frameOffers({ transferSyntaxUID }: FrameSource, count: number): Offer[] {
  const own = frameMediaType(transferSyntaxUID);
  return [
    { type: 'multipart/related', partType: 'application/octet-stream', transferSyntaxUID },
    ...(own === undefined ? [] : [{ type: 'multipart/related', partType: own, transferSyntaxUID }]),
    ...(count === 1 ? [{ type: 'application/octet-stream', transferSyntaxUID }] : []),
  ];
}

/** A part each, or the only one alone.
 * @param file closed when the answer is over
 * @throws HttpError 404 if the first piece cannot be read */
async function inOffer(
  file: OpenPlainFile,
  frames: readonly Frame[],
  { type, partType, transferSyntaxUID }: Offer,
): Promise<Answer> {
  const suffix = transferSyntaxUID === undefined ? '' : `; transfer-syntax=${transferSyntaxUID}`;
  const { close } = file;
  const [only] = frames;
  let begun: AsyncGenerator<Uint8Array> | undefined;
  try {
    begun = only && (await begin(only.pieces(file)));
    await file.assertUnchanged();
  } catch (error) {
    await close();
    throw notFound(error);
  }
  async function* untilUnchanged(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    yield* pieces;
    await file.assertUnchanged();
  }
  if (partType === undefined) {
    const pieces = begun === undefined ? [] : untilUnchanged(begun);
    return { status: 200, contentType: `${type}${suffix}`, byteLength: only?.byteLength ?? 0, pieces, close };
  }
  const contentType = `${partType}${suffix}`;
  // eslint-disable-next-line @typescript-eslint/require-await -- its parts are asynchronous
  async function* parts(): AsyncGenerator<StreamedPart> {
    for (const frame of frames) {
      const pieces = frame === only && begun !== undefined ? begun : frame.pieces(file);
      begun = undefined;
      yield { contentType, byteLength: frame.byteLength, pieces: untilUnchanged(pieces) };
    }
  }
  return multipart(parts(), partType, close);
}

/** Reads the first piece now: what cannot be read is an error before anything is sent. */
async function begin(pieces: AsyncGenerator<Uint8Array, void>): Promise<AsyncGenerator<Uint8Array>> {
  const first = await pieces.next();
  return (async function* (): AsyncGenerator<Uint8Array> {
    if (first.done !== true) yield first.value;
    yield* pieces;
  })();
}
