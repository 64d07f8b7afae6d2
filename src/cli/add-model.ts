import { join } from 'node:path';
import type { ReadModelFile } from '../models/load-model.ts';
import { copyModel } from '../node/copy-model.ts';
import { createModelFetcher, isPlainHttp, isUrl } from '../node/fetch-model.ts';
import { openModelAt, userModelsFolder } from '../node/model-folders.ts';
import { modelsSpec } from './commands.ts';
import { invalidArguments, type CommandArguments } from './parse-arguments.ts';
import { formatSize, printLines, printWarnings, RESEARCH_USE_ONLY } from './print.ts';
import type { InterruptibleContext } from './standard-stream.ts';

/** `slicewise models add`: a model folder, from this computer or a static server, into the user's own models. What it is,
 * its licence, size and SHA-256 are printed before its weights are read. */
export async function addModel(
  { positionals, options }: CommandArguments<typeof modelsSpec>,
  { stdout, stderr, signal }: InterruptibleContext,
): Promise<void> {
  const [, model] = positionals;
  if (model === undefined) {
    throw invalidArguments(modelsSpec, 'models add needs a model folder, its address, or an id with --from');
  }
  if (options.json === true || options.backend !== undefined) {
    throw invalidArguments(modelsSpec, 'models add takes neither --json nor --backend');
  }
  const address = addressOf(model, options.from);
  if (isPlainHttp(address)) printWarnings(stderr, [unprotected(address)]);
  const added = await copyModel(await openModel(address, signal), userModelsFolder(), {
    replace: options.replace === true,
    signal,
    onManifest: ({ id, version, title, licence, intendedUse, file }) => {
      printLines(stdout, [
        `${id} ${version} · ${title}`,
        `  ${intendedUse}`,
        `  licence  ${licence}`,
        `  weights  ${formatSize(file.byteLength)}, SHA-256 ${file.sha256}`,
        `  from     ${address}`,
      ]);
    },
  });
  printLines(stdout, [
    `${added.wasThere ? 'It was there already, complete' : 'Added, every file verified'}: ${added.folder}`,
    `To see that it computes here what it should: slicewise models verify ${added.manifest.id}`,
    RESEARCH_USE_ONLY,
  ]);
}

function addressOf(model: string, root: string | undefined): string {
  if (root === undefined) return model;
  if (!/^[a-z0-9-]+$/.test(model)) {
    throw invalidArguments(modelsSpec, `With --from the model is named by its id, which "${model}" is not`);
  }
  return isUrl(root) ? `${root.replace(/\/$/, '')}/${model}/` : join(root, model);
}

async function openModel(address: string, signal: AbortSignal): Promise<ReadModelFile> {
  return isUrl(address) ? createModelFetcher(address, { signal }) : openModelAt(address);
}

function unprotected(address: string) {
  const message =
    `${address} is fetched over plain http, which anybody on the way can change: ` +
    'compare the SHA-256 with one that you have from elsewhere.';
  return { code: 'model-over-plain-http', message };
}
