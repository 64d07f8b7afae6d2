import type { DicomDataset } from '../dicom/dicom-dataset.ts';

export const SEGMENTATION_STORAGE = '1.2.840.10008.5.1.4.1.1.66.4';
export const LABELMAP_SEGMENTATION_STORAGE = '1.2.840.10008.5.1.4.1.1.66.7';

/** A stored segmentation, as another one refers to it. */
export interface SegInstance {
  readonly sopClassUID: string;
  readonly sopInstanceUID: string;
  readonly seriesInstanceUID: string;
}

/** What a segmentation says of itself: who corrects it goes on from here. */
export interface SegIdentity extends SegInstance {
  readonly instanceNumber?: number;
  readonly seriesNumber?: number;
  readonly seriesDescription?: string;
  readonly contentLabel?: string;
  /** SOP Instance UID of the segmentation that this one corrects. */
  readonly predecessorSOPInstanceUID?: string;
}

export function readSegIdentity(dataset: DicomDataset): SegIdentity {
  const [instanceNumber, seriesNumber] = [dataset.number('InstanceNumber'), dataset.number('SeriesNumber')];
  const [seriesDescription, contentLabel] = [dataset.string('SeriesDescription'), dataset.string('ContentLabel')];
  const predecessor = dataset
    .items('ReferencedInstanceSequence')
    .find((item) => isSegmentation(item.string('ReferencedSOPClassUID')))
    ?.string('ReferencedSOPInstanceUID');
  return {
    sopClassUID: sopClassOf(dataset),
    sopInstanceUID: dataset.string('SOPInstanceUID') ?? '',
    seriesInstanceUID: dataset.string('SeriesInstanceUID') ?? '',
    ...(instanceNumber !== undefined && { instanceNumber }),
    ...(seriesNumber !== undefined && { seriesNumber }),
    ...(seriesDescription !== undefined && { seriesDescription }),
    ...(contentLabel !== undefined && { contentLabel }),
    ...(predecessor !== undefined && { predecessorSOPInstanceUID: predecessor }),
  };
}

export function sopClassOf(dataset: DicomDataset): string {
  return dataset.string('SOPClassUID') ?? dataset.string('MediaStorageSOPClassUID') ?? '';
}

export function isSegmentation(sopClassUID: string | undefined): boolean {
  return sopClassUID === SEGMENTATION_STORAGE || sopClassUID === LABELMAP_SEGMENTATION_STORAGE;
}
