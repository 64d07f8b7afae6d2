import path, { type PlatformPath } from 'node:path';

/** The name of a file below a folder, with slashes on every platform; of a file that lies elsewhere, its own name. On POSIX
 * a backslash is a sign like others.
 * @param platform of the paths; that of the process */
export function nameWithin(folder: string, file: string, platform: PlatformPath = path): string {
  const name = platform.relative(folder, file);
  return name === '' || !leadsWithin(name, platform) ? platform.basename(file) : name.split(platform.sep).join('/');
}

/** Whether a path is a folder or lies below it.
 * @param folder both absolute, without links */
export function isWithin(folder: string, file: string, platform: PlatformPath = path): boolean {
  const name = platform.relative(folder, file);
  return name === '' || leadsWithin(name, platform);
}

/** A relative path that neither leads up nor, on Windows, to another drive. */
function leadsWithin(name: string, platform: PlatformPath): boolean {
  return name !== '..' && !name.startsWith(`..${platform.sep}`) && !platform.isAbsolute(name);
}
