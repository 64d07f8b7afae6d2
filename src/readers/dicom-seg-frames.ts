import { InputError } from '../errors.ts';
import type { Vector3, WorldPoint } from '../volume/geometry.ts';
import { damagedFile } from './damaged-file.ts';
import type { DicomDataset } from './dicom-dataset.ts';
import type { DicomKeyword } from './dicom-dictionary.ts';
import { frameCount } from './frame-count.ts';

/** The planes that a segmentation's frames lie in: one orientation and one spacing for all. */
export interface SegPlanes {
  readonly rows: number;
  readonly columns: number;
  /** Image Orientation (Patient), as stored. */
  readonly rowDirection: Vector3;
  readonly columnDirection: Vector3;
  /** mm along a row (i) and along a column (j). */
  readonly spacing: readonly [i: number, j: number];
  /** mm; undefined where the file does not say. */
  readonly spacingBetweenSlices?: number | undefined;
  readonly sliceThickness?: number | undefined;
  readonly frameOfReferenceUID?: string | undefined;
  readonly frames: readonly SegFrame[];
}

export interface SegFrame {
  /** Undefined in a LABELMAP, whose frames hold all segments. */
  readonly segmentNumber?: number;
  /** Centre of the first voxel, LPS mm. */
  readonly position: WorldPoint;
  /** The image the frame was derived from, if it names just one. */
  readonly sourceSOPInstanceUID?: string | undefined;
  /** 1-based frame of a multi-frame source. */
  readonly sourceFrameNumber?: number | undefined;
}

/** Reads the functional groups of a segmentation; a group may be shared or each frame's own (PS3.3 C.7.6.16).
 * @throws InputError `missing-attribute`, `damaged-file`; `unsupported-segmentation` if the planes differ */
export function readSegFrames(
  dataset: DicomDataset,
  { name, isLabelmap }: { readonly name: string; readonly isLabelmap: boolean },
): SegPlanes {
  const [shared] = dataset.items('SharedFunctionalGroupsSequence');
  const groups = dataset.items('PerFrameFunctionalGroupsSequence');
  const rows = required(dataset.number('Rows'), 'Rows');
  const columns = required(dataset.number('Columns'), 'Columns');
  const count = frameCount(dataset);
  if (groups.length !== count || count < 1) {
    throw damagedFile(name, `it says that it has ${count} frames, and describes ${groups.length}`);
  }
  const group = (frame: DicomDataset, keyword: DicomKeyword): DicomDataset | undefined =>
    frame.items(keyword)[0] ?? shared?.items(keyword)[0];

  const shapes = new Map<string, { orientation: number[]; pixelSpacing: number[]; measures: DicomDataset }>();
  const frames = groups.map((frame): SegFrame => {
    const orientationGroup = group(frame, 'PlaneOrientationSequence');
    const measures = required(group(frame, 'PixelMeasuresSequence'), 'PixelMeasuresSequence');
    const key = `${orientationGroup?.text('ImageOrientationPatient') ?? ''}|${measures.text('PixelSpacing') ?? ''}`;
    if (!shapes.has(key)) {
      const orientation = finite(orientationGroup, 'ImageOrientationPatient', 6);
      shapes.set(key, { orientation, pixelSpacing: finite(measures, 'PixelSpacing', 2), measures });
    }
    const position = finite(group(frame, 'PlanePositionSequence'), 'ImagePositionPatient', 3);
    const segment = group(frame, 'SegmentIdentificationSequence')?.number('ReferencedSegmentNumber');
    return {
      ...(!isLabelmap && { segmentNumber: required(segment, 'ReferencedSegmentNumber') }),
      position: vector(position, 0),
      ...sourceOf(frame),
    };
  });
  const [shape] = shapes.values();
  if (shape === undefined || shapes.size > 1) {
    throw new InputError(
      'unsupported-segmentation',
      `The DICOM-SEG has frames in ${shapes.size} orientations or spacings.`,
      {
        remedy: 'Export one segmentation for each orientation.',
      },
    );
  }
  const { orientation, pixelSpacing, measures } = shape;
  return {
    rows,
    columns,
    rowDirection: vector(orientation, 0),
    columnDirection: vector(orientation, 3),
    spacing: [pixelSpacing[1] ?? 0, pixelSpacing[0] ?? 0],
    spacingBetweenSlices: positive(measures.number('SpacingBetweenSlices')),
    sliceThickness: positive(measures.number('SliceThickness')),
    frameOfReferenceUID: dataset.string('FrameOfReferenceUID'),
    frames,
  };
}

function sourceOf(frame: DicomDataset): Pick<SegFrame, 'sourceSOPInstanceUID' | 'sourceFrameNumber'> {
  const images = frame
    .items('DerivationImageSequence')
    .flatMap((derivation) => derivation.items('SourceImageSequence'));
  const [image] = images;
  if (image === undefined || images.length > 1) return {};
  return {
    sourceSOPInstanceUID: image.string('ReferencedSOPInstanceUID'),
    sourceFrameNumber: image.number('ReferencedFrameNumber'),
  };
}

function finite(group: DicomDataset | undefined, keyword: DicomKeyword, count: number): number[] {
  const values = required(group, keyword).numbers(keyword);
  if (values.length === count && values.every(Number.isFinite)) return values;
  throw new InputError('invalid-attribute', `The DICOM-SEG's ${keyword} has not ${count} numbers.`, {
    remedy: 'Export the segmentation again.',
  });
}

function required<T>(value: T | undefined, keyword: DicomKeyword): T {
  if (value !== undefined) return value;
  throw new InputError('missing-attribute', `The DICOM-SEG lacks ${keyword}.`, {
    remedy: 'Export the segmentation again, with its functional groups.',
    details: { keyword },
  });
}

function positive(value: number | undefined): number | undefined {
  return value !== undefined && value > 0 ? value : undefined;
}

function vector(values: readonly number[], at: number): Vector3 {
  return [values[at] ?? NaN, values[at + 1] ?? NaN, values[at + 2] ?? NaN];
}
