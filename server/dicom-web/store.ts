import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { HttpError } from '../http-error.ts';
import { isPart10, readHeader } from './dicom-file.ts';
import { attribute, textOf, type JsonDataset } from './dicom-json.ts';
import { createMultipartParser, MultipartError, type MultipartParser } from './multipart.ts';
import { withPlainFile } from './plain-file.ts';
import { codeOf, haveSameBytes, openStoredFiles, type StagedPart, type StoredFiles } from './stored-files.ts';
import type { StudyIndex } from './study-index.ts';
import { Tag } from './tags.ts';

/** Where a folder keeps what was stored into it. */
const STORED_FOLDER = 'stored';
/** PS3.4 B.2.3, PS3.18 table 10.5.3-2. */
const FailureReason = {
  processing: 0x0110,
  duplicate: 0x0111,
  outOfResources: 0xa700,
  wrongStudy: 0xa900,
  cannotUnderstand: 0xc000,
} as const;
type FailureReason = (typeof FailureReason)[keyof typeof FailureReason];

/** The longest store request. */
const MAX_STORE_BYTES = 4 * 2 ** 30;
/** All that are under way together: they lie beside what is stored until they are complete. */
const MAX_BYTES_UNDER_WAY = 8 * 2 ** 30;
const MAX_PARTS = 100_000;

interface StoreAnswer {
  readonly status: 200 | 202 | 409;
  readonly dataset: JsonDataset;
}

/** Stores what requests bring. One at a time, whatever the number of requests, and with no more of them in memory than a
 * chunk each. */
export interface InstanceStore {
  /** Writes the instances of a request as files of their own, named by their SOP Instance UIDs, each at once or not at all.
   * The first one with a UID stays: another with other bytes is refused, whether it came in the same request, at the same
   * time, by another server over the same folder, or was put there by hand.
   * @param studyInstanceUID of the study that the request names, if it does
   * @throws HttpError 400, 413, 415, 503
   * @see DICOM PS3.18 10.5 */
  readonly store: (
    request: IncomingMessage,
    studyInstanceUID: string | undefined,
    urlOf: (study: string, series: string, instance: string) => string,
  ) => Promise<StoreAnswer>;
}

export function openInstanceStore(index: StudyIndex): InstanceStore {
  const files = openStoredFiles(join(index.folder, STORED_FOLDER));
  let lastInQueue: Promise<unknown> = Promise.resolve();
  let bytesUnderWay = 0;

  const inQueue = <T>(run: () => Promise<T>): Promise<T> => {
    const result = lastInQueue.then(run);
    lastInQueue = result.catch(() => undefined);
    return result;
  };

  return {
    async store(request, studyInstanceUID, urlOf) {
      const parser = parserFor(request);
      const announced = announcedLength(request);
      const staged: StagedOrFailed[] = [];
      let counted = 0;
      const count = (byteLength: number): void => {
        if (counted + byteLength > MAX_STORE_BYTES) throw tooLong();
        if (bytesUnderWay + byteLength > MAX_BYTES_UNDER_WAY) {
          throw new HttpError(503, 'Too much is being stored at this moment.', {
            Connection: 'close',
            'Retry-After': '5',
          });
        }
        counted += byteLength;
        bytesUnderWay += byteLength;
      };
      try {
        count(announced);
        await stageParts(request, parser, files, staged, (soFar) => {
          if (soFar > counted) count(soFar - counted);
        });
        if (staged.length === 0) throw new HttpError(400, 'The request has no instance.');
        return await inQueue(() => publishAll(staged, studyInstanceUID, urlOf));
      } finally {
        bytesUnderWay -= counted;
        for (const { part } of staged) await part?.discard();
        await files.removeIfEmpty();
      }
    },
  };

  async function publishAll(
    parts: readonly StagedOrFailed[],
    studyInstanceUID: string | undefined,
    urlOf: (study: string, series: string, instance: string) => string,
  ): Promise<StoreAnswer> {
    const stored: JsonDataset[] = [];
    const failed: JsonDataset[] = [];
    // What was put there by hand, or by another server.
    await index.refresh();
    for (const { part, failure: failureToStage } of parts) {
      const instance = part === undefined ? undefined : await identify(part);
      if (part === undefined || instance === undefined) {
        failed.push({ [Tag.FailureReason]: attribute('US', failureToStage ?? FailureReason.cannotUnderstand) });
        continue;
      }
      const reference = {
        [Tag.ReferencedSOPClassUID]: attribute('UI', instance.sopClassUID),
        [Tag.ReferencedSOPInstanceUID]: attribute('UI', instance.sopInstanceUID),
      };
      const failure = failureToStage ?? (await publishOne(part, instance, studyInstanceUID));
      if (failure === undefined) {
        const url = urlOf(instance.studyInstanceUID, instance.seriesInstanceUID, instance.sopInstanceUID);
        stored.push({ ...reference, [Tag.RetrieveURL]: attribute('UR', url) });
      } else failed.push({ ...reference, [Tag.FailureReason]: attribute('US', failure) });
    }
    if (stored.length > 0) await files.sync();
    return {
      status: failed.length === 0 ? 200 : stored.length === 0 ? 409 : 202,
      dataset: {
        ...(failed.length === 0 ? {} : { [Tag.FailedSOPSequence]: { vr: 'SQ', Value: failed } }),
        ...(stored.length === 0 ? {} : { [Tag.ReferencedSOPSequence]: { vr: 'SQ', Value: stored } }),
      },
    };
  }

  async function publishOne(
    part: StagedPart,
    instance: Identity,
    studyInstanceUID: string | undefined,
  ): Promise<FailureReason | undefined> {
    if (studyInstanceUID !== undefined && studyInstanceUID !== instance.studyInstanceUID)
      return FailureReason.wrongStudy;
    try {
      const existing = index.find(instance.sopInstanceUID);
      // A client that did not get the answer sends again.
      if (existing !== undefined) return await index.read(existing, (file) => duplicateUnlessSame(part.path, file));
      const name = `${instance.sopInstanceUID}.dcm`;
      const path = files.pathOf(name);
      if (await files.publish(part, name)) {
        await index.add(path);
        return undefined;
      }
      // Since the folder was looked at: by another server, or by hand. Or it is a file of something else.
      await index.add(path);
      return await withPlainFile(path, (file) => duplicateUnlessSame(part.path, file));
    } catch (error) {
      return failureOf(error);
    }
  }
}

function duplicateUnlessSame(
  staged: string,
  existing: Parameters<typeof haveSameBytes>[0],
): Promise<FailureReason | undefined> {
  return withPlainFile(staged, async (file) =>
    (await haveSameBytes(file, existing)) ? undefined : FailureReason.duplicate,
  );
}

interface StagedOrFailed {
  readonly part: StagedPart | undefined;
  readonly failure: FailureReason | undefined;
}

/** Writes the parts of a message to files as they come. A part that cannot be written fails alone.
 * @param staged filled part by part, so that a caller can clean up whatever happens */
async function stageParts(
  request: IncomingMessage,
  parser: MultipartParser,
  files: StoredFiles,
  staged: StagedOrFailed[],
  onBytes: (soFar: number) => void,
): Promise<void> {
  let part: StagedPart | undefined;
  let soFar = 0;
  const closePart = async (): Promise<void> => {
    const closing = part;
    part = undefined;
    await closing?.close().catch((error: unknown) => {
      staged[staged.length - 1] = { part: closing, failure: failureOf(error) };
    });
  };
  for await (const chunk of bytesOf(request)) {
    soFar += chunk.length;
    onBytes(soFar);
    for (const event of malformed(() => parser.push(chunk))) {
      if (event.kind === 'part') {
        await closePart();
        if (staged.length >= MAX_PARTS) throw tooLong();
        try {
          part = await files.stage();
          staged.push({ part, failure: undefined });
        } catch (error) {
          staged.push({ part: undefined, failure: failureOf(error) });
        }
      } else if (part !== undefined) {
        try {
          await part.write(event.bytes);
        } catch (error) {
          // The rest of it is read and thrown away.
          staged[staged.length - 1] = { part, failure: failureOf(error) };
          part = undefined;
        }
      }
    }
  }
  await closePart();
  malformed(() => {
    parser.end();
  });
}

/** @throws HttpError 400 if the client goes away */
async function* bytesOf(request: IncomingMessage): AsyncGenerator<Buffer> {
  try {
    yield* request as AsyncIterable<Buffer>;
  } catch {
    throw new HttpError(400, 'The request broke off.', { Connection: 'close' });
  }
}

function parserFor(request: IncomingMessage): MultipartParser {
  const contentType = request.headers['content-type'] ?? '';
  if (!/^multipart\/related\b/i.test(contentType) || !/application\/dicom(?!\+)/i.test(contentType)) {
    throw new HttpError(415, 'Instances are stored as multipart/related; type="application/dicom".');
  }
  return malformed(() => createMultipartParser(contentType));
}

/** @throws HttpError 400 */
function malformed<T>(parse: () => T): T {
  try {
    return parse();
  } catch (cause) {
    if (!(cause instanceof MultipartError)) throw cause;
    throw new HttpError(400, `The request cannot be read: ${cause.message}.`, { Connection: 'close' });
  }
}

function announcedLength(request: IncomingMessage): number {
  return Number(request.headers['content-length'] ?? 0);
}

function tooLong(): HttpError {
  return new HttpError(413, `A request to store has at most ${MAX_STORE_BYTES} bytes and ${MAX_PARTS} parts.`, {
    Connection: 'close',
  });
}

function failureOf(error: unknown): FailureReason {
  const code = codeOf(error);
  return code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG'
    ? FailureReason.outOfResources
    : FailureReason.processing;
}

interface Identity {
  readonly sopClassUID: string;
  readonly studyInstanceUID: string;
  readonly seriesInstanceUID: string;
  readonly sopInstanceUID: string;
}

/** Undefined unless the part is a Part 10 file with UIDs that are UIDs: one of them becomes a file name. */
async function identify({ path }: StagedPart): Promise<Identity | undefined> {
  try {
    const { dataset } = await withPlainFile(path, async (file) => {
      if (!(await isPart10(file))) throw new Error('it is not a Part 10 file');
      return readHeader(file);
    });
    const uid = (tag: string): string => {
      const text = textOf(dataset, tag);
      if (text === undefined || !isUid(text)) throw new Error(`${tag} is not a UID`);
      return text;
    };
    return {
      sopClassUID: uid(Tag.SOPClassUID),
      studyInstanceUID: uid(Tag.StudyInstanceUID),
      seriesInstanceUID: uid(Tag.SeriesInstanceUID),
      sopInstanceUID: uid(Tag.SOPInstanceUID),
    };
  } catch {
    return undefined;
  }
}

/** Digits and single dots. Leading zeroes are passed: scanners write them. */
function isUid(text: string): boolean {
  return text.length <= 64 && /^\d+(\.\d+)*$/.test(text);
}
