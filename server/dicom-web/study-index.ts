import { realpath } from 'node:fs/promises';
import { walkFolder } from './folder-walk.ts';
import { readFilesApart } from './files-apart.ts';
import { inBatches } from './in-batches.ts';
import { knownFile, readFile, type KnownFile, type StoredInstance } from './known-file.ts';
import { FileGoneError } from './object-file.ts';
import { openPlainFile, type OpenPlainFile, type PlainFile } from './plain-file.ts';

/** The instances below a folder, whose files come, go and change while it is asked. */
export interface StudyIndex {
  /** Absolute, without links. */
  readonly folder: string;
  /** By file name, as of the last refresh. */
  readonly instances: () => readonly StoredInstance[];
  readonly find: (sopInstanceUID: string) => StoredInstance | undefined;
  /** Looks for files that came, changed or went, from now on; reads only these. */
  readonly refresh: () => Promise<void>;
  /** Looks at one file that came. */
  readonly add: (path: string) => Promise<void>;
  /** Opens the file of an instance, if it still is that instance's: links are not followed, and what another study's file
   * has replaced is not given for it.
   * @throws FileGoneError */
  readonly open: (instance: StoredInstance) => Promise<OpenPlainFile>;
  /** Opens it for `use`, and closes it.
   * @throws FileGoneError, also if the file changed under `use` */
  readonly read: <T>(instance: StoredInstance, use: (file: PlainFile) => Promise<T>) => Promise<T>;
  /** Files that are not an instance with UIDs, or repeat one, and folders that cannot be listed: how many for each reason. */
  readonly ignoredFiles: () => ReadonlyMap<string, number>;
}

/** Reads the headers of the files below a folder. */
export async function openStudyIndex(folder: string): Promise<StudyIndex> {
  const root = await realpath(folder);
  let known = new Map<string, KnownFile>();
  let bySopInstance = new Map<string, StoredInstance>();
  let unreadable: ReadonlyMap<string, string> = new Map();
  let running: Promise<void> | undefined;
  let next: Promise<void> | undefined;
  /** What was learned of single files while the folder is gone through, which is newer than what that finds. */
  let meanwhile = new Map<string, KnownFile | undefined>();

  const update = async (): Promise<void> => {
    meanwhile = new Map();
    const contents = await walkFolder(root);
    const isNew = ({ path, version }: (typeof contents.files)[number]): boolean => known.get(path)?.version !== version;
    const unknown = contents.files.filter(isNew);
    const read =
      unknown.length > FEW
        ? await readFilesApart(unknown)
        : await inBatches(unknown, FEW, ({ path }) => readFile(path));
    const readNow = new Map(unknown.map(({ path }, at) => [path, read[at]]));
    const files = new Map<string, KnownFile>();
    for (const { path } of contents.files) {
      const file = readNow.has(path) ? readNow.get(path) : known.get(path);
      if (file !== undefined) files.set(path, file);
    }
    for (const [path, file] of meanwhile) {
      if (file === undefined) files.delete(path);
      else files.set(path, file);
    }
    known = files;
    unreadable = contents.unreadable;
    listInstances();
  };

  /** Of several files of one instance, the first by name is it. */
  const listInstances = (): void => {
    bySopInstance = new Map();
    for (const { instance } of known.values()) {
      if (instance !== undefined && !bySopInstance.has(instance.sopInstanceUID)) {
        bySopInstance.set(instance.sopInstanceUID, instance);
      }
    }
  };

  /** A refresh that is under way may have passed a file that came since. */
  const refresh = (): Promise<void> => {
    if (running === undefined) {
      running = update().finally(() => (running = undefined));
      return running;
    }
    next ??= running
      .catch(() => undefined)
      .then(() => {
        next = undefined;
        return refresh();
      });
    return next;
  };

  const remember = (path: string, file: KnownFile | undefined): void => {
    const before = known.get(path)?.instance;
    if (file === undefined) known.delete(path);
    else known.set(path, file);
    if (running !== undefined) meanwhile.set(path, file);
    const instance = file?.instance;
    if (before === undefined && instance !== undefined) {
      if (!bySopInstance.has(instance.sopInstanceUID)) bySopInstance.set(instance.sopInstanceUID, instance);
    } else if (before !== undefined) listInstances();
  };

  const open = async (instance: StoredInstance): Promise<OpenPlainFile> => {
    const { path } = instance;
    let file: OpenPlainFile | undefined;
    try {
      file = await openPlainFile(path);
      if (known.get(path)?.version !== file.version) {
        const now = await knownFile(path, file);
        await file.assertUnchanged();
        remember(path, now);
        if (!isSameInstance(now.instance, instance)) throw new FileGoneError('The file is of another instance by now.');
      }
      return file;
    } catch (error) {
      await file?.close();
      if (error instanceof FileGoneError) remember(path, await readFile(path));
      throw error;
    }
  };

  const read = async <T>(instance: StoredInstance, use: (file: PlainFile) => Promise<T>): Promise<T> => {
    const file = await open(instance);
    try {
      return await use(file);
    } finally {
      await file.assertUnchanged().finally(file.close);
    }
  };

  await refresh();
  return {
    folder: root,
    instances: () => [...bySopInstance.values()],
    find: (sopInstanceUID) => bySopInstance.get(sopInstanceUID),
    refresh,
    add: async (path) => {
      remember(path, await readFile(path));
    },
    open,
    read,
    ignoredFiles: () => {
      const counts = new Map<string, number>();
      const count = (reason: string): void => void counts.set(reason, (counts.get(reason) ?? 0) + 1);
      for (const { instance, reason = 'the same instance again' } of known.values()) {
        const isUsed = instance !== undefined && bySopInstance.get(instance.sopInstanceUID) === instance;
        if (!isUsed) count(reason);
      }
      for (const reason of unreadable.values()) count(reason);
      return counts;
    },
  };
}

function isSameInstance(one: StoredInstance | undefined, other: StoredInstance): boolean {
  return (
    one?.sopInstanceUID === other.sopInstanceUID &&
    one.seriesInstanceUID === other.seriesInstanceUID &&
    one.studyInstanceUID === other.studyInstanceUID
  );
}

/** So many new files are read here; more of them in a thread of their own. */
const FEW = 8;
