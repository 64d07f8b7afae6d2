import type { Colour } from '../../labelmap/display-colour.ts';
import { openPreviewFont } from './preview-font.ts';

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
const MOST_SIGNS = 500;

/** The longest beginning that fits, by halving; signs that are written in two units stay whole. */
function shorten(text: string, fits: (part: string) => boolean): string {
  const signs = Array.from(text.slice(0, 2 * MOST_SIGNS)).slice(0, MOST_SIGNS);
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
