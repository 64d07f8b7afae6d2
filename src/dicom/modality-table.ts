import { InputError } from '../errors.ts';
import type { DicomDataset } from './dicom-dataset.ts';

/** Maps stored values to modality values where a slope and an intercept do not (PS3.3 C.11.1). */
export interface ModalityTable {
  /** Stored value of the first entry; smaller ones take the first, larger ones the last entry. */
  readonly firstValue: number;
  readonly entries: Uint16Array;
}

/** Reads the Modality LUT of an image; undefined if it has none, or one without entries beside a slope, which then counts.
 * @param isSigned whether stored values are, which the table's first value then is too
 * @throws InputError `invalid-attribute` */
export function readModalityTable(dataset: DicomDataset, isSigned: boolean, name: string): ModalityTable | undefined {
  const [table] = dataset.items('ModalityLUTSequence');
  if (table === undefined) return undefined;
  if (!table.has('LUTData') && dataset.has('RescaleSlope')) return undefined;
  const [length = 0, first = 0, bits = 0] = table.numbers('LUTDescriptor');
  const data = table.bytes('LUTData');
  const count = length === 0 ? 0x10000 : length;
  const values = table.numbers('LUTData');
  // Tables of 8 bits are stored a byte or a word an entry; bytes then come in words.
  const isBytes = data?.length === count + (count % 2) && bits <= 8;
  const entries = isBytes ? Uint16Array.from(data.subarray(0, count)) : Uint16Array.from(values.slice(0, count));
  if (entries.length !== count || bits < 1 || bits > 16) {
    throw new InputError(
      'invalid-attribute',
      `${name} has no usable Modality LUT: ${entries.length} of ${count} entries.`,
      {
        remedy: 'Export the series with a rescale slope and intercept.',
        details: { file: name, attribute: 'ModalityLUTSequence' },
      },
    );
  }
  return { firstValue: isSigned && first > 0x7fff ? first - 0x10000 : first, entries };
}
