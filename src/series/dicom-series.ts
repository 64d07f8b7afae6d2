import { InputError } from '../errors.ts';
import type { DicomInstance } from './dicom-instance.ts';
import { folderOf, listNames } from '../io/file-names.ts';

/** The files of each series, in the files' order. A series is told by Study and Series Instance UID, and where its files
 * have no Series Instance UID by their folder. One that lies in several folders as a copy is one in each: else no place in
 * it would have one image. */
export function groupBySeries(instances: readonly DicomInstance[]): (readonly DicomInstance[])[] {
  const bySeries = groupBy(instances, ({ studyInstanceUID, seriesInstanceUID, file }) =>
    seriesInstanceUID === '' ? `folder ${folderOf(file.name)}` : `${studyInstanceUID}\n${seriesInstanceUID}`,
  );
  return bySeries.flatMap((group) => (hasCopies(group) ? groupBy(group, ({ file }) => folderOf(file.name)) : [group]));
}

function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): T[][] {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group === undefined) groups.set(keyOf(item), [item]);
    else group.push(item);
  }
  return [...groups.values()];
}

/** Whether one SOP Instance UID is in several folders, while no folder has it twice (there it tells nothing). */
function hasCopies(group: readonly DicomInstance[]): boolean {
  const foldersOf = new Map<string, string[]>();
  for (const { sopInstanceUID, file } of group) {
    if (sopInstanceUID === '') continue;
    const folders = foldersOf.get(sopInstanceUID) ?? [];
    folders.push(folderOf(file.name));
    foldersOf.set(sopInstanceUID, folders);
  }
  const repeated = [...foldersOf.values()].filter((folders) => folders.length > 1);
  return repeated.length > 0 && repeated.every((folders) => new Set(folders).size === folders.length);
}

/** Whether a DICOM-SEG can refer to each image: all UIDs are there, and each file has a SOP Instance UID of its own. */
export function hasIdentity(group: readonly DicomInstance[]): boolean {
  const isNamed = group.every(({ studyInstanceUID, seriesInstanceUID, sopClassUID, sopInstanceUID }) =>
    [studyInstanceUID, seriesInstanceUID, sopClassUID, sopInstanceUID].every((uid) => uid !== ''),
  );
  return isNamed && new Set(group.map(({ sopInstanceUID }) => sopInstanceUID)).size === group.length;
}

const PATIENT_ATTRIBUTES = ['PatientID', 'PatientName', 'PatientBirthDate', 'PatientSex'] as const;

/** @throws InputError `several-patients`, naming the attribute and a file of each, if the files of one series are not of
 * one patient; an empty value says nothing of whom it is (de-identified in part) */
export function assertOnePatient(group: readonly DicomInstance[]): void {
  for (const keyword of PATIENT_ATTRIBUTES) {
    const named = group.flatMap(({ copied, file }) => {
      const value = normalised(copied[keyword] ?? '');
      return value === '' ? [] : [{ value, name: file.name }];
    });
    const [first] = named;
    const other = named.find(({ value }) => value !== first?.value);
    if (first === undefined || other === undefined) continue;
    throw new InputError(
      'several-patients',
      `The series is not of one patient: ${keyword} of ${first.name} is another than that of ${other.name}.`,
      {
        remedy:
          'Pass the files of one patient only; two patients in one series are a mistake of the archive or the export.',
        details: { attribute: keyword, files: [first.name, other.name] },
      },
    );
  }
}

/** Names are compared without case, and without separators and padding, which archives add and remove (PS3.5 6.2.1). */
function normalised(value: string): string {
  return value
    .toUpperCase()
    .replaceAll(/[\s^=]+/g, ' ')
    .trim();
}

export function noImages(names: readonly string[] = []): InputError {
  const which = names.length === 0 ? '' : `: ${listNames(names, 3)}`;
  return new InputError(
    'no-pixel-data',
    `The DICOM files hold no images, but reports, segmentations or the like${which}.`,
    {
      remedy: 'Pass the image series itself.',
    },
  );
}
