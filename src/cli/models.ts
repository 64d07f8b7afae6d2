import { verifyModel } from '../inference/self-test.ts';
import { loadGolden, loadModel, type ReadModelFile } from '../models/load-model.ts';
import type { ModelManifest } from '../models/manifest.ts';
import { findModels, openModelAt, openModelFolder, passedOverFolder, userModelsFolder } from '../node/model-folders.ts';
import { InternalError } from '../errors.ts';
import type { CommandContext, InterruptibleContext } from './standard-stream.ts';
import { modelsSpec } from './commands.ts';
import type { ModelListDocument, ModelVerificationDocument } from './documents.ts';
import { nearestName } from '../visible-text.ts';
import { backendNotices, openBackend, parseBackendId } from './segment-request.ts';
import { type CommandArguments, invalidArguments } from './parse-arguments.ts';
import { formatCount, formatSize, printJson, printLines, printWarnings, RESEARCH_USE_ONLY } from './print.ts';
import { join } from 'node:path';
import { copyModel, createModelFetcher, isPlainHttp, isUrl } from '../node/copy-model.ts';

type ModelsOptions = CommandArguments<typeof modelsSpec>['options'];

/** `slicewise models`: list, show one, or verify that one computes here what it should. */
export async function models(
  { positionals, options }: CommandArguments<typeof modelsSpec>,
  { stdout, stderr }: CommandContext,
): Promise<void> {
  const [action = 'list', model] = positionals;
  if (options.from !== undefined || options.replace !== undefined) {
    throw invalidArguments(modelsSpec, `--from and --replace are for models add, not for models ${action}`);
  }
  if (action === 'list') {
    if (model !== undefined) throw invalidArguments(modelsSpec, 'models list takes no model');
    await list(options, stdout);
    return;
  }
  if (action !== 'show' && action !== 'verify') {
    const nearest = nearestName(action, ['list', 'show', 'verify', 'add']);
    throw invalidArguments(
      modelsSpec,
      `slicewise models has no ${action}`,
      `Use: slicewise models ${nearest ?? '[list|show <id|folder>|verify <id|folder>|add <folder|address>]'}`,
    );
  }
  if (model === undefined) throw invalidArguments(modelsSpec, `models ${action} needs the name or folder of a model`);
  const notice = await passedOverFolder(model);
  if (notice !== undefined) printWarnings(stderr, [notice]);
  await (action === 'show' ? show(model, options, stdout) : verify(model, options, { stdout, stderr }));
}

async function list({ json }: ModelsOptions, stdout: CommandContext['stdout']): Promise<void> {
  const manifests = (await findModels()).map(({ manifest }) => manifest);
  if (json) {
    const document: ModelListDocument = { schemaVersion: 1, models: manifests.map(toListEntry) };
    printJson(stdout, document);
    return;
  }
  const lines = manifests.flatMap((manifest) => [
    `${manifest.id} ${manifest.version} · ${manifest.title}`,
    `  ${manifest.input.modality.join(', ')} · ${manifest.segments.map(({ segmentLabel }) => segmentLabel).join(', ')}`,
    `  ${manifest.intendedUse}`,
    `  licence ${manifest.licence} · ${formatSize(manifest.file.byteLength)}`,
    '',
  ]);
  printLines(stdout, [...lines, formatCount(manifests.length, 'model'), RESEARCH_USE_ONLY]);
}

function toListEntry({
  id,
  version,
  title,
  licence,
  intendedUse,
  file,
  input,
  segments,
}: ModelManifest): ModelListDocument['models'][number] {
  return {
    id,
    version,
    title,
    licence,
    intendedUse,
    byteLength: file.byteLength,
    modality: input.modality,
    bodyPart: input.bodyPart,
    segments: segments.map(({ segmentNumber, segmentLabel }) => ({ segmentNumber, segmentLabel })),
  };
}

async function show(idOrFolder: string, { json }: ModelsOptions, stdout: CommandContext['stdout']): Promise<void> {
  const read = await openModelFolder(idOrFolder);
  const { manifest } = await loadModel(read);
  await loadGolden(manifest, read); // what verify would refuse is told here too
  if (json) {
    printJson(stdout, manifest);
    return;
  }
  const { input, file, segments, evaluation, tta } = manifest;
  const [, channels, rows, columns] = input.shape;
  const views = [
    ...(tta.flips.length > 0 ? [`flips ${tta.flips.join(', ')}`] : []),
    ...(tta.rotations.length > 0 ? [`rotations ${tta.rotations.join('°, ')}°`] : []),
    ...(tta.scales.length > 0 ? [`scales ${tta.scales.join(', ')}`] : []),
  ];
  printLines(stdout, [
    `${manifest.id} ${manifest.version} · ${manifest.title}`,
    manifest.intendedUse,
    '',
    `licence   ${manifest.licence}`,
    `images    ${input.modality.join(', ')} of ${input.bodyPart.join(', ')}`,
    `input     ${String(columns)} × ${String(rows)} pixels of ${String(input.spacing)} mm, ` +
      `${formatCount(channels, 'slice')} at a time`,
    `weights   ${formatSize(file.byteLength)}, SHA-256 ${file.sha256}`,
    `--tta     ${views.join('; ') || 'nothing to average over'}`,
    'segments',
    ...segments.map(({ segmentNumber, segmentLabel, segmentedPropertyType: type }) => {
      return `  ${String(segmentNumber)}  ${segmentLabel} (${type.codeMeaning}, ${type.codingSchemeDesignator} ${type.codeValue})`;
    }),
    evaluation.length === 0 ? 'evaluation: none yet' : 'evaluation',
    ...evaluation.map(({ data, metric, value }) => `  ${metric} ${String(value)} on ${data}`),
    RESEARCH_USE_ONLY,
  ]);
}

async function verify(idOrFolder: string, options: ModelsOptions, { stdout, stderr }: CommandContext): Promise<void> {
  const backendId = parseBackendId(options.backend, modelsSpec);
  printWarnings(stderr, backendNotices(options.backend, backendId));
  const read = await openModelFolder(idOrFolder);
  const model = await loadModel(read);
  const { id, version, file } = model.manifest;
  const verified = await verifyModel(model, await openBackend(backendId), read);
  const { ok, maxDifference, tolerance, durationMs } = verified;
  // JSON has no Infinity: the largest number stands for an output that is no number.
  const difference = Math.min(maxDifference, Number.MAX_VALUE);
  if (options.json) {
    const document: ModelVerificationDocument = {
      schemaVersion: 1,
      id,
      version,
      sha256: file.sha256,
      backend: backendId,
      ok,
      maxDifference: difference,
      tolerance,
      durationMs,
    };
    printJson(stdout, document);
  }
  const figures = `largest difference ${maxDifference.toPrecision(3)}, allowed ${String(tolerance)}`;
  if (!ok) {
    throw new InternalError(
      'verification-failed',
      `${id} ${version} does not compute here what it should: ${figures}.`,
      {
        remedy: `Try the other backend (--backend ${backendId === 'node' ? 'wasm' : 'node'}), and please report this.`,
        details: { maxDifference, tolerance, backend: backendId },
      },
    );
  }
  if (!options.json) {
    printLines(stdout, [
      `${id} ${version} computes on ${backendId} what it should: ${figures}, ${durationMs.toFixed(0)} ms a slice`,
    ]);
  }
}

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
