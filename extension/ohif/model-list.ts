import { EnvironmentError, loadManifest } from '../../src/index.ts';
import type { ModelEntry } from './state.ts';
import { texts } from './texts.ts';

/** Reads which models are served and their manifests; no weights.
 * @param modelsUrl of the folder with index.json, the list of the models' folder names; ends with a slash
 * @throws EnvironmentError `file-not-found`; ModelError `invalid-manifest` */
export async function listModels(modelsUrl: string): Promise<ModelEntry[]> {
  const ids = parseIds(new TextDecoder().decode(await fetchBytes(new URL('index.json', modelsUrl))));
  return Promise.all(
    ids.map(async (id) => {
      const folderUrl = new URL(`${id}/`, modelsUrl).href;
      return { folderUrl, manifest: await loadManifest((path) => fetchBytes(new URL(path, folderUrl))) };
    }),
  );
}

async function fetchBytes(url: URL): Promise<Uint8Array> {
  const response = await fetch(url);
  if (response.ok) return new Uint8Array(await response.arrayBuffer());
  throw new EnvironmentError('file-not-found', texts.notServed(url.pathname, response.status), {
    remedy: texts.modelsRemedy,
  });
}

/** A server may answer with its start page instead. */
function parseIds(text: string): string[] {
  try {
    const ids: unknown = JSON.parse(text);
    if (Array.isArray(ids) && ids.every((id) => typeof id === 'string')) return ids;
  } catch {
    // Told below, like any other text that is no list.
  }
  throw new EnvironmentError('file-not-readable', texts.badModelIndex, { remedy: texts.modelsRemedy });
}
