import { InputError } from '../errors.ts';
import { dicomReader } from './dicom.ts';
import { niftiReader } from './nifti.ts';
import type { ReadOptions, ReadResult, SeriesDescription, SourceFile, VolumeReader } from './reader.ts';

export const volumeReaders: readonly VolumeReader[] = [dicomReader, niftiReader];

export interface ReadVolumeOptions extends ReadOptions {
  /** Formats to accept, the first that accepts a file reads it; DICOM and NIfTI by default. */
  readonly readers?: readonly VolumeReader[];
}

/** Enough for a NIfTI-1 header; DICOM's preamble ends at 132. */
const SNIFFED_BYTES = 352;

/** Reads the one image volume among some files; files that belong to no image are ignored and counted.
 * @throws InputError `no-images`, `several-volumes` (files of two formats), or the reader's own */
export async function readVolume(
  files: readonly SourceFile[],
  { readers = volumeReaders, ...options }: ReadVolumeOptions = {},
): Promise<ReadResult & { readonly ignoredFiles: number }> {
  const { accepted: found, ignored } = await sortByReader(files, readers);
  const accepted = options.seriesInstanceUID === undefined ? found : withSeries(found);
  const [first, second] = accepted;
  if (first === undefined) throw noImages(ignored);
  if (second !== undefined) {
    const counts = accepted.map(
      ({ reader, files: own }) => `${own.length} ${reader.id} file${own.length === 1 ? '' : 's'}`,
    );
    throw new InputError('several-volumes', `The input holds ${counts.join(' and ')}, not one image.`, {
      remedy: 'Pass the files of one format only, or choose a DICOM series.',
      details: { option: 'series', formats: accepted.map(({ reader }) => reader.id) },
    });
  }
  const result = await first.reader.read(first.files, options);
  const others = found.flatMap(({ files: own }) => (own === first.files ? [] : own));
  return { ...result, ignoredFiles: ignored.length + others.length + (result.ignoredFiles ?? 0) };
}

/** A series that was asked for is in no file of a format without series. */
function withSeries<T extends { readonly reader: VolumeReader }>(accepted: readonly T[]): readonly T[] {
  const some = accepted.filter(({ reader }) => reader.hasSeries === true);
  return some.length > 0 ? some : accepted;
}

/** Tells of every series among some files, without decoding voxels.
 * @throws InputError `no-images` if there is none */
export async function describeVolumes(
  files: readonly SourceFile[],
  { readers = volumeReaders }: Pick<ReadVolumeOptions, 'readers'> = {},
): Promise<{ readonly series: readonly SeriesDescription[]; readonly ignoredFiles: number }> {
  const { accepted, ignored } = await sortByReader(files, readers);
  if (accepted.length === 0) throw noImages(ignored);
  const series: SeriesDescription[] = [];
  for (const { reader, files: own } of accepted) series.push(...(await reader.describe(own)));
  return { series, ignoredFiles: ignored.length };
}

async function sortByReader(files: readonly SourceFile[], readers: readonly VolumeReader[]) {
  const byReader = new Map<VolumeReader, SourceFile[]>();
  const ignored: SourceFile[] = [];
  const names = files.map(({ name }) => name);
  for (const file of files) {
    const head = await file.readHead(SNIFFED_BYTES);
    const reader = readers.find((candidate) => candidate.accepts(head, file.name, names));
    const own = reader === undefined ? ignored : (byReader.get(reader) ?? []);
    own.push(file);
    if (reader !== undefined) byReader.set(reader, own);
  }
  return { accepted: [...byReader].map(([reader, own]) => ({ reader, files: own })), ignored };
}

function noImages(ignored: readonly SourceFile[]): InputError {
  const names = ignored.slice(0, 3).map(({ name }) => name);
  const found =
    ignored.length === 0
      ? 'it is empty'
      : `it holds ${ignored.length} other file${ignored.length === 1 ? '' : 's'}: ${names.join(', ')}${ignored.length > 3 ? ', …' : ''}`;
  return new InputError('no-images', `The input has no DICOM or NIfTI image; ${found}.`, {
    remedy: 'Pass a folder of DICOM files, or a .nii or .nii.gz file.',
    details: { ignoredFiles: ignored.length },
  });
}
