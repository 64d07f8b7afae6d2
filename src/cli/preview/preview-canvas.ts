import type { Colour } from '../../labelmap/labelmap.ts';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Font, Glyph, PathCommand } from 'opentype.js';
import { coverageOf, type Polygon } from './preview-view.ts';

/** An RGB picture with the few drawing acts a contact sheet needs. */
export interface Canvas {
  readonly width: number;
  readonly height: number;
  /** Mixes a colour into one pixel; alpha 0…1. Outside the picture it does nothing. */
  blend(x: number, y: number, colour: Colour, alpha: number): void;
  /** Fills a rectangle inside the picture. */
  fill(x: number, y: number, width: number, height: number, colour: Colour): void;
  text(x: number, y: number, text: string, style: TextStyle): void;
  toPng(): Uint8Array;
}

interface TextStyle {
  readonly size: TextSize;
  readonly colour: Colour;
}

type TextSize = 16 | 32;

/** Sets text on pictures, and knows beforehand how wide it will be. */
export interface Typesetter {
  widthOf(text: string, size: TextSize): number;
  /** The text, or its beginning and "…", in at most so many pixels. */
  shorten(text: string, size: TextSize, mostPixels: number): string;
  createCanvas(width: number, height: number, background: Colour): Canvas;
}

/** DejaVu's letters are larger than others of their size: at this part of it they look alike. */
const LETTER_SIZE = 0.92;

/** Loads the font and the encoder. */
export async function openTypesetter(): Promise<Typesetter> {
  const [font, { encode }] = await Promise.all([openPreviewFont(), import('fast-png')]);
  const widthOf = (text: string, size: TextSize): number => font.widthOf(text, size * LETTER_SIZE);
  return {
    widthOf,
    shorten: (text, size, mostPixels) => shorten(text, (part) => widthOf(part, size) <= mostPixels),
    createCanvas(width, height, background) {
      const data = new Uint8Array(width * height * 3);
      const blend = (x: number, y: number, colour: Colour, alpha: number): void => {
        if (x < 0 || y < 0 || x >= width || y >= height) return;
        const at = (y * width + x) * 3;
        for (const channel of [0, 1, 2] as const) {
          const below = data[at + channel] ?? 0;
          data[at + channel] = Math.round(below + (colour[channel] - below) * alpha);
        }
      };
      const fill: Canvas['fill'] = (left, top, fillWidth, fillHeight, [red, green, blue]) => {
        for (let y = top; y < top + fillHeight; y++) {
          for (let at = (y * width + left) * 3, end = at + fillWidth * 3; at < end; at += 3) {
            data[at] = red;
            data[at + 1] = green;
            data[at + 2] = blue;
          }
        }
      };
      fill(0, 0, width, height, background);
      return {
        width,
        height,
        blend,
        fill,
        text(left, top, text, { size, colour }) {
          font.draw(text, { left, top, size: size * LETTER_SIZE }, (x, y, alpha) => {
            blend(x, y, colour, alpha);
          });
        },
        toPng: () => encode({ width, height, data, channels: 3, depth: 8 }),
      };
    },
  };
}

/** No text of a sheet is longer; more would only be measured to be cut off. */
const MAX_SIGNS = 500;

/** The longest beginning that fits, by halving; signs that are written in two units stay whole. */
function shorten(text: string, fits: (part: string) => boolean): string {
  const signs = Array.from(text.slice(0, 2 * MAX_SIGNS)).slice(0, MAX_SIGNS);
  if (signs.join('') === text && fits(text)) return text;
  const shortened = (count: number): string => `${signs.slice(0, count).join('').trimEnd()}…`;
  let [fitting, tooMany] = [0, signs.length];
  while (tooMany - fitting > 1) {
    const middle = (fitting + tooMany) >> 1;
    if (fits(shortened(middle))) fitting = middle;
    else tooMany = middle;
  }
  return shortened(fitting);
}

/** DejaVu Sans: Latin, Greek, Cyrillic, Hebrew, Arabic and more. A sign that it lacks is a box. */
export interface PreviewFont {
  /** Pixels, rounded up.
   * @param size pixels of the em square */
  widthOf(text: string, size: number): number;
  /** Tells how much of each pixel a line of text covers.
   * @param top of the line, not of its letters
   * @param cover alpha 0…1, called for pixels with any */
  draw(text: string, at: TextPlace, cover: (x: number, y: number, alpha: number) => void): void;
}

interface TextPlace {
  readonly left: number;
  readonly top: number;
  readonly size: number;
}

/** Of the em square, from the top of a line to its baseline. */
const BASELINE = 0.93;

export async function openPreviewFont(): Promise<PreviewFont> {
  const require = createRequire(import.meta.url);
  const file = readFileSync(require.resolve('@fontsource/dejavu-sans/files/dejavu-sans-latin-400-normal.woff'));
  const { default: opentype } = await import('opentype.js');
  const font = opentype.parse(new Uint8Array(file).buffer);
  return {
    widthOf: (text, size) => Math.ceil(setLine(font, text, 0, size).end),
    draw(text, { left, top, size }, cover) {
      const baseline = Math.round(top + BASELINE * size);
      const polygons = setLine(font, text, left, size).glyphs.flatMap(({ glyph, x }) =>
        outlinesOf(glyph.getPath(x, baseline, size).commands),
      );
      coverageOf(polygons, cover);
    },
  };
}

interface SetLine {
  readonly glyphs: readonly { readonly glyph: Glyph; readonly x: number }[];
  readonly end: number;
}

/** One glyph a sign, side by side: opentype.js' own shaping fails on rules that this font has (lookup 6, format 2). */
function setLine(font: Font, text: string, left: number, size: number): SetLine {
  let x = left;
  const glyphs = Array.from(inVisualOrder(text.normalize('NFC')), (sign) => {
    const glyph = font.charToGlyph(sign);
    const placed = { glyph, x };
    x += ((glyph.advanceWidth ?? 0) * size) / font.unitsPerEm;
    return placed;
  });
  return { glyphs, end: x };
}

/** Words that are written from right to left, with what lies between them; a sign keeps its marks. */
const FROM_THE_RIGHT =
  /[\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Nko}](?:[\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Nko}\p{M}\p{P}\s]*[\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Nko}\p{M}])?/gu;

/** The signs from left to right. In a line that is read from the left, as all of a sheet are, that is all of the
 * bidirectional algorithm (UAX 9) that names need. */
function inVisualOrder(text: string): string {
  return text.replace(FROM_THE_RIGHT, (run) =>
    (run.match(/.\p{M}*/gsu) ?? [])
      .reverse()
      .map((sign) => MIRRORED[sign] ?? sign)
      .join(''),
  );
}

const MIRRORED: Readonly<Record<string, string>> = { '(': ')', ')': '(', '[': ']', ']': '[', '«': '»', '»': '«' };

/** Straight pieces of a curve: at these sizes no more can be seen. */
const PIECES = 4;

/** An outline as closed polygons. */
function outlinesOf(commands: readonly PathCommand[]): Polygon[] {
  const polygons: Polygon[] = [];
  let current: [number, number][] = [];
  for (const command of commands) {
    if (command.type === 'M') polygons.push((current = [[command.x, command.y]]));
    else if (command.type !== 'Z') current.push(...pointsOf(command, current.at(-1) ?? [command.x, command.y]));
  }
  return polygons;
}

function pointsOf(
  command: Exclude<PathCommand, { type: 'Z' | 'M' }>,
  [fromX, fromY]: readonly [number, number],
): [number, number][] {
  const { type, x, y } = command;
  if (type === 'L') return [[x, y]];
  return Array.from({ length: PIECES }, (_, n) => {
    const t = (n + 1) / PIECES;
    const u = 1 - t;
    if (type === 'Q') {
      const [a, b, c] = [u * u, 2 * u * t, t * t];
      return [a * fromX + b * command.x1 + c * x, a * fromY + b * command.y1 + c * y];
    }
    const [a, b, c, d] = [u ** 3, 3 * u * u * t, 3 * u * t * t, t ** 3];
    return [a * fromX + b * command.x1 + c * command.x2 + d * x, a * fromY + b * command.y1 + c * command.y2 + d * y];
  });
}
