declare module '@cornerstonejs/codec-openjpeg/decodewasmjs' {
  export interface J2KDecoder {
    getEncodedBuffer(byteLength: number): Uint8Array;
    getDecodedBuffer(): Uint8Array;
    decode(): void;
    /** All zero after a failed decode(): the codec reports errors in its log alone. */
    getFrameInfo(): { width: number; height: number; bitsPerSample: number; componentCount: number; isSigned: boolean };
    delete(): void;
  }
  export interface OpenJpeg {
    readonly J2KDecoder: new () => J2KDecoder;
  }
  export default function createOpenJpeg(options: {
    readonly locateFile?: (file: string) => string;
    readonly print?: (line: string) => void;
    readonly printErr?: (line: string) => void;
  }): Promise<OpenJpeg>;
}
