// Names of files as an input gives them: relative paths, with the separators of any system.

const SEPARATORS = /[/\\]/;

/** The folder of a file, with slashes; `.` where the name has none. */
export function folderOf(name: string): string {
  return name.split(SEPARATORS).slice(0, -1).join('/') || '.';
}

/** The last part of a path. */
export function baseNameOf(name: string): string {
  return name.split(SEPARATORS).at(-1) ?? name;
}

/** From the last dot, in lower case; a name of digits and dots, as a UID is, has none. */
export function extensionOf(name: string): string {
  return /[^.]\.([a-z][a-z0-9]*)$/i.exec(baseNameOf(name))?.[1]?.toLowerCase() ?? '';
}

/** A path without the extension of a NIfTI file: .nii, .hdr or .img, each also gzipped. */
export function withoutNiftiExtension(name: string): string {
  return name.replace(NIFTI_EXTENSION, '');
}

/** Whether a name is that of a NIfTI file, gzipped or not. */
export function isNiftiName(name: string): boolean {
  return NIFTI_EXTENSION.test(baseNameOf(name));
}

const NIFTI_EXTENSION = /\.(nii|hdr|img)(\.gz)?$/i;

/** Whether a name is that of a NIfTI file that holds header and voxels, gzipped or not. */
export function isSingleNiftiName(name: string): boolean {
  return /\.nii(\.gz)?$/i.test(name);
}

/** Whether a name is that of the header of a NIfTI pair, gzipped or not. */
export function isNiftiHeaderName(name: string): boolean {
  return /\.hdr(\.gz)?$/i.test(name);
}

/** Whether a name is that of the voxels of a NIfTI pair, gzipped or not. */
export function isNiftiVoxelName(name: string): boolean {
  return /\.img(\.gz)?$/i.test(name);
}

/** Whether a name is one that DICOM files are given, gzipped or not; most have none. */
export function isDicomName(name: string): boolean {
  return /\.(dcm|dicom|dic|ima)(\.gz)?$/i.test(name);
}

/** Whether a name ends in .gz. */
export function isGzipName(name: string): boolean {
  return /\.gz$/i.test(name);
}

/** The one file, or the folder that holds all of them; `.` for the folder of the input itself. */
export function commonPath(names: readonly string[]): string {
  const [first = '.', another] = names;
  if (another === undefined) return first;
  const folders = names.map((name) => folderOf(name).split('/'));
  const [shortest = []] = folders;
  const differing = shortest.findIndex((part, depth) => folders.some((folder) => folder[depth] !== part));
  return (differing < 0 ? shortest : shortest.slice(0, differing)).join('/') || '.';
}

/** "a.dcm, b.dcm, c.dcm and 4 more". */
export function listNames(names: readonly string[], most = 10): string {
  const shown = names.slice(0, most).join(', ');
  return names.length > most ? `${shown} and ${names.length - most} more` : shown;
}
