import { InputError } from '../errors.ts';
import type { Vector3, WorldPoint } from '../volume/geometry.ts';
import { damagedFile } from '../io/read-limits.ts';
import type { DicomDataset } from '../dicom/dicom-dataset.ts';
import type { DicomKeyword } from '../dicom/dicom-dictionary.ts';
import { frameCount } from '../dicom/functional-groups.ts';

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
  readonly frames: readonly StoredSegFrame[];
}

export interface StoredSegFrame {
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

  // As text, which is the same in most files, so that numbers are compared but where the text differs.
  const shapes = new Map<string, PlaneShape>();
  const frames = groups.map((frame): StoredSegFrame => {
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
  const [shape, another] = differentShapes([...shapes.values()]);
  if (shape === undefined || another !== undefined) {
    throw new InputError(
      'unsupported-segmentation',
      'The DICOM-SEG has frames in several orientations or spacings, which are no one grid' +
        `${shape === undefined || another === undefined ? '' : `: ${describeShape(shape)} and ${describeShape(another)}`}.`,
      { remedy: 'Export one segmentation for each orientation.' },
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

interface PlaneShape {
  readonly orientation: readonly number[];
  readonly pixelSpacing: readonly number[];
  readonly measures: DicomDataset;
}

/** Cosines that differ by less are one orientation: over 1,000 voxels it moves the last one by a tenth. */
const COSINE_TOLERANCE = 1e-4;
/** Parts of a spacing that are rounding; as above. */
const SPACING_TOLERANCE = 1e-4;

/** The first of the shapes, and one that differs from it by more than writers round, if there is one. */
function differentShapes([first, ...others]: readonly PlaneShape[]): PlaneShape[] {
  if (first === undefined) return [];
  const another = others.find(
    ({ orientation, pixelSpacing }) =>
      orientation.some((cosine, at) => Math.abs(cosine - (first.orientation[at] ?? NaN)) > COSINE_TOLERANCE) ||
      pixelSpacing.some((mm, at) => Math.abs(mm / (first.pixelSpacing[at] ?? NaN) - 1) > SPACING_TOLERANCE),
  );
  return another === undefined ? [first] : [first, another];
}

function describeShape({ orientation, pixelSpacing }: PlaneShape): string {
  return `(${orientation.map((cosine) => Number(cosine.toFixed(4))).join(', ')}) with ${pixelSpacing.join(' × ')} mm`;
}

function sourceOf(frame: DicomDataset): Pick<StoredSegFrame, 'sourceSOPInstanceUID' | 'sourceFrameNumber'> {
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
  throw new InputError('invalid-attribute', `The DICOM-SEG's ${keyword} does not have ${count} numbers.`, {
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
