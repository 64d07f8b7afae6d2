/** The few parts of dcmjs that Slicewise uses; the package has no types of its own. */
declare module 'dcmjs' {
  interface DataElement {
    vr: string;
    Value: unknown;
  }

  interface Dcmjs {
    data: {
      DicomDict: new (meta: Record<string, DataElement>) => {
        dict: Record<string, DataElement>;
        write(options?: { fragmentMultiframe?: boolean }): ArrayBuffer;
      };
      DicomMessage: {
        readFile(
          buffer: ArrayBuffer,
          options?: { untilTag?: string; includeUntilTagValue?: boolean; ignoreErrors?: boolean },
        ): { meta: Record<string, DataElement | undefined>; dict: Record<string, DataElement | undefined> };
      };
      DicomMetaDictionary: {
        naturalizeDataset(dataset: object): Record<string, unknown>;
        denaturalizeDataset(dataset: object): Record<string, DataElement>;
        /** By tag, `(GGGG,EEEE)`; groups and elements that repeat as ranges, private ones with their creator. */
        dictionary: Readonly<Record<string, { name?: string; vr?: string } | undefined>>;
        nameMap: Readonly<Record<string, { tag: string; vr: string } | undefined>>;
      };
    };
    log: { setLevel(level: 'error' | 'silent' | 'warn'): void };
  }

  const dcmjs: Dcmjs;
  export default dcmjs;
}

declare module 'dicom-character-set' {
  /** @param specificCharacterSet (0008,0005) as stored, values parted by backslashes
   * @throws Error if the character set is unknown or the bytes break its rules */
  export function convertBytes(
    specificCharacterSet: string | undefined,
    bytes: Uint8Array,
    options?: { readonly vr?: string },
  ): string;
}

// The codecs bring no types. A class is all that is used of a module; see codec-runner.js for what it does.

declare module '@cornerstonejs/codec-openjpeg/decodewasmjs' {
  import type { CodecDecoder } from './codecs/codec-runner.js';
  import type { CodecOptions } from './codecs/wasm-codec.ts';
  export default function create(
    options: Partial<CodecOptions>,
  ): Promise<{ readonly J2KDecoder: new () => CodecDecoder }>;
}

declare module '@cornerstonejs/codec-openjph/wasmjs' {
  import type { CodecDecoder } from './codecs/codec-runner.js';
  import type { CodecOptions } from './codecs/wasm-codec.ts';
  export default function create(options: CodecOptions): Promise<{ readonly HTJ2KDecoder: new () => CodecDecoder }>;
}

declare module '@cornerstonejs/codec-charls/decodewasmjs' {
  import type { CodecDecoder } from './codecs/codec-runner.js';
  import type { CodecOptions } from './codecs/wasm-codec.ts';
  export default function create(options: CodecOptions): Promise<{ readonly JpegLSDecoder: new () => CodecDecoder }>;
}

declare module '@cornerstonejs/codec-libjpeg-turbo-8bit/decodewasmjs' {
  import type { CodecDecoder } from './codecs/codec-runner.js';
  import type { CodecOptions } from './codecs/wasm-codec.ts';
  export default function create(options: CodecOptions): Promise<{ readonly JPEGDecoder: new () => CodecDecoder }>;
}

/** The few parts of opentype.js that the preview uses; the package has no types of its own. */
declare module 'opentype.js' {
  /** Pixels, y downwards. */
  export type PathCommand =
    | { readonly type: 'M'; readonly x: number; readonly y: number }
    | { readonly type: 'L'; readonly x: number; readonly y: number }
    | { readonly type: 'Q'; readonly x1: number; readonly y1: number; readonly x: number; readonly y: number }
    | {
        readonly type: 'C';
        readonly x1: number;
        readonly y1: number;
        readonly x2: number;
        readonly y2: number;
        readonly x: number;
        readonly y: number;
      }
    | { readonly type: 'Z' };

  export interface Glyph {
    /** In units of the font. */
    readonly advanceWidth?: number;
    /** Its outline, with its origin on the baseline at (x, y). */
    getPath(x: number, y: number, fontSize: number): { readonly commands: readonly PathCommand[] };
  }

  export interface Font {
    readonly unitsPerEm: number;
    /** Of a sign that the font lacks: its first glyph, a box. */
    charToGlyph(sign: string): Glyph;
  }

  interface OpenType {
    /** @param font TrueType, OpenType or WOFF 1 */
    parse(font: ArrayBuffer): Font;
  }

  // Node takes the CommonJS build, which has a default export only.
  const opentype: OpenType;
  export default opentype;
}
