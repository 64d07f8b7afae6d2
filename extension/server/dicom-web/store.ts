import { readFile } from 'node:fs/promises';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFilesTogether } from '../../../src/node/index.ts';
import { parseHeader } from './dicom-file.ts';
import { attribute, textOf, type JsonDataset } from './dicom-json.ts';
import type { Part } from './multipart.ts';
import type { StudyIndex } from './study-index.ts';
import { Tag } from './tags.ts';

/** Where a folder keeps what was stored into it. */
const STORED_FOLDER = 'stored';
/** PS3.4 B.2.3, PS3.18 table 10.5.3-2. */
const FailureReason = { processing: 0x0110, duplicate: 0x0111, cannotUnderstand: 0xc000, wrongStudy: 0xa900 } as const;

export interface StoreAnswer {
  readonly status: 200 | 202 | 409;
  readonly dataset: JsonDataset;
}

/** Writes instances as files of their own, named by their SOP Instance UIDs, each at once or not at all. An instance that
 * is there already with other bytes is refused: nothing stored is ever replaced.
 * @param studyInstanceUID of the study that the request names, if it does
 * @see DICOM PS3.18 10.5 */
export async function storeInstances(
  index: StudyIndex,
  parts: readonly Part[],
  studyInstanceUID: string | undefined,
  urlOf: (study: string, series: string, instance: string) => string,
): Promise<StoreAnswer> {
  const stored: JsonDataset[] = [];
  const failed: JsonDataset[] = [];
  for (const part of parts) {
    const instance = identify(part);
    if (instance === undefined) {
      failed.push({ [Tag.FailureReason]: attribute('US', FailureReason.cannotUnderstand) });
      continue;
    }
    const reference = {
      [Tag.ReferencedSOPClassUID]: attribute('UI', instance.sopClassUID),
      [Tag.ReferencedSOPInstanceUID]: attribute('UI', instance.sopInstanceUID),
    };
    const failure = await storeOne(index, part, instance, studyInstanceUID);
    if (failure === undefined) {
      const url = urlOf(instance.studyInstanceUID, instance.seriesInstanceUID, instance.sopInstanceUID);
      stored.push({ ...reference, [Tag.RetrieveURL]: attribute('UR', url) });
    } else failed.push({ ...reference, [Tag.FailureReason]: attribute('US', failure) });
  }
  await index.refresh();
  return {
    status: failed.length === 0 ? 200 : stored.length === 0 ? 409 : 202,
    dataset: {
      ...(failed.length === 0 ? {} : { [Tag.FailedSOPSequence]: { vr: 'SQ', Value: failed } }),
      ...(stored.length === 0 ? {} : { [Tag.ReferencedSOPSequence]: { vr: 'SQ', Value: stored } }),
    },
  };
}

interface Identity {
  readonly sopClassUID: string;
  readonly studyInstanceUID: string;
  readonly seriesInstanceUID: string;
  readonly sopInstanceUID: string;
}

/** Undefined unless the part is a Part 10 file with UIDs that are UIDs: one of them becomes a file name. */
function identify({ body }: Part): Identity | undefined {
  try {
    const { dataset } = parseHeader(body);
    const uid = (tag: string): string => {
      const text = textOf(dataset, tag);
      if (text === undefined || !isUid(text)) throw new Error(`${tag} is no UID`);
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
export function isUid(text: string): boolean {
  return text.length <= 64 && /^\d+(\.\d+)*$/.test(text);
}

async function storeOne(
  index: StudyIndex,
  { body }: Part,
  instance: Identity,
  studyInstanceUID: string | undefined,
): Promise<number | undefined> {
  if (studyInstanceUID !== undefined && studyInstanceUID !== instance.studyInstanceUID) return FailureReason.wrongStudy;
  const existing = index.find(instance.sopInstanceUID);
  if (existing !== undefined) {
    // A client that did not get the answer sends again.
    return Buffer.compare(await readFile(existing.path), body) === 0 ? undefined : FailureReason.duplicate;
  }
  try {
    const folder = join(index.folder, STORED_FOLDER);
    await mkdir(folder, { recursive: true });
    await writeFilesTogether((stage) => stage(join(folder, `${instance.sopInstanceUID}.dcm`), [body]));
    return undefined;
  } catch {
    return FailureReason.processing;
  }
}
