import { loadManifest, type ModelManifest } from '../src/index.ts';

/** A model that the page's server has. */
export interface ServedModel {
  readonly manifest: ModelManifest;
  readonly folderUrl: string;
}

/** Reads the manifests of the models beside the page; no weights.
 * @param modelsUrl of a folder with index.json, the list of the models' folder names; ends with a slash */
export async function listModels(modelsUrl: string): Promise<ServedModel[]> {
  const ids: unknown = JSON.parse(new TextDecoder().decode(await fetchBytes(new URL('index.json', modelsUrl))));
  if (!Array.isArray(ids)) throw new Error(`${modelsUrl}index.json is no list of models.`);
  return Promise.all(
    ids.map(async (id) => {
      const folderUrl = new URL(`${String(id)}/`, modelsUrl).href;
      return { folderUrl, manifest: await loadManifest((path) => fetchBytes(new URL(path, folderUrl))) };
    }),
  );
}

async function fetchBytes(url: URL): Promise<Uint8Array> {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`${url.pathname}: ${answer.status}`);
  return new Uint8Array(await answer.arrayBuffer());
}
