import { BitReader, type JpegImage } from './jpeg-segments.ts';

/** Decodes a lossless JPEG image of one component (process 14, every predictor).
 * @returns rows · columns samples
 * @throws Error with the reason if it is damaged
 * @see ITU T.81 annex H */
export function decodeLosslessJpeg({
  frame: { rows, columns, bits },
  dcTable,
  selection,
  pointTransform,
  restartInterval,
  intervals,
}: JpegImage): Uint16Array {
  if (bits < 2 || bits > 16 || pointTransform >= bits) throw new Error(`it has samples of ${bits} bits`);
  if (selection < 1 || selection > 7) throw new Error(`it names the unknown predictor ${selection}`);
  if (restartInterval % columns !== 0) throw new Error('its restart markers do not end a line');
  const linesEach = restartInterval === 0 ? rows : restartInterval / columns;
  if (intervals.length < Math.ceil(rows / linesEach)) throw new Error('it ends within its pixels');

  const samples = new Uint16Array(rows * columns);
  const first = 1 << (bits - pointTransform - 1);
  for (let row = 0, n = 0; row < rows; n++) {
    const reader = new BitReader(intervals[n] ?? new Uint8Array(0));
    const end = Math.min(row + linesEach, rows);
    decodeLine(samples, row * columns, columns, first, 1, dcTable, reader);
    for (row++; row < end; row++) {
      const at = row * columns;
      decodeLine(samples, at, columns, samples[at - columns] ?? 0, selection, dcTable, reader);
    }
    if (reader.isPastEnd) throw new Error('it ends within its pixels');
  }
  if (pointTransform > 0) samples.forEach((sample, at) => (samples[at] = sample << pointTransform));
  return samples;
}

/** @param predicted the prediction of the line's first sample */
function decodeLine(
  samples: Uint16Array,
  start: number,
  columns: number,
  predicted: number,
  selection: number,
  table: Uint16Array,
  reader: BitReader,
): void {
  // The array is 16 bits wide, as the arithmetic is: modulo 2¹⁶ (H.1.2.1).
  let left = predicted + nextDifference(table, reader);
  samples[start] = left;
  if (selection === 1) {
    for (let at = start + 1; at < start + columns; at++) {
      left += nextDifference(table, reader);
      samples[at] = left;
    }
    return;
  }
  for (let at = start + 1; at < start + columns; at++) {
    const above = samples[at - columns] ?? 0;
    const aboveLeft = samples[at - columns - 1] ?? 0;
    left = predict(selection, samples[at - 1] ?? 0, above, aboveLeft) + nextDifference(table, reader);
    samples[at] = left;
  }
}

function nextDifference(table: Uint16Array, reader: BitReader): number {
  const size = reader.symbol(table);
  if (size === 0) return 0;
  return size < 16 ? reader.difference(size) : 32768;
}

function predict(selection: number, left: number, above: number, aboveLeft: number): number {
  switch (selection) {
    case 2:
      return above;
    case 3:
      return aboveLeft;
    case 4:
      return left + above - aboveLeft;
    case 5:
      return left + ((above - aboveLeft) >> 1);
    case 6:
      return above + ((left - aboveLeft) >> 1);
    default:
      return (left + above) >> 1;
  }
}
