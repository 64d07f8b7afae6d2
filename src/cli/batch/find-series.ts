import { dirname } from 'node:path/posix';
import { InputError, isSegmentationError, problemOf, type Problem } from '../../errors.ts';
import type { LocalFile } from '../../node/files.ts';
import { isDicom } from '../../readers/dicom-dataset.ts';
import { readDicomInstance, type DicomInstance } from '../../readers/dicom-instance.ts';
import { noImages } from '../../readers/dicom-series.ts';
import { summariseNifti } from '../../readers/nifti-head.ts';
import { niftiReader } from '../../readers/nifti.ts';
import { isHeaderFile, pairNiftiFiles, type NiftiImageFiles } from '../../readers/nifti-files.ts';
import { stackSlices } from '../../readers/slice-stack.ts';
import type { Notice } from '../../volume/volume.ts';
import type { ImageOptions } from '../read-options.ts';

/** One volume to segment, or to say why not. */
export interface FoundSeries {
  /** Of its files; relative to the input, with slashes. */
  readonly path: string;
  readonly files: readonly LocalFile[];
  readonly format: 'DICOM' | 'NIfTI';
  /** Absent for NIfTI, and where the files have none. */
  readonly seriesInstanceUID?: string;
  readonly modality?: string;
  readonly bodyPartExamined?: string;
  /** Which of several volumes of a series or file, from 1. */
  readonly phase?: number;
  /** Whether a DICOM-SEG could refer to the images. */
  readonly hasIdentity: boolean;
  /** It is no image: nothing was expected of it. */
  readonly skipped?: Problem;
  /** It cannot be read. */
  readonly failed?: Problem;
  /** About the search; the reader has more. */
  readonly notices: readonly Notice[];
}

/** Finds every series among some files: DICOM images by their Series Instance UID, or by their folder where they have
 * none, NIfTI images one by one. Of several volumes in one (cardiac phases, echoes, time points) each is found by itself,
 * or the one that `phase` names. Headers are read, no pixels.
 * @returns them in the order of their files, and the number of files that are neither DICOM nor NIfTI */
export async function findSeries(
  files: readonly LocalFile[],
  { phase }: Pick<ImageOptions, 'phase'>,
  signal: AbortSignal,
): Promise<{ readonly series: readonly FoundSeries[]; readonly ignoredFiles: number }> {
  const names = files.map(({ name }) => name);
  const instances: LocalInstance[] = [];
  const niftiFiles: LocalFile[] = [];
  const unreadable: FoundSeries[] = [];
  let ignoredFiles = 0;
  for (const file of files) {
    signal.throwIfAborted();
    const head = await file.readHead(352);
    if (isDicom(head)) {
      const instance = await orProblem(() => readDicomInstance(file));
      if (isProblem(instance)) unreadable.push(unreadableFile(file, instance));
      else instances.push({ ...instance, file });
    } else if (niftiReader.accepts(head, file.name, names)) niftiFiles.push(file);
    else ignoredFiles++;
  }
  const series = [
    ...findDicomSeries(instances, unreadable, phase),
    ...unreadable,
    ...(await findNiftiImages(niftiFiles, phase)),
  ];
  const order = new Map(files.map((file, at) => [file, at]));
  const placeOf = ({ files: [first] }: FoundSeries): number => (first && order.get(first)) ?? 0;
  return { series: series.toSorted((a, b) => placeOf(a) - placeOf(b)), ignoredFiles };
}

type LocalInstance = DicomInstance & { readonly file: LocalFile };

function findDicomSeries(
  instances: readonly LocalInstance[],
  unreadable: readonly FoundSeries[],
  phase: number | undefined,
): FoundSeries[] {
  const groups = new Map<string, LocalInstance[]>();
  for (const instance of instances) {
    const key = instance.seriesInstanceUID || `folder ${dirname(instance.file.name)}`;
    const group = groups.get(key) ?? [];
    group.push(instance);
    groups.set(key, group);
  }
  return [...groups.values()].flatMap(withoutCopies).flatMap((group) => {
    const [first] = group;
    if (first === undefined) return [];
    const found: FoundSeries = {
      path: commonPath(group.map(({ file }) => file.name)),
      files: group.map(({ file }) => file),
      format: 'DICOM',
      ...(first.seriesInstanceUID !== '' && { seriesInstanceUID: first.seriesInstanceUID }),
      ...(first.modality !== undefined && { modality: first.modality }),
      ...(first.bodyPartExamined !== undefined && { bodyPartExamined: first.bodyPartExamined }),
      hasIdentity: group.every(hasIdentity),
      notices: unreadableBeside(group, unreadable),
    };
    if (!group.some(({ isImage }) => isImage)) return [{ ...found, skipped: problemOf(noImages()) }];
    return eachVolume(found, volumesOf(group), phase);
  });
}

/** A series that was exported twice is two series, each in its folder: else no place in it would have one image. */
function withoutCopies(group: readonly LocalInstance[]): (readonly LocalInstance[])[] {
  const folders = new Map<string, LocalInstance[]>();
  const folderOf = new Map<string, string>();
  let hasCopies = false;
  for (const instance of group) {
    const folder = dirname(instance.file.name);
    const own = folders.get(folder) ?? [];
    own.push(instance);
    folders.set(folder, own);
    const other = folderOf.get(instance.sopInstanceUID);
    hasCopies ||= instance.sopInstanceUID !== '' && other !== undefined && other !== folder;
    folderOf.set(instance.sopInstanceUID, folder);
  }
  return hasCopies ? [...folders.values()] : [group];
}

function hasIdentity({ studyInstanceUID, seriesInstanceUID, sopClassUID, sopInstanceUID }: DicomInstance): boolean {
  return [studyInstanceUID, seriesInstanceUID, sopClassUID, sopInstanceUID].every((uid) => uid !== '');
}

/** How many volumes a series holds; 1 also where it holds none, which the reader will say. */
function volumesOf(group: readonly LocalInstance[]): number {
  try {
    stackSlices(group);
  } catch (error) {
    const volumes = error instanceof InputError && error.code === 'several-volumes' && error.details['volumes'];
    if (Array.isArray(volumes)) return volumes.length;
    if (!isSegmentationError(error)) throw error;
  }
  return 1;
}

/** A file that cannot be read may be a slice of a series that is read without it. */
function unreadableBeside(group: readonly LocalInstance[], unreadable: readonly FoundSeries[]): Notice[] {
  const folders = new Set(group.map(({ file }) => dirname(file.name)));
  const beside = unreadable.filter(({ path }) => folders.has(dirname(path)));
  if (beside.length === 0) return [];
  const names = beside.slice(0, 3).map(({ path }) => path);
  const message = `A DICOM file in the same folder cannot be read and may belong to this series: ${names.join(', ')}${beside.length > 3 ? ', …' : ''}.`;
  return [{ code: 'unreadable-file-beside', message }];
}

function unreadableFile(file: LocalFile, failed: Problem): FoundSeries {
  return { path: file.name, files: [file], format: 'DICOM', hasIdentity: false, failed, notices: [] };
}

async function findNiftiImages(files: readonly LocalFile[], phase: number | undefined): Promise<FoundSeries[]> {
  const localFile = new Map(files.map((file) => [file.name, file]));
  const { images, unpaired } = pairFiles(files);
  const found: FoundSeries[] = unpaired;
  for (const { header, voxels } of images) {
    const own = [...new Set([header.name, voxels.name])].flatMap((name) => localFile.get(name) ?? []);
    const image: FoundSeries = { path: header.name, files: own, format: 'NIfTI', hasIdentity: false, notices: [] };
    const summary = await orProblem(() => summariseNifti(header));
    if (isProblem(summary)) found.push({ ...image, failed: summary });
    else if (summary.isLabelmap) found.push({ ...image, skipped: LABELMAP });
    else found.push(...eachVolume(image, summary.volumes, phase));
  }
  return found;
}

/** An .img whose .hdr is of another kind must not stop the rest. */
function pairFiles(files: readonly LocalFile[]): { images: readonly NiftiImageFiles[]; unpaired: FoundSeries[] } {
  const headers = new Set(files.filter(({ name }) => isHeaderFile(name)).map(({ name }) => name));
  const unpaired: FoundSeries[] = [];
  const paired = files.filter((file) => {
    if (!/\.img(\.gz)?$/i.test(file.name)) return true;
    try {
      pairNiftiFiles([file, ...files.filter(({ name }) => headers.has(name))]);
      return true;
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      unpaired.push({
        path: file.name,
        files: [file],
        format: 'NIfTI',
        hasIdentity: false,
        failed: problemOf(error),
        notices: [],
      });
      return false;
    }
  });
  return { images: pairNiftiFiles(paired), unpaired };
}

const LABELMAP: Problem = {
  code: 'labelmap',
  message: 'The file says of itself that it holds labels, not an image.',
  remedy: 'Nothing is to be done; name the file by itself if it is an image.',
};

function eachVolume(found: FoundSeries, volumes: number, phase: number | undefined): FoundSeries[] {
  if (volumes === 1) return [found];
  if (phase !== undefined) return [{ ...found, phase }];
  return Array.from({ length: volumes }, (_, n) => ({ ...found, phase: n + 1 }));
}

/** The file, or the folder that holds all of them; `.` for the input itself. */
function commonPath(names: readonly string[]): string {
  const [first = '.', another] = names;
  if (another === undefined) return first;
  const folders = names.map((name) => dirname(name).split('/'));
  const [shortest = []] = folders;
  const differing = shortest.findIndex((part, at) => folders.some((folder) => folder[at] !== part));
  return (differing < 0 ? shortest : shortest.slice(0, differing)).join('/') || '.';
}

async function orProblem<T>(read: () => Promise<T>): Promise<T | Problem> {
  try {
    return await read();
  } catch (error) {
    if (!isSegmentationError(error)) throw error;
    return problemOf(error);
  }
}

function isProblem(value: object): value is Problem {
  return 'remedy' in value;
}
