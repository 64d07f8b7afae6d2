import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { readHeader } from './dicom-file.ts';
import { pick, textOf, type JsonDataset } from './dicom-json.ts';
import { INSTANCE_ATTRIBUTES, SERIES_ATTRIBUTES, STUDY_ATTRIBUTES, Tag } from './tags.ts';

/** A file of the folder that is an instance with UIDs. */
export interface StoredInstance {
  readonly path: string;
  readonly byteLength: number;
  readonly studyInstanceUID: string;
  readonly seriesInstanceUID: string;
  readonly sopInstanceUID: string;
  readonly transferSyntaxUID: string;
  /** What rows of a query say; the rest is read when asked for. */
  readonly attributes: JsonDataset;
}

/** The instances below a folder. */
export interface StudyIndex {
  readonly folder: string;
  /** By file name, as of the last refresh. */
  readonly instances: () => readonly StoredInstance[];
  readonly find: (sopInstanceUID: string) => StoredInstance | undefined;
  /** Looks for files that came, changed or went; reads only these. */
  readonly refresh: () => Promise<void>;
  /** Files that are no instance with UIDs, or repeat one. */
  readonly ignoredFiles: () => number;
}

/** Reads the headers of the files below a folder. */
export async function openStudyIndex(folder: string): Promise<StudyIndex> {
  let known = new Map<string, KnownFile>();
  let bySopInstance = new Map<string, StoredInstance>();
  let pending: Promise<void> | undefined;

  const update = async (): Promise<void> => {
    const files = await filesBelow(folder);
    known = new Map(await inBatches(files, async (path) => [path, await readFile(path, known.get(path))] as const));
    bySopInstance = new Map();
    for (const { instance } of known.values()) {
      if (instance !== undefined && !bySopInstance.has(instance.sopInstanceUID)) {
        bySopInstance.set(instance.sopInstanceUID, instance);
      }
    }
  };
  const refresh = (): Promise<void> => {
    pending ??= update().finally(() => (pending = undefined));
    return pending;
  };
  await refresh();
  return {
    folder,
    instances: () => [...bySopInstance.values()],
    find: (sopInstanceUID) => bySopInstance.get(sopInstanceUID),
    refresh,
    ignoredFiles: () => known.size - bySopInstance.size,
  };
}

interface KnownFile {
  /** Size and time of change: another means that the file must be read again. */
  readonly version: string;
  readonly instance: StoredInstance | undefined;
}

async function readFile(path: string, known: KnownFile | undefined): Promise<KnownFile> {
  const { size, mtimeMs } = await stat(path);
  const version = `${size} ${mtimeMs}`;
  return known?.version === version ? known : { version, instance: await readInstance(path, size) };
}

/** Undefined for what is no DICOM file, is damaged or has no UIDs: a folder may hold anything. */
async function readInstance(path: string, byteLength: number): Promise<StoredInstance | undefined> {
  try {
    const { dataset, transferSyntaxUID } = await readHeader(path);
    const studyInstanceUID = textOf(dataset, Tag.StudyInstanceUID);
    const seriesInstanceUID = textOf(dataset, Tag.SeriesInstanceUID);
    const sopInstanceUID = textOf(dataset, Tag.SOPInstanceUID);
    if (studyInstanceUID === undefined || seriesInstanceUID === undefined || sopInstanceUID === undefined) return;
    const attributes = pick(dataset, { ...STUDY_ATTRIBUTES, ...SERIES_ATTRIBUTES, ...INSTANCE_ATTRIBUTES });
    return { path, byteLength, studyInstanceUID, seriesInstanceUID, sopInstanceUID, transferSyntaxUID, attributes };
  } catch {
    return undefined;
  }
}

/** Hidden files and folders are left out: they are half-written or belong to other programs. */
async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const below = await Promise.all(
    entries
      .filter(({ name }) => !name.startsWith('.'))
      .map(async (entry) => {
        const path = join(folder, entry.name);
        if (entry.isDirectory()) return filesBelow(path);
        return entry.isFile() ? [path] : [];
      }),
  );
  return below.flat().toSorted();
}

/** So many files are open at once. */
const BATCH = 64;

async function inBatches<T, R>(items: readonly T[], run: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (let start = 0; start < items.length; start += BATCH) {
    results.push(...(await Promise.all(items.slice(start, start + BATCH).map(run))));
  }
  return results;
}
