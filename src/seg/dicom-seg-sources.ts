import type { Notice, SourceSeries } from '../volume/volume.ts';
import type { DicomDataset } from '../dicom/dicom-dataset.ts';
import { isSegmentation } from './dicom-seg-identity.ts';

/** The one series that a segmentation's images are in; its predecessor is in a series of its own.
 * @returns undefined where it names none, or several */
export function sourceSeriesOf(dataset: DicomDataset): string | undefined {
  const series = dataset
    .items('ReferencedSeriesSequence')
    .filter((item) => {
      const [instance] = item.items('ReferencedInstanceSequence');
      return !isSegmentation(instance?.string('ReferencedSOPClassUID'));
    })
    .map((item) => item.string('SeriesInstanceUID'));
  return new Set(series).size === 1 ? series[0] : undefined;
}

/** A notice if nothing says that a segmentation was made from the reference it is put on: places in the scanner are the
 * same for many patients. Copies with new UIDs, as after de-identification, are no less the same images. */
export function sourceNotices(dataset: DicomDataset, source: SourceSeries | undefined): Notice[] {
  if (source === undefined) return [];
  const named = sourceImagesOf(dataset);
  if (named.size > 0) {
    if (source.instances.some(({ sopInstanceUID }) => named.has(sopInstanceUID))) return [];
    const message =
      `None of the ${named.size} images that the DICOM-SEG was made from is in the reference: it was placed by its ` +
      'position alone. Make sure that both are of the same patient and examination.';
    return [{ code: 'source-not-in-reference', message }];
  }
  const [ofSeg, ofReference] = [dataset.string('PatientID'), source.attributes.PatientID];
  if (!ofSeg || !ofReference || ofSeg === ofReference) return [];
  const message =
    'The DICOM-SEG names no image that it was made from, and its Patient ID is not that of the reference: it was placed ' +
    'by its position alone.';
  return [{ code: 'source-not-in-reference', message }];
}

/** SOP Instance UIDs of all images that frames were derived from or that are referred to (PS3.3 C.7.6.16.2.6, C.12.2). */
function sourceImagesOf(dataset: DicomDataset): Set<string> {
  const groups = [
    ...dataset.items('SharedFunctionalGroupsSequence'),
    ...dataset.items('PerFrameFunctionalGroupsSequence'),
  ];
  const images = [
    ...groups
      .flatMap((group) => group.items('DerivationImageSequence'))
      .flatMap((derivation) => derivation.items('SourceImageSequence')),
    ...dataset.items('ReferencedSeriesSequence').flatMap((series) => series.items('ReferencedInstanceSequence')),
  ];
  return new Set(
    images
      .filter((image) => !isSegmentation(image.string('ReferencedSOPClassUID')))
      .flatMap((image) => image.string('ReferencedSOPInstanceUID') ?? []),
  );
}
