import { EnvironmentError, InputError } from '../errors.ts';
import type { CodeStreamFrame } from './code-stream-frame.ts';
import { damagedFile } from './damaged-file.ts';
import { storedArray, type EncodedFrame, type StoredValues } from './pixel-data.ts';

/** What the codecs of @cornerstonejs have in common: one object a frame, which must be deleted. */
interface CodecDecoder {
  getEncodedBuffer(byteLength: number): Uint8Array;
  decode(): void;
  getFrameInfo(): {
    readonly width: number;
    readonly height: number;
    readonly bitsPerSample: number;
    readonly componentCount: number;
    readonly isSigned?: boolean;
  };
  getDecodedBuffer(): Uint8Array;
  delete(): void;
}

/** Options of a codec's Emscripten module. */
export interface CodecOptions {
  readonly locateFile: (file: string, folder: string) => string;
  readonly print: (line: string) => void;
  readonly printErr: (line: string) => void;
}

export interface WasmCodec {
  /** Of the compression, for messages: "JPEG 2000". */
  readonly name: string;
  readonly packageName: string;
  readonly load: (options: CodecOptions) => Promise<new () => CodecDecoder>;
  /** Where a bundle has the WebAssembly file; not asked in Node, where it lies beside the codec's script. */
  readonly wasmUrl: () => URL;
  /** What the compressed bytes say of themselves; undefined if they are no such image. */
  readonly readFrame: (bytes: Uint8Array) => CodeStreamFrame | undefined;
}

/** Makes a decoder of one compression; the codec is loaded with the first frame. */
export function createWasmDecoder(codec: WasmCodec): (frame: EncodedFrame) => Promise<StoredValues> {
  let loading: Promise<LoadedCodec> | undefined;
  return async (frame) => {
    // Before the codec: it would take memory for whatever the compressed bytes claim.
    assertFitsHeader(codec.name, codec.readFrame(frame.bytes), frame);
    loading ??= loadCodec(codec);
    const loaded = await loading;
    try {
      return decodeFrame(codec, loaded, frame);
    } catch (error) {
      if (error instanceof InputError) throw error;
      // A C++ exception arrives as a number, a failed assertion as an abort: the next frame gets a new codec.
      loading = undefined;
      throw damagedFile(frame.fileName, `its ${codec.name} image cannot be decoded`, error);
    }
  };
}

/** Checks what compressed bytes say of themselves against the header around them.
 * @throws InputError `damaged-file` if they differ; `unsupported-image` for colours */
export function assertFitsHeader<T extends CodeStreamFrame>(
  codecName: string,
  frame: T | undefined,
  { format, fileName }: EncodedFrame,
): asserts frame is T {
  if (frame === undefined) throw damagedFile(fileName, `its pixel data are no ${codecName} image`);
  if (frame.components !== 1) {
    throw new InputError(
      'unsupported-image',
      `${fileName} holds a ${codecName} image of ${frame.components} colours.`,
      { remedy: 'Use a greyscale series: models take one value a voxel.', details: { file: fileName } },
    );
  }
  if (frame.columns === format.columns && frame.rows === format.rows && frame.bits <= format.bitsAllocated) return;
  throw damagedFile(
    fileName,
    `its ${codecName} image is ${frame.columns} × ${frame.rows} pixels of ${frame.bits} bits, ` +
      `its header promises ${format.columns} × ${format.rows} of ${format.bitsStored}`,
  );
}

interface LoadedCodec {
  readonly Decoder: new () => CodecDecoder;
  /** What the codec said since the last frame began. */
  readonly log: string[];
}

async function loadCodec({ name, packageName, load, wasmUrl }: WasmCodec): Promise<LoadedCodec> {
  // Codecs report frames and errors on the console alone unless they are given these.
  const log: string[] = [];
  const print = (line: string): unknown => log.push(line);
  // A script that runs in Node knows its folder; one in a bundle has none, or that of the bundle.
  const locateFile = (file: string, folder: string): string =>
    folder === '' || folder.includes('://') ? wasmUrl().href : folder + file;
  try {
    return { Decoder: await load({ locateFile, print, printErr: print }), log };
  } catch (cause) {
    throw new EnvironmentError('file-not-readable', `The ${name} decoder could not be loaded.`, {
      remedy: `Install the package ${packageName}, or serve its WebAssembly file where the bundle has it.`,
      cause,
    });
  }
}

function decodeFrame(
  { name }: WasmCodec,
  { Decoder, log }: LoadedCodec,
  { bytes, format, fileName }: EncodedFrame,
): StoredValues {
  log.length = 0;
  const decoder = new Decoder();
  try {
    decoder.getEncodedBuffer(bytes.length).set(bytes);
    decoder.decode();
    const problem = log.find((line) => line.startsWith('[ERROR]'))?.slice('[ERROR]'.length);
    if (problem !== undefined) throw damagedFile(fileName, `its ${name} image cannot be decoded (${problem.trim()})`);
    const { bitsPerSample, isSigned = false } = decoder.getFrameInfo();
    const samples = samplesOf(decoder.getDecodedBuffer(), bitsPerSample, isSigned);
    const values = storedArray(format, format.rows * format.columns);
    if (samples.length !== values.length) throw damagedFile(fileName, `its ${name} image is incomplete`);
    // A copy, for the codec uses its memory again.
    values.set(samples);
    return values;
  } finally {
    decoder.delete();
  }
}

/** The code stream's own precision and sign count, not the header's. */
function samplesOf({ buffer, byteOffset, byteLength }: Uint8Array, bits: number, isSigned: boolean): StoredValues {
  if (bits <= 8) {
    return isSigned ? new Int8Array(buffer, byteOffset, byteLength) : new Uint8Array(buffer, byteOffset, byteLength);
  }
  return isSigned
    ? new Int16Array(buffer, byteOffset, byteLength >> 1)
    : new Uint16Array(buffer, byteOffset, byteLength >> 1);
}
