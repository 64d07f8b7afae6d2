import { InputError } from '../errors.ts';
import type { DicomSegOptions } from '../seg/encode-dicom-seg.ts';
import type { Labelmap, Segment } from '../labelmap/labelmap.ts';
import { parseDicom } from '../dicom/read-dicom.ts';
import { readSegIdentity, readSegments, type SegIdentity } from '../seg/dicom-seg-segments.ts';
import { readDicomSeg, type ReadDicomSegOptions } from '../seg/read-dicom-seg.ts';
import type { Notice, SourceSeries } from '../volume/volume.ts';

/** Labels on their way out of a viewer: encoded, and compared with what comes back. */
export interface LabelmapExport {
  /** Labels that occur, ascending, without background. */
  labels(): number[];
  /** Reads the stored segmentation that the labels were opened from.
   * @throws InputError if it is none */
  compareWithStored(seg: Uint8Array<ArrayBuffer>): Promise<StoredComparison>;
  /** Encodes and verifies. Segments are numbered as the labels; where a format wants 1, 2, 3 …, they are renumbered in
   * their order.
   * @throws InputError if the format cannot hold the labels; InternalError `verification-failed` */
  encode(segments: readonly Segment[], format: ExportFormat): Promise<EncodedLabelmap>;
  /** Compares a file that came back from an archive with what `encode` was given last.
   * @returns what the file says of itself
   * @throws InternalError `verification-failed` naming the first difference */
  verifyStored(seg: Uint8Array<ArrayBuffer>): Promise<SegIdentity>;
  /** Whether other labels are the same, voxel by voxel. */
  equals(voxels: Labelmap['voxels']): boolean;
}

/** A stored segmentation, and what has changed since. */
export interface StoredComparison {
  readonly identity: SegIdentity;
  readonly segments: readonly Segment[];
  readonly warnings: readonly Notice[];
  /** Labels whose voxels are not those of the segments of the same numbers, ascending; undefined where the two cannot be
   * compared: stored segments overlap or are probabilities, or lie on another grid. */
  readonly changed?: readonly number[];
}

export type ExportFormat =
  | ({ readonly kind: 'dicom-seg' } & Omit<DicomSegOptions, 'createUid'>)
  | { readonly kind: 'nifti'; readonly gzip: boolean };

interface EncodedLabelmap {
  readonly parts: readonly Uint8Array<ArrayBuffer>[];
  /** Of a DICOM-SEG. */
  readonly instance?: Readonly<Record<'studyInstanceUID' | 'seriesInstanceUID' | 'sopInstanceUID', string>>;
}

/** Labels on a grid, and the DICOM series that it is the grid of. */
export interface LabelsToExport extends Omit<Labelmap, 'segments'> {
  readonly source?: SourceSeries;
}

/** @param labels are kept: nothing may write to them any more */
export function createLabelmapExport({ geometry, voxels, source }: LabelsToExport): LabelmapExport {
  let written: { readonly labelmap: Labelmap; readonly format: ExportFormat } | undefined;
  const verify = async (parts: readonly Uint8Array[]): Promise<void> => {
    if (written === undefined) throw new TypeError('nothing was encoded');
    const { verifyDicomSeg, verifyNifti } = await import('../verify.ts');
    if (written.format.kind === 'dicom-seg') await verifyDicomSeg(parts, written.labelmap, requireSource(source));
    else for (const part of parts) await verifyNifti(part, written.labelmap);
  };
  return {
    labels() {
      const seen = new Uint8Array(LABEL_COUNT);
      for (let at = 0; at < voxels.length; at++) seen[voxels[at] ?? 0] = 1;
      return labelsIn(seen);
    },
    async compareWithStored(seg) {
      const dataset = parseDicom(seg, 'The stored segmentation');
      const described = { identity: readSegIdentity(dataset), ...readSegments(dataset) };
      const stored = await readOnGrid(seg, { geometry, ...(source && { source }) });
      return stored === undefined ? described : { ...described, changed: changedLabels(stored, voxels) };
    },
    async encode(segments, format) {
      const labelmap = needsConsecutive(format)
        ? renumbered({ geometry, voxels, segments })
        : { geometry, voxels, segments };
      const encoded = await encode(labelmap, source, format);
      written = { labelmap, format };
      await verify(encoded.parts);
      return encoded;
    },
    async verifyStored(seg) {
      await verify([seg]);
      return readSegIdentity(parseDicom(seg, 'The stored segmentation'));
    },
    equals: (others) => others.length === voxels.length && voxels.every((label, at) => label === others[at]),
  };
}

const LABEL_COUNT = 0x1_0000;

function labelsIn(flags: Uint8Array): number[] {
  return [...flags.keys()].filter((label) => label > 0 && flags[label] === 1);
}

function changedLabels(before: Labelmap['voxels'], now: Labelmap['voxels']): number[] {
  const changed = new Uint8Array(LABEL_COUNT);
  for (let at = 0; at < now.length; at++) {
    const [old, label] = [before[at] ?? 0, now[at] ?? 0];
    if (old !== label) changed[old] = changed[label] = 1;
  }
  return labelsIn(changed);
}

async function readOnGrid(
  storedSeg: Uint8Array,
  reference: NonNullable<ReadDicomSegOptions['reference']>,
): Promise<Labelmap['voxels'] | undefined> {
  try {
    return (await readDicomSeg(storedSeg, { reference })).labelmap.voxels;
  } catch (error) {
    if (error instanceof InputError) return undefined;
    throw error;
  }
}

/** BINARY numbers its segments 1, 2, 3 … (PS3.3 C.8.20.4). */
function needsConsecutive(format: ExportFormat): boolean {
  return format.kind === 'dicom-seg' && format.segType !== 'labelmap';
}

/** Segments numbered from 1 without gaps, in their order, and the labels with them; a viewer leaves gaps where a segment
 * was removed. */
function renumbered(labelmap: Labelmap): Labelmap {
  const ordered = [...labelmap.segments].sort((a, b) => a.segmentNumber - b.segmentNumber);
  if (ordered.every(({ segmentNumber }, at) => segmentNumber === at + 1)) return labelmap;
  const numberOf = new Uint16Array(LABEL_COUNT);
  ordered.forEach(({ segmentNumber }, at) => (numberOf[segmentNumber] = at + 1));
  const voxels = labelmap.voxels.map((label) => numberOf[label] ?? 0);
  const lost = voxels.findIndex((label, at) => label === 0 && labelmap.voxels[at] !== 0);
  if (lost >= 0) {
    throw new InputError('invalid-voxels', `Label ${labelmap.voxels[lost] ?? 0} has no segment.`, {
      remedy: 'Describe a segment for every label.',
    });
  }
  return {
    ...labelmap,
    voxels,
    segments: ordered.map((segment, at) => ({ ...segment, segmentNumber: at + 1 })),
  };
}

async function encode(
  labelmap: Labelmap,
  source: SourceSeries | undefined,
  format: ExportFormat,
): Promise<EncodedLabelmap> {
  if (format.kind === 'nifti') {
    const { encodeNiftiLabelmap } = await import('../nifti/encode-nifti.ts');
    return { parts: [await encodeNiftiLabelmap(labelmap, format)] };
  }
  const { encodeDicomSeg } = await import('../seg/encode-dicom-seg.ts');
  const origin = requireSource(source);
  const { parts, sopInstanceUID, seriesInstanceUID } = await encodeDicomSeg(labelmap, origin, format);
  return { parts, instance: { studyInstanceUID: origin.studyInstanceUID, seriesInstanceUID, sopInstanceUID } };
}

/** @throws InputError `source-without-identity` */
function requireSource(source: SourceSeries | undefined): SourceSeries {
  if (source !== undefined) return source;
  throw new InputError('source-without-identity', 'The images have no UIDs that a DICOM-SEG could refer to.', {
    remedy: 'Download a NIfTI labelmap.',
  });
}
