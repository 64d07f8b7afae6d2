import type { Notice } from '../volume/volume.ts';

/** Notices of many files as one a kind: a series of hundreds of files says everything hundreds of times. */
export function mergedNotices(ofFiles: Iterable<readonly Notice[]>): Notice[] {
  const kinds = new Map<string, { readonly message: string; files: number }>();
  for (const notices of ofFiles) {
    for (const code of new Set(notices.map((notice) => notice.code))) {
      const kind = kinds.get(code);
      if (kind !== undefined) kind.files++;
      else kinds.set(code, { message: notices.find((notice) => notice.code === code)?.message ?? '', files: 1 });
    }
  }
  return [...kinds].map(([code, { message, files }]) => {
    const others = files === 2 ? ' So it is in another file.' : ` So it is in ${files - 1} other files.`;
    return { code, message: files === 1 ? message : message + others };
  });
}
