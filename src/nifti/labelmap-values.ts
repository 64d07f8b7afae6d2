import { InputError } from '../errors.ts';
import type { Labelmap } from '../labelmap/labelmap.ts';
import type { Notice, VoxelArray } from '../volume/volume.ts';

/** How far from a whole number a label may be: what interpolation by the nearest neighbour in floats leaves. */
const ROUNDING = 1e-3;
/** Fewer values than this are a labelmap whatever their places. */
const FEW_VALUES = 32;

export interface LabelValues {
  readonly voxels: Labelmap['voxels'];
  readonly notices: readonly Notice[];
}

/** The labels of an image of whole numbers from 0 to 65535, or of numbers within 1e-3 of such, which a notice tells of.
 * An image reads like a labelmap: it is refused where there are many values and most differ from their neighbours, unless
 * the file says that they are labels.
 * @param row voxels of one row, i fastest
 * @throws InputError `not-segmentation` */
export function labelsOf(
  values: VoxelArray,
  { name, row, areLabels }: { readonly name: string; readonly row: number; readonly areLabels: boolean },
): LabelValues {
  let [largest, rounded] = [0, 0];
  for (let index = 0; index < values.length; index++) {
    const value = values[index] ?? 0;
    const label = Math.round(value);
    if (!(Math.abs(value - label) <= ROUNDING) || label < 0 || label > 0xffff) throw notALabel(name, value);
    if (label !== value) rounded++;
    if (label > largest) largest = label;
  }
  const voxels = asLabels(values, largest, rounded > 0);
  if (!areLabels && largest >= FEW_VALUES) assertPieces(voxels, largest, row, name);
  if (rounded === 0) return { voxels, notices: [] };
  const message = `${rounded} values of ${name} are within 0.001 of whole numbers and were rounded to them.`;
  return { voxels, notices: [{ code: 'labels-rounded', message }] };
}

function asLabels(values: VoxelArray, largest: number, isRounded: boolean): Labelmap['voxels'] {
  if (values instanceof Uint8Array || (values instanceof Uint16Array && largest > 0xff)) return values;
  const labels = largest > 0xff ? new Uint16Array(values.length) : new Uint8Array(values.length);
  if (!isRounded) labels.set(values);
  else for (let at = 0; at < values.length; at++) labels[at] = Math.round(values[at] ?? 0);
  return labels;
}

/** Labels come in pieces: along a row, most voxels of a structure are followed by one of the same. */
function assertPieces(voxels: Labelmap['voxels'], largest: number, row: number, name: string): void {
  const isThere = new Uint8Array(largest + 1);
  let [pairs, equal] = [0, 0];
  for (let at = 0; at < voxels.length; at++) {
    const label = voxels[at] ?? 0;
    isThere[label] = 1;
    if (label === 0 || (at + 1) % row === 0) continue;
    pairs++;
    if (voxels[at + 1] === label) equal++;
  }
  const count = isThere.reduce((sum, one) => sum + one, 0);
  if (count <= FEW_VALUES || 2 * equal >= pairs) return;
  const share = Math.round((100 * equal) / pairs);
  throw new InputError(
    'not-segmentation',
    `${name} is an image, not a labelmap: it holds ${count} different values up to ${largest}, and ${share} % of its ` +
      'voxels are followed by an equal one.',
    { remedy: WHAT_IS_NEEDED, details: { file: name, values: count, largest } },
  );
}

const WHAT_IS_NEEDED = 'Give the labelmap of this image: whole numbers that each name a structure, 0 the background.';

function notALabel(name: string, value: number): InputError {
  return new InputError(
    'not-segmentation',
    `${name} is not a labelmap but an image or a map of probabilities: it holds the value ${value}.`,
    { remedy: WHAT_IS_NEEDED, details: { file: name, value } },
  );
}

/** A stack of volumes where one labelmap is needed: usually a mask for every structure (one-hot), else time points. */
export function stackOfMasks(name: string, sizes: readonly number[], volumes: number): InputError {
  return new InputError(
    'not-segmentation',
    `${name} is a stack of ${volumes} volumes (${sizes.join(' × ')}), not a labelmap: it has a mask for every structure ` +
      '(one-hot) or several time points.',
    {
      remedy:
        'Put the masks into one volume whose numbers name the structures, 0 the background; or take one volume out of it.',
      details: { file: name, dimensions: sizes, volumes },
    },
  );
}
