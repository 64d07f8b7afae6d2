import { EnvironmentError, InputError } from '../errors.ts';
import {
  type CodecDecoder,
  type CodecOutcome,
  createCodecRunner,
  type LoadedCodec,
  type RunCodec,
} from './codec-runner.js';
import { damagedFile } from '../io/read-limits.ts';
import { type DecodeContext, type EncodedFrame, storedArray, type StoredValues } from '../dicom/pixel-data.ts';

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

/** Makes a decoder of one compression.
 * @param run has the codec decode, by default in this thread */
export function createWasmDecoder(
  codec: WasmCodec,
  run: (bytes: Uint8Array, context?: DecodeContext) => Promise<CodecOutcome> = createWasmRunner(codec),
): (frame: EncodedFrame, context?: DecodeContext) => Promise<StoredValues> {
  const { name, readFrame } = codec;
  return async (frame, context) => {
    // Before the codec: it would take memory for whatever the compressed bytes claim.
    assertFitsHeader(name, readFrame(frame.bytes), frame);
    const outcome = await run(frame.bytes, context);
    if (outcome.pixels !== undefined) return valuesOf(outcome, name, frame);
    const { problem, cause } = outcome;
    const why = problem === undefined ? '' : ` (${problem})`;
    throw damagedFile(frame.fileName, `its ${name} image cannot be decoded${why}`, cause);
  };
}

/** Has a codec decode in this thread, where it is loaded with the first frame. */
export function createWasmRunner(codec: WasmCodec): RunCodec {
  return createCodecRunner(() => loadCodec(codec));
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

function valuesOf(
  { pixels, bitsPerSample, isSigned }: Extract<CodecOutcome, { readonly pixels: Uint8Array }>,
  codecName: string,
  { format, fileName }: EncodedFrame,
): StoredValues {
  const samples = samplesOf(pixels, bitsPerSample, isSigned);
  const values = storedArray(format, format.rows * format.columns);
  if (samples.length !== values.length) throw damagedFile(fileName, `its ${codecName} image is incomplete`);
  values.set(samples);
  return values;
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

/** What a compressed image says of its own size. */
export interface CodeStreamFrame {
  readonly rows: number;
  readonly columns: number;
  readonly components: number;
  /** Of one sample. */
  readonly bits: number;
}

export interface JpegFrame extends CodeStreamFrame {
  /** The low byte of the frame's marker: 0xc0 baseline, 0xc1 extended, 0xc3 lossless, 0xf7 JPEG-LS. */
  readonly process: number;
}

/** Finds the frame header of a JPEG or JPEG-LS image (ITU T.81 B.2.2, T.87 C.2.2).
 * @returns undefined if there is none */
export function readJpegFrame(bytes: Uint8Array): JpegFrame | undefined {
  if (bytes[0] !== 0xff || bytes[1] !== 0xd8) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let position = 2; position + 10 <= bytes.length;) {
    const marker = bytes[position + 1] ?? 0;
    if (bytes[position] !== 0xff) return undefined;
    if (marker === 0xff) {
      position++; // fill byte
    } else if (isFrameMarker(marker)) {
      return {
        process: marker,
        bits: bytes[position + 4] ?? 0,
        rows: view.getUint16(position + 5),
        columns: view.getUint16(position + 7),
        components: bytes[position + 9] ?? 0,
      };
    } else {
      position += 2 + view.getUint16(position + 2);
    }
  }
  return undefined;
}

/** SOF0 to SOF15 but for the tables DHT, JPG and DAC among them; SOF55. */
function isFrameMarker(marker: number): boolean {
  return (marker >= 0xc0 && marker <= 0xcf && marker % 4 !== 0) || marker === 0xc0 || marker === 0xf7;
}

/** Finds the size of a JPEG 2000 image in its SIZ segment (ITU T.800 A.5.1), also within the boxes of a JP2 file.
 * @returns undefined if there is none */
export function readJpeg2000Frame(bytes: Uint8Array): CodeStreamFrame | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const last = Math.min(bytes.length - 43, 1024);
  for (let position = 0; position <= last; position++) {
    if (view.getUint32(position) !== 0xff4fff51) continue;
    const size = (at: number): number => view.getUint32(position + at) - view.getUint32(position + at + 8);
    const components = view.getUint16(position + 40);
    return { columns: size(8), rows: size(12), components, bits: ((bytes[position + 42] ?? 0) & 0x7f) + 1 };
  }
  return undefined;
}
