import { lstatSync, readlinkSync, realpathSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';

/** As many links as Linux follows one after the other. */
const MOST_LINKS = 40;

/** The path without links, of a file that need not be there: a link to one that is not leads to where it would be made.
 * @throws an ELOOP error of links in a circle */
export function linkTarget(path: string): string {
  let target = path;
  for (let links = 0; links <= MOST_LINKS; links++) {
    try {
      return realpathSync(target);
    } catch {
      // Not there, or not to be listed: then its folder's path, and its own name or what it links to.
      const place = join(realFolder(dirname(resolve(target))), basename(resolve(target)));
      if (lstatSync(place, { throwIfNoEntry: false })?.isSymbolicLink() !== true) return place;
      target = resolve(dirname(place), readlinkSync(place));
    }
  }
  throw Object.assign(new Error(`${path} is a link in a circle`), { code: 'ELOOP' });
}

/** Of a folder that is not there, that of the next one above it which is. */
function realFolder(folder: string): string {
  try {
    return realpathSync(folder);
  } catch {
    return dirname(folder) === folder ? folder : join(realFolder(dirname(folder)), basename(folder));
  }
}
