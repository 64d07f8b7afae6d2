import type { Notice, SourceSeries, Volume } from '../volume/volume.ts';
import type { DicomDataset } from '../dicom/dicom-dataset.ts';
import { isSegmentation } from './dicom-seg-segments.ts';
import { InputError } from '../errors.ts';
import type { Labelmap } from '../labelmap/labelmap.ts';
import { indexToWorld, type VolumeGeometry } from '../volume/geometry.ts';

/** The one series that a segmentation's images are in; its predecessor is in a series of its own.
 * @returns undefined where it names none, or several */
export function referencedSeriesUID(dataset: DicomDataset): string | undefined {
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

/** The series that a DICOM-SEG of this volume refers to; cheap, so that it can be asked before any inference.
 * @throws InputError `source-not-dicom` for a NIfTI volume; `source-without-identity` if the files have no UIDs */
export function segSourceOf(volume: Volume): SourceSeries {
  if (volume.source !== undefined) {
    assertIdentity(volume.source);
    return volume.source;
  }
  // Every DICOM image has a modality (type 1); NIfTI has no place for one.
  if (volume.modality !== undefined) throw withoutIdentity();
  throw new InputError('source-not-dicom', 'A DICOM-SEG refers to DICOM images, and this input is none.', {
    remedy: 'Write a NIfTI labelmap (.nii.gz), or name a DICOM series on the same grid as reference.',
    details: { option: 'reference' },
  });
}

/** @throws InputError `source-without-identity` if a UID that a DICOM-SEG must refer to is empty */
export function assertIdentity(source: SourceSeries): void {
  const uids = [
    source.studyInstanceUID,
    source.seriesInstanceUID,
    ...source.instances.flatMap((instance) => [instance.sopClassUID, instance.sopInstanceUID]),
  ];
  if (source.instances.length === 0 || uids.some((uid) => uid === '')) throw withoutIdentity();
}

/** @throws InputError `geometry-mismatch` unless the labelmap lies on the slices of the source, one instance or frame each */
export function assertOnSourceGrid({ geometry, voxels }: Labelmap, source: SourceSeries): void {
  const [columns, rows, slices] = geometry.dimensions;
  if (voxels.length !== columns * rows * slices) {
    throw mismatch(`it has ${voxels.length} voxels, its grid ${columns} × ${rows} × ${slices}`);
  }
  if (source.instances.length !== slices || source.instances.some(({ sliceIndex }, k) => sliceIndex !== k)) {
    throw mismatch(`it has ${slices} slices, the series ${source.instances.length}`);
  }
  // Images that a volume was interpolated between are no grid: the labelmap was put on them one by one.
  if (source.interpolated !== undefined) return;
  const distance = distanceFromSourceMm(geometry, source);
  // A regular series may stray from its mean gap by some percent; a wrong grid is off by half a voxel or more.
  const tolerance = 0.1 * Math.min(...geometry.spacing);
  if (!(distance <= tolerance)) {
    throw mismatch(
      `they are up to ${distance.toPrecision(3)} mm apart, at most ${tolerance.toPrecision(2)} mm is allowed`,
    );
  }
}

/** Largest distance in mm between a corner of the labelmap's slices and the same corner by the source's own attributes. */
function distanceFromSourceMm(geometry: VolumeGeometry, source: SourceSeries): number {
  const [columns, rows] = geometry.dimensions;
  const [xi, yi, zi, xj, yj, zj] = source.imageOrientationPatient.map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const [rowSpacing, columnSpacing] = source.pixelSpacing.map(Number) as [number, number];
  const corners = [0, 1, 2, 3].map((c) => [c & 1 ? columns - 1 : 0, c & 2 ? rows - 1 : 0] as const);
  return Math.max(
    ...source.instances.flatMap(({ imagePositionPatient, sliceIndex }) => {
      const [x, y, z] = imagePositionPatient.map(Number) as [number, number, number];
      return corners.map(([i, j]) => {
        const [u, v] = [i * columnSpacing, j * rowSpacing];
        const point = indexToWorld(geometry, [i, j, sliceIndex]);
        return Math.hypot(
          x + u * xi + v * xj - point[0],
          y + u * yi + v * yj - point[1],
          z + u * zi + v * zj - point[2],
        );
      });
    }),
  );
}

function mismatch(how: string): InputError {
  return new InputError('geometry-mismatch', `The labelmap is not on the grid of the DICOM series: ${how}.`, {
    remedy: 'Give the DICOM series that the labelmap was made from.',
  });
}

function withoutIdentity(): InputError {
  return new InputError('source-without-identity', 'The DICOM files have no UIDs that a DICOM-SEG could refer to.', {
    remedy: 'Write a NIfTI labelmap (.nii.gz), or use the files as the scanner or the archive gave them.',
  });
}
