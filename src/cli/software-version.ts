import { readFileSync } from 'node:fs';

/** The version in package.json, two folders up from both src/cli and dist/cli. */
export function softwareVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  const document: unknown = JSON.parse(text);
  const isVersioned = typeof document === 'object' && document !== null && 'version' in document;
  return isVersioned && typeof document.version === 'string' ? document.version : '0.0.0';
}
