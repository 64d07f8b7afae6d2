import { type DicomAttributes, elementHeader, encodePart10 } from '../../src/dicom/write-dicom.ts';
import { encapsulated as encapsulatedPixels } from './part10.ts';
import { segDataset } from '../../src/seg/seg-dataset.ts';
import { findFrames, packedByteLength, packFrames, perFrameFunctionalGroups } from '../../src/seg/seg-frames.ts';
import type { Labelmap } from '../../src/labelmap/labelmap.ts';
import { EXPLICIT_LITTLE_ENDIAN } from '../../src/dicom/transfer-syntaxes.ts';
import type { SourceSeries } from '../../src/volume/volume.ts';
import { obliqueGeometry, seriesOn, testLabelmap, testProvenance, testSegments, testUid } from './labelled-series.ts';

export interface SegOddities {
  readonly source?: SourceSeries;
  /** The frames in the file, in their order. */
  readonly frames?: ReturnType<typeof findFrames>;
  readonly attributes?: (usual: DicomAttributes) => DicomAttributes;
  /** Pixel data in place of the packed bits. */
  readonly pixels?: Uint8Array;
  /** Packed bits of each frame, on bytes of its own, compressed. */
  readonly encapsulated?: { readonly transferSyntaxUID: string; readonly encode: (bits: Uint8Array) => Uint8Array };
}

/** A segmentation as another writer might have made it: what a BINARY one of ours would be, but for its oddities. */
export async function segFile(labelmap: Labelmap, odd: SegOddities = {}): Promise<Buffer> {
  const source = odd.source ?? seriesOn(labelmap.geometry);
  const frames = odd.frames ?? findFrames(labelmap);
  const usual = segDataset(labelmap, source, {
    origin: testProvenance,
    contentLabel: 'TEST',
    seriesDescription: 'test',
    seriesNumber: 1,
    instanceNumber: 1,
    now: new Date(0),
    sopInstanceUID: testUid(10),
    seriesInstanceUID: testUid(11),
    dimensionOrganizationUID: testUid(12),
    pixels: { segmentationType: 'BINARY', bitsAllocated: 1, frames },
  });
  const packed = new Uint8Array(packedByteLength(labelmap, frames.length));
  packFrames(labelmap, frames, packed);
  const pixels = odd.pixels ?? packed;
  const transferSyntaxUID = odd.encapsulated?.transferSyntaxUID ?? EXPLICIT_LITTLE_ENDIAN;
  return Buffer.concat([
    await encodePart10(odd.attributes?.(usual) ?? usual, { transferSyntaxUID, implementationVersionName: 'TEST' }),
    perFrameFunctionalGroups(frames, source),
    ...(odd.encapsulated === undefined
      ? [elementHeader(0x7fe00010, 'OB', pixels.length), pixels]
      : encapsulatedPixels(frames.map((frame) => odd.encapsulated?.encode(packedAlone(labelmap, frame)) ?? pixels))),
  ]);
}

function packedAlone(
  { geometry: { dimensions }, voxels }: Labelmap,
  { segmentNumber, sliceIndex }: ReturnType<typeof findFrames>[number],
): Uint8Array {
  const size = dimensions[0] * dimensions[1];
  const bits = new Uint8Array(Math.ceil(size / 8));
  for (let at = 0; at < size; at++) {
    if (voxels[sliceIndex * size + at] === segmentNumber) bits[at >> 3] = (bits[at >> 3] ?? 0) | (1 << (at & 7));
  }
  return bits;
}

/** Two segments on one slice of 8 × 3 voxels: the first has voxels 0 to 9, the second 4 to 15. */
export function overlappingSegFile(): Promise<Buffer> {
  const labelmap = testLabelmap([0], { geometry: obliqueGeometry([8, 3, 1]), segments: testSegments(2) });
  return segFile(labelmap, { pixels: new Uint8Array([0xff, 0x03, 0x00, 0xf0, 0xff, 0x00]) });
}
