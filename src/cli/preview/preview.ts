import { cielabToColour, type Colour, type Labelmap } from '../../labelmap/labelmap.ts';
import type { Volume } from '../../volume/volume.ts';
import { type Canvas, openTypesetter, type Typesetter } from './preview-canvas.ts';
import { visibleText } from '../../visible-text.ts';
import { drawOutlines, drawSlice, layOutTile } from './preview-tile.ts';
import { chooseView, screenLetters, type SheetView } from './preview-view.ts';

export interface PreviewContent {
  readonly volume: Volume;
  /** On the volume's grid. */
  readonly labelmap: Labelmap;
  readonly title: string;
  readonly subtitle: string;
  /** Millilitres by segmentNumber. */
  readonly volumesMl: ReadonlyMap<number, number>;
  /** Numbers of the segments whose volume may not be that of the whole structure. */
  readonly lowerBounds?: ReadonlySet<number>;
  /** 0…1 for each slice k. */
  readonly uncertaintyPerSlice: ArrayLike<number>;
}

const background: Colour = [16, 18, 22];
const panel: Colour = [38, 42, 50];
const bright: Colour = [240, 243, 248];
const quiet: Colour = [150, 158, 170];
const amber: Colour = [255, 183, 51];

const MARGIN = 24;
const GAP = 8;
const TILE_SIDE = 288;
const BAR_HEIGHT = 4;
const SWATCH = 16;
const WIDEST_TEXT = 1200;

/** Draws a contact sheet as PNG: the slices with coloured outlines, a legend with volumes, and under each slice a bar
 * for its uncertainty. No patient data is in it but the image itself. */
export async function renderPreview(content: PreviewContent): Promise<Uint8Array> {
  const type = await openTypesetter();
  const { volume, labelmap } = content;
  const view = chooseView(volume, labelmap);
  const tile = layOutTile(view, volume.geometry.spacing, TILE_SIDE);
  const columns = chooseColumns(view.slices.length);
  const rows = Math.ceil(view.slices.length / columns);
  const tilesWidth = columns * (tile.width + GAP) - GAP;
  // A sheet of few slices is as wide as its text, but no name makes it wider than many slices would.
  const mostWidth = Math.max(tilesWidth, WIDEST_TEXT);
  const title = type.shorten(visibleText(content.title), 32, mostWidth);
  const subtitle = type.shorten(visibleText(content.subtitle), 16, mostWidth);
  const footer = type.shorten(footerOf(view, volume.geometry.dimensions[2]), 16, mostWidth);
  const textWidth = Math.max(type.widthOf(title, 32), type.widthOf(subtitle, 16), type.widthOf(footer, 16));
  const width = 2 * MARGIN + Math.max(tilesWidth, textWidth);
  const legend = layOutLegend(type, content, width - 2 * MARGIN);
  const tilesTop = MARGIN + 76 + legend.height + 12;
  const rowHeight = tile.height + BAR_HEIGHT + 3 + GAP;
  const footerTop = tilesTop + rows * rowHeight + 4;
  const canvas = type.createCanvas(width, footerTop + 20 + MARGIN - 4, background);

  canvas.text(MARGIN, MARGIN - 6, title, { size: 32, colour: bright });
  canvas.text(MARGIN, MARGIN + 40, subtitle, { size: 16, colour: quiet });
  drawLegend(canvas, legend, MARGIN + 76);
  for (const [n, k] of view.slices.entries()) {
    const left = MARGIN + (n % columns) * (tile.width + GAP);
    const top = tilesTop + Math.floor(n / columns) * rowHeight;
    drawSlice(canvas, [left, top], tile, volume, k, view.window);
    drawOutlines(canvas, [left, top], tile, labelmap, k, (number) => colourOf(labelmap, number));
    drawOnImage(canvas, left + 7, top + 4, String(k + 1));
    if (n === 0) {
      const letters = screenLetters(volume.geometry, view.orientation);
      drawOnImage(canvas, left + 7, top + Math.round(tile.height / 2) - 9, letters.left);
      drawOnImage(canvas, left + Math.round(tile.width / 2) - 5 * letters.top.length, top + 4, letters.top);
    }
    const uncertainty = Math.min(1, Math.max(0, content.uncertaintyPerSlice[k] ?? 0));
    canvas.fill(left, top + tile.height + 3, tile.width, BAR_HEIGHT, panel);
    canvas.fill(left, top + tile.height + 3, Math.round(tile.width * uncertainty), BAR_HEIGHT, amber);
  }
  canvas.text(MARGIN, footerTop, footer, {
    size: 16,
    colour: quiet,
  });
  return canvas.toPng();
}

interface LegendEntry {
  readonly x: number;
  readonly row: number;
  readonly text: string;
  readonly colour: Colour;
}

const LEGEND_ROW = 26;

function layOutLegend(
  type: Typesetter,
  { labelmap, volumesMl, lowerBounds }: PreviewContent,
  width: number,
): { entries: LegendEntry[]; height: number } {
  const entries: LegendEntry[] = [];
  let x = 0;
  let row = 0;
  for (const { segmentNumber, segmentLabel } of labelmap.segments) {
    const bound = lowerBounds?.has(segmentNumber) ? 'at least ' : '';
    const volume = `  ${bound}${formatMl(volumesMl.get(segmentNumber) ?? 0)}`;
    const room = width - SWATCH - 8 - type.widthOf(volume, 16);
    const text = `${type.shorten(visibleText(segmentLabel), 16, room)}${volume}`;
    const entryWidth = SWATCH + 8 + type.widthOf(text, 16) + 28;
    if (x > 0 && x + entryWidth > width) {
      x = 0;
      row++;
    }
    entries.push({ x: MARGIN + x, row, text, colour: colourOf(labelmap, segmentNumber) });
    x += entryWidth;
  }
  return { entries, height: (row + 1) * LEGEND_ROW };
}

function drawLegend(canvas: Canvas, { entries }: { readonly entries: readonly LegendEntry[] }, top: number): void {
  for (const { x, row, text, colour } of entries) {
    const y = top + row * LEGEND_ROW;
    canvas.fill(x, y + 1, SWATCH, SWATCH, colour);
    canvas.text(x + SWATCH + 8, y - 1, text, { size: 16, colour: bright });
  }
}

/** Small text that can be read on any image. */
function drawOnImage(canvas: Canvas, left: number, top: number, text: string): void {
  for (const [dx, dy] of [
    [-1, 0],
    [1, 0],
    [0, -1],
    [0, 1],
    [1, 1],
  ] as const) {
    canvas.text(left + dx, top + dy, text, { size: 16, colour: [0, 0, 0] });
  }
  canvas.text(left, top, text, { size: 16, colour: bright });
}

/** Between three and six columns, as few empty places as possible, rather wide than tall. */
function chooseColumns(count: number): number {
  if (count <= 4) return count;
  const emptyPlaces = (columns: number): number => Math.ceil(count / columns) * columns - count;
  return [5, 4, 6, 3].reduce((best, columns) => (emptyPlaces(columns) < emptyPlaces(best) ? columns : best));
}

function footerOf({ slices, isCropped }: SheetView, sliceCount: number): string {
  return [
    sliceCount === 1
      ? 'One slice'
      : `${slices.length === sliceCount ? 'All' : `${slices.length} of`} ${sliceCount} slices`,
    ...(isCropped ? ["cropped to the labels' surroundings"] : ['no segment was found']),
    'amber: uncertainty, full width = 1',
    'Research use only',
  ].join(' · ');
}

function colourOf({ segments }: Labelmap, segmentNumber: number): Colour {
  const segment = segments.find((candidate) => candidate.segmentNumber === segmentNumber);
  return segment === undefined ? bright : cielabToColour(segment.recommendedDisplayCIELab);
}

function formatMl(ml: number): string {
  return `${ml.toFixed(ml < 10 ? 2 : 1)} ml`;
}
