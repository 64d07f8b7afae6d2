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
