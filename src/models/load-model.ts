import { EnvironmentError, ModelError } from '../errors.ts';
import { assertScores } from './assert-scores.ts';
import { findWeightsFault } from './onnx-weights.ts';
import { type GoldenArray, type ModelManifest, parseManifest } from './manifest.ts';

/** A model whose ONNX bytes were proved to be the ones its manifest names. */
export interface LoadedModel {
  readonly manifest: ModelManifest;
  readonly bytes: Uint8Array;
}

/** Where a model folder's files come from: a folder on disk, a URL, a cache.
 * Its rejection is the caller's to word: it is handed on as it is.
 * @param expected what the manifest says of the file, by which a cache knows it; checked again by the caller */
export type ReadModelFile = (path: string, expected?: ExpectedFile) => Promise<Uint8Array>;

/** A file's size and SHA-256, lower-case hexadecimal. */
export interface ExpectedFile {
  readonly byteLength: number;
  readonly sha256: string;
}

/** A file of a model folder as its manifest describes it. */
export interface NamedFile extends ExpectedFile {
  readonly path: string;
}

/** Reads manifest.json and the ONNX file of one model folder.
 * @throws ModelError `invalid-manifest`; `model-file-mismatch` if the file's size or SHA-256 is not the manifest's, or
 * some of its weights are in another file */
export async function loadModel(read: ReadModelFile): Promise<LoadedModel> {
  const manifest = await loadManifest(read);
  const bytes = await readVerified(read, manifest.file);
  assertSelfContained(bytes, manifest.file);
  return { manifest, bytes };
}

/** At most so many bytes of a manifest.json are read, unless told otherwise. */
export const MANIFEST_BYTES = 2 ** 20;

export interface ManifestLimits {
  /** Default 1 MiB; the manifest of a model with many segments has some 20 KB. */
  readonly manifestBytes?: number;
}

/** Reads only manifest.json, for listings.
 * @throws ModelError `invalid-manifest`, `limit-exceeded` */
export async function loadManifest(
  read: ReadModelFile,
  { manifestBytes = MANIFEST_BYTES }: ManifestLimits = {},
): Promise<ModelManifest> {
  const bytes = await read('manifest.json');
  if (bytes.length > manifestBytes) {
    throw new ModelError(
      'limit-exceeded',
      `The model's manifest.json has ${bytes.length} bytes, at most ${manifestBytes} are read (limit manifestBytes).`,
      { remedy: 'Restore manifest.json from the model folder it came with.' },
    );
  }
  const text = new TextDecoder().decode(bytes);
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (cause) {
    throw new ModelError('invalid-manifest', "The model's manifest.json is not JSON.", {
      remedy: 'Restore manifest.json from the model folder it came with.',
      cause,
    });
  }
  return parseManifest(document);
}

/** A model's golden arrays: an input and the output that the exporting runtime gave for it. */
export interface Golden {
  readonly input: Float32Array<ArrayBuffer>;
  readonly output: Float32Array<ArrayBuffer>;
}

/** Reads the golden arrays of a model folder: little-endian float32, slowest axis first, without a header.
 * @throws ModelError `model-file-mismatch`, also if the output is not of the kind that the manifest says */
export async function loadGolden(manifest: ModelManifest, read: ReadModelFile): Promise<Golden> {
  return { input: await loadGoldenInput(manifest, read), output: await loadGoldenOutput(manifest, read) };
}

/** @throws ModelError `model-file-mismatch` */
export function loadGoldenInput(manifest: ModelManifest, read: ReadModelFile): Promise<Float32Array<ArrayBuffer>> {
  return readGolden(manifest.golden.input, read);
}

/** @throws ModelError `model-file-mismatch`, also if it is not of the kind that the manifest says */
export async function loadGoldenOutput(
  manifest: ModelManifest,
  read: ReadModelFile,
): Promise<Float32Array<ArrayBuffer>> {
  const output = await readGolden(manifest.golden.output, read);
  assertScores(output, manifest);
  return output;
}

async function readGolden(
  { path, shape, sha256 }: GoldenArray,
  read: ReadModelFile,
): Promise<Float32Array<ArrayBuffer>> {
  const byteLength = Float32Array.BYTES_PER_ELEMENT * shape.reduce((product, length) => product * length, 1);
  const bytes = await readVerified(read, { path, sha256, byteLength });
  // The copy is aligned to four bytes, which the file's own buffer need not be.
  return new Float32Array(Uint8Array.from(bytes).buffer);
}

export async function isFile(bytes: Uint8Array, { byteLength, sha256 }: ExpectedFile): Promise<boolean> {
  return bytes.byteLength === byteLength && (await sha256Hex(bytes)) === sha256;
}

/** SHA-256 as lower-case hexadecimal.
 * @throws EnvironmentError `insecure-page`: browsers hash only on pages that came over HTTPS or from localhost */
export async function sha256Hex(bytes: Uint8Array): Promise<string> {
  // The DOM's types refuse memory that threads share, which no reader of model files hands out.
  const subtle = Reflect.get(crypto, 'subtle') as SubtleCrypto | undefined; // absent on insecure pages, whatever types say
  if (subtle === undefined) throw insecurePage();
  const digest = await subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>);
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

async function readVerified(read: ReadModelFile, file: NamedFile): Promise<Uint8Array> {
  const bytes = await read(file.path, file);
  await assertFile(bytes, file);
  return bytes;
}

/** @throws ModelError `model-file-mismatch` if bytes are not of the size and SHA-256 that a manifest names */
export async function assertFile(bytes: Uint8Array, file: NamedFile): Promise<void> {
  const { byteLength } = bytes;
  if (byteLength !== file.byteLength) {
    throw fileMismatch(file, `it has ${byteLength} bytes, expected ${file.byteLength}`, { byteLength });
  }
  const sha256 = await sha256Hex(bytes);
  if (sha256 === file.sha256) return;
  throw fileMismatch(file, `its SHA-256 is ${sha256}, expected ${file.sha256}`, { byteLength, sha256 });
}

/** Checks that all weights of an ONNX file are inside it, and so under its hash.
 * @throws ModelError `model-file-mismatch` */
export function assertSelfContained(bytes: Uint8Array, { path }: NamedFile): void {
  const fault = findWeightsFault(bytes);
  if (fault === undefined) return;
  if (fault.kind === 'not-onnx') {
    throw new ModelError('model-file-mismatch', `${path} cannot be run: ${fault.why}.`, {
      remedy: 'Export the model again as its manifest describes it.',
    });
  }
  throw new ModelError(
    'model-file-mismatch',
    `${path} keeps weights in another file ("${fault.tensor}"), of which its SHA-256 says nothing.`,
    {
      remedy: `Put them into the file, in Python: p = "${path}"; onnx.save(onnx.load(p), p). Then write its new size and SHA-256 into manifest.json.`,
      details: { tensor: fault.tensor },
    },
  );
}

function insecurePage(): EnvironmentError {
  return new EnvironmentError('insecure-page', 'This page did not come over HTTPS, so the browser checks no SHA-256.', {
    remedy: 'Open the page over HTTPS, or from localhost.',
  });
}

function fileMismatch(expected: NamedFile, how: string, actual: object): ModelError {
  return new ModelError('model-file-mismatch', `${expected.path} is not the file its manifest names: ${how}.`, {
    remedy: 'Fetch the model folder again; do not run weights that nobody vouches for.',
    details: { expected, actual },
  });
}

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
