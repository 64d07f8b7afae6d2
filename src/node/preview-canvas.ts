import { Jimp, loadFont, measureText, PNGFilterType } from 'jimp';
import { SANS_16_WHITE, SANS_32_WHITE } from 'jimp/fonts';
import type { Colour } from '../labelmap/display-colour.ts';

/** An RGB picture with the few drawing acts a contact sheet needs. */
export interface Canvas {
  readonly width: number;
  readonly height: number;
  /** Mixes a colour into one pixel; alpha 0…1. Outside the picture it does nothing. */
  blend(x: number, y: number, colour: Colour, alpha: number): void;
  /** Fills a rectangle inside the picture. */
  fill(x: number, y: number, width: number, height: number, colour: Colour): void;
  text(x: number, y: number, text: string, style: TextStyle): void;
  toPng(): Promise<Uint8Array>;
}

interface TextStyle {
  readonly size: TextSize;
  readonly colour: Colour;
}

type TextSize = 16 | 32;

/** Bitmap fonts of a canvas, and how wide a text will be in them. */
export interface Typesetter {
  widthOf(text: string, size: TextSize): number;
  createCanvas(width: number, height: number, background: Colour): Canvas;
}

/** Loads the fonts that jimp brings along: Open Sans, Latin-1. */
export async function openTypesetter(): Promise<Typesetter> {
  const fonts = { 16: await loadFont(SANS_16_WHITE), 32: await loadFont(SANS_32_WHITE) } as const;
  const widthOf = (text: string, size: TextSize): number => measureText(fonts[size], printable(text));
  return {
    widthOf,
    createCanvas(width, height, background) {
      const image = new Jimp({ width, height, color: 0x000000ff });
      const { data } = image.bitmap;
      const blend = (x: number, y: number, colour: Colour, alpha: number): void => {
        if (x < 0 || y < 0 || x >= width || y >= height) return;
        const at = (y * width + x) * 4;
        for (const channel of [0, 1, 2] as const) {
          const below = data[at + channel] ?? 0;
          data[at + channel] = Math.round(below + (colour[channel] - below) * alpha);
        }
      };
      const fill: Canvas['fill'] = (left, top, fillWidth, fillHeight, [red, green, blue]) => {
        for (let y = top; y < top + fillHeight; y++) {
          for (let at = (y * width + left) * 4, end = at + fillWidth * 4; at < end; at += 4) {
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
          if (text === '') return;
          // Jimp prints white only: its coverage, read from a picture of the text alone, tints any colour.
          const shown = printable(text);
          const line = new Jimp({ width: widthOf(shown, size) + size, height: Math.ceil(size * 1.3), color: 0 });
          line.print({ font: fonts[size], x: 0, y: 0, text: shown });
          for (let y = 0; y < line.height; y++) {
            for (let x = 0; x < line.width; x++) {
              const coverage = line.bitmap.data[(y * line.width + x) * 4 + 3] ?? 0;
              if (coverage > 0) blend(left + x, top + y, colour, coverage / 255);
            }
          }
        },
        // Paeth (jimp spells it so) for all rows: the default tries five filters for each.
        toPng: () => image.getBuffer('image/png', { filterType: PNGFilterType.PATH }),
      };
    },
  };
}

/** The fonts hold Latin-1; another sign would be left out without a trace. */
function printable(text: string): string {
  return text.replaceAll(/[^\u0020-\u007E\u00A1-\u00FF]/g, '?');
}
