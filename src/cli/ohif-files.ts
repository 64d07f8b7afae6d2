import { copyOhifFiles } from '../node/ohif-files.ts';
import { findModels } from '../node/model-folders.ts';
import { ModelError } from '../errors.ts';
import { ohifFilesSpec } from './commands.ts';
import { invalidArguments, type CommandArguments } from './parse-arguments.ts';
import { formatSize, printLines, RESEARCH_USE_ONLY } from './print.ts';
import type { InterruptibleContext } from './standard-stream.ts';

/** `slicewise ohif-files`: what an OHIF of one's own needs to be served, in a new folder. */
export async function ohifFiles(
  { positionals: [folder], options }: CommandArguments<typeof ohifFilesSpec>,
  { stdout, signal }: InterruptibleContext,
): Promise<void> {
  if (folder === undefined) throw invalidArguments(ohifFilesSpec, 'ohif-files needs a folder');
  const models = await chooseModels(options.models);
  const written = await copyOhifFiles(folder, {
    models,
    signal,
    ...(options.address !== undefined && { address: options.address }),
  });
  printLines(stdout, [
    `${written.folder}: extension, mode and runtime for OHIF 3.13, ${formatSize(written.byteLength)}, every file verified`,
    ...written.models.map(({ id, version, licence }) => `  model ${id} ${version}, licence ${licence}`),
    `Serve it at ${written.address} from OHIF's own origin, and put ${written.configFile} into OHIF's app-config.js.`,
    RESEARCH_USE_ONLY,
  ]);
}

async function chooseModels(ids: string | undefined): Promise<string[]> {
  const found = await findModels();
  if (ids === undefined) return found.map(({ folder }) => folder);
  return [...new Set(ids.split(','))].map((id) => {
    const model = found.find(({ manifest }) => manifest.id === id);
    if (model !== undefined) return model.folder;
    const known = found.map(({ manifest }) => manifest.id);
    throw new ModelError('model-not-found', `"${id}" is not an installed model (${known.join(', ')}).`, {
      remedy: 'Name installed models by their ids; others are installed with slicewise models add.',
      details: { choices: known },
    });
  });
}
