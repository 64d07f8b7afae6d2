import type { J2KDecoder, OpenJpeg } from '@cornerstonejs/codec-openjpeg/decodewasmjs';
import { EnvironmentError, InputError } from '../errors.ts';
import { damagedFile } from './damaged-file.ts';
import { storedArray, type EncodedFrame, type StoredValues } from './pixel-data.ts';

/** Makes a JPEG 2000 decoder (lossless and lossy); the codec is loaded with the first frame.
 * @param wasmUrl where `openjpegwasm_decode.wasm` is served; needed where the codec cannot find it beside its own
 * script, as in most browser bundles */
export function createJpeg2000Decoder(wasmUrl?: string): (frame: EncodedFrame) => Promise<StoredValues> {
  let loading: Promise<Codec> | undefined;
  return async (frame) => {
    loading ??= loadCodec(wasmUrl);
    const codec = await loading;
    try {
      return decodeFrame(codec, frame);
    } catch (error) {
      if (error instanceof InputError) throw error;
      // A C++ exception arrives as a number, a failed assertion as an abort: the next frame gets a new codec.
      loading = undefined;
      throw damagedFile(frame.fileName, 'its JPEG 2000 image cannot be decoded', error);
    }
  };
}

export const decodeJpeg2000 = createJpeg2000Decoder();

interface Codec {
  readonly openJpeg: OpenJpeg;
  /** What the codec said since the last frame began. */
  readonly log: string[];
}

async function loadCodec(wasmUrl: string | undefined): Promise<Codec> {
  // The codec reports every frame, and its errors, on the console alone unless it is given these.
  const log: string[] = [];
  const print = (line: string): unknown => log.push(line);
  const options = { print, printErr: print, ...(wasmUrl === undefined ? {} : { locateFile: () => wasmUrl }) };
  try {
    const { default: createOpenJpeg } = await import('@cornerstonejs/codec-openjpeg/decodewasmjs');
    return { openJpeg: await createOpenJpeg(options), log };
  } catch (cause) {
    throw new EnvironmentError('file-not-readable', 'The JPEG 2000 decoder could not be loaded.', {
      remedy: 'Install the package @cornerstonejs/codec-openjpeg, or serve its WebAssembly file beside the script.',
      cause,
    });
  }
}

function decodeFrame({ openJpeg, log }: Codec, { bytes, format, fileName }: EncodedFrame): StoredValues {
  log.length = 0;
  const decoder = new openJpeg.J2KDecoder();
  try {
    decoder.getEncodedBuffer(bytes.length).set(bytes);
    decoder.decode();
    const info = decoder.getFrameInfo();
    const problem = log.find((line) => line.startsWith('[ERROR]'))?.slice('[ERROR]'.length);
    if (problem !== undefined) throw damagedFile(fileName, `its JPEG 2000 image cannot be decoded (${problem.trim()})`);
    if (info.componentCount !== 1) {
      throw new InputError(
        'unsupported-image',
        `${fileName} holds a JPEG 2000 image of ${info.componentCount} colours.`,
        {
          remedy: 'Use a greyscale series: models take one value a voxel.',
          details: { file: fileName },
        },
      );
    }
    if (info.width !== format.columns || info.height !== format.rows || info.bitsPerSample > format.bitsAllocated) {
      throw damagedFile(
        fileName,
        `its JPEG 2000 image is ${info.width} × ${info.height} pixels of ${info.bitsPerSample} bits, ` +
          `its header promises ${format.columns} × ${format.rows} of ${format.bitsStored}`,
      );
    }
    const samples = samplesOf(decoder.getDecodedBuffer(), info);
    const values = storedArray(format, format.rows * format.columns);
    if (samples.length !== values.length) throw damagedFile(fileName, 'its JPEG 2000 image is incomplete');
    values.set(samples);
    return values;
  } finally {
    decoder.delete();
  }
}

type FrameInfo = ReturnType<J2KDecoder['getFrameInfo']>;

/** A copy, for the codec uses its memory again. The code stream's own precision and sign count, not the header's. */
function samplesOf(decoded: Uint8Array, { bitsPerSample, isSigned }: FrameInfo): StoredValues {
  const { buffer } = new Uint8Array(decoded);
  if (bitsPerSample <= 8) return isSigned ? new Int8Array(buffer) : new Uint8Array(buffer);
  return isSigned ? new Int16Array(buffer) : new Uint16Array(buffer);
}
