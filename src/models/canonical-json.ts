import { sha256Hex } from './load-model.ts';
import type { ModelManifest } from './manifest.ts';

/** JSON of one form only (RFC 8785): no white space, keys sorted by UTF-16 code units, numbers and texts as ECMAScript
 * writes them. Members that are undefined are left out.
 * @throws TypeError for a number that JSON has not */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`);
    return `{${members.join(',')}}`;
  }
  if (typeof value === 'number' && !Number.isFinite(value)) throw new TypeError(`JSON has no ${value}`);
  return JSON.stringify(value);
}

/** SHA-256 of a manifest's canonical JSON, lower-case hexadecimal: the same for the same content, however it is spaced
 * and ordered in the file. A result depends on it as on the weights: on the spacing, the window, the classes.
 * @throws EnvironmentError `insecure-page`, as {@link sha256Hex} */
export function manifestSha256(manifest: ModelManifest): Promise<string> {
  return sha256Hex(new TextEncoder().encode(canonicalJson(manifest)));
}
