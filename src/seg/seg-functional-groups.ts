import type { SourceInstance, SourceSeries } from '../volume/volume.ts';
import { numberElement, sequenceElement, textElement } from '../dicom/dicom-element.ts';
import { copiedDecimalString } from '../dicom/dicom-values.ts';
import type { SegFrame } from './seg-frames.ts';

/** Encoded element (5200,9230): derivation, dimension indices, position and, of a
 * BINARY one, segment of every frame (PS3.3 C.7.6.16).
 * dcmjs needs 0.85 ms an item; a volume of many organs has thousands. */
export function perFrameFunctionalGroups(frames: readonly SegFrame[], source: SourceSeries): Uint8Array {
  const slices = [...new Set(frames.map((frame) => frame.sliceIndex))].sort((a, b) => a - b);
  const groupsOfSlice = new Map(slices.map((k, rank) => [k, sliceGroups(instanceAt(source, k), rank + 1)]));
  const items = frames.map(({ segmentNumber, sliceIndex }) => {
    const slice = groupsOfSlice.get(sliceIndex);
    if (slice === undefined) throw new RangeError(`no slice ${sliceIndex}`);
    const dimensionIndices = [...(segmentNumber === undefined ? [] : [segmentNumber]), slice.positionIndex];
    return [
      slice.derivation,
      sequenceElement(0x00209111, [[numberElement(0x00209157, 'UL', dimensionIndices)]]),
      slice.position,
      ...(segmentNumber === undefined
        ? []
        : [sequenceElement(0x0062000a, [[numberElement(0x0062000b, 'US', [segmentNumber])]])]),
    ];
  });
  return sequenceElement(0x52009230, items);
}

interface SliceGroups {
  readonly derivation: Uint8Array;
  readonly position: Uint8Array;
  /** Rank, from 1, of the slice among those that have a frame. */
  readonly positionIndex: number;
}

/** What all frames of one slice share. */
function sliceGroups(instance: SourceInstance, positionIndex: number): SliceGroups {
  const sourceImage = [
    textElement(0x00081150, 'UI', instance.sopClassUID),
    textElement(0x00081155, 'UI', instance.sopInstanceUID),
    ...(instance.frameNumber === undefined ? [] : [textElement(0x00081160, 'IS', String(instance.frameNumber))]),
    textElement(0x0028135a, 'CS', 'YES'), // SpatialLocationsPreserved
    sequenceElement(0x0040a170, [code('121322', 'Source image for image processing operation')]),
  ];
  return {
    derivation: sequenceElement(0x00089124, [
      [sequenceElement(0x00082112, [sourceImage]), sequenceElement(0x00089215, [code('113076', 'Segmentation')])],
    ]),
    position: sequenceElement(0x00209113, [
      [textElement(0x00200032, 'DS', instance.imagePositionPatient.map(copiedDecimalString).join('\\'))],
    ]),
    positionIndex,
  };
}

function code(value: string, meaning: string): Uint8Array[] {
  return [
    textElement(0x00080100, 'SH', value),
    textElement(0x00080102, 'SH', 'DCM'),
    textElement(0x00080104, 'LO', meaning),
  ];
}

function instanceAt(source: SourceSeries, sliceIndex: number): SourceInstance {
  const instance = source.instances[sliceIndex];
  if (instance === undefined) throw new RangeError(`no instance of slice ${sliceIndex}`);
  return instance;
}
