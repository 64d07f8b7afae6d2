import * as core from '@cornerstonejs/core';
import * as tools from '@cornerstonejs/tools';
import type { CornerstoneHost } from '../../extension/cornerstone/index.ts';
import type { NaturalisedAttributes } from '../../src/dicom/write-dicom.ts';
import type { VolumeGeometry } from '../../src/volume/geometry.ts';
import { seriesOn } from './labelled-series.ts';

export const host: CornerstoneHost = { core, tools };

/** A page that draws at 60 Hz. */
Object.assign(globalThis, {
  requestAnimationFrame: (draw: FrameRequestCallback) => setTimeout(draw, 16),
});

export interface SeriesOptions {
  readonly geometry: VolumeGeometry;
  /** Stored values, i fastest. */
  readonly stored: Int16Array;
  readonly slope?: number;
  readonly intercept?: number;
  /** Whether the page turns them into modality values when it loads them. */
  readonly scaled?: boolean;
  /** Whether a provider has the whole data set, or only modules. */
  readonly whole?: boolean;
  /** The order of the images in the page's list: image n shows slice order[n]. */
  readonly order?: readonly number[];
  /** Other attributes for slice k. */
  readonly change?: (k: number) => NaturalisedAttributes;
}

let seriesCount = 0;

/** A series as a page of Cornerstone3D has it: images that a loader gives, metadata from a provider.
 * @returns the images' ids, in `order` */
export function addSeries(options: SeriesOptions): string[] {
  const { geometry, stored, slope = 1, intercept = 0, scaled = true, whole = true, change } = options;
  const [columns, rows, slices] = geometry.dimensions;
  const order = options.order ?? Array.from({ length: slices }, (_, k) => k);
  const scheme = `test${++seriesCount}`;
  const sliceOf = (imageId: string): number => Number(imageId.slice(scheme.length + 1));

  core.imageLoader.registerImageLoader(scheme, (imageId) => {
    const k = sliceOf(imageId);
    const slice = stored.slice(k * rows * columns, (k + 1) * rows * columns);
    const pixels = scaled ? Float32Array.from(slice, (value) => value * slope + intercept) : slice;
    return { promise: Promise.resolve(imageOf(imageId, pixels, geometry, scaled)) };
  });
  core.metaData.addProvider((type: string, imageId: unknown) => {
    if (typeof imageId !== 'string' || !imageId.startsWith(`${scheme}:`)) return undefined;
    const k = sliceOf(imageId);
    const instance = { ...instanceOf(geometry, k, slope, intercept), ...change?.(k) };
    if (type === 'instance') return whole ? instance : undefined;
    return modulesOf(instance, geometry)[type];
  });
  return order.map((k) => `${scheme}:${k}`);
}

let segmentationCount = 0;

/** A segmentation without labels, whose images are in another order than the series'. */
export function addSegmentation(imageIds: readonly string[], segmentNumbers: readonly number[] = [1, 2, 3]): string {
  const segmentationId = `segmentation-${++segmentationCount}`;
  const referencedImageIds = [...imageIds].reverse();
  const images = core.imageLoader.createAndCacheDerivedLabelmapImages(referencedImageIds);
  tools.segmentation.addSegmentations([
    {
      segmentationId,
      representation: {
        type: tools.Enums.SegmentationRepresentations.Labelmap,
        data: { imageIds: images.map(({ imageId }) => imageId), referencedImageIds },
      },
      config: {
        segments: Object.fromEntries(
          segmentNumbers.map((n) => [
            n,
            { segmentIndex: n, label: `Segment ${n}`, locked: false, active: n === 1, cachedStats: {} },
          ]),
        ),
      },
    },
  ]);
  return segmentationId;
}

/** The labels that the page keeps for the image of a series: what any of its tools would change. */
export function pageLabels(segmentationId: string, imageId: string): Uint8Array {
  const { imageIds = [] } = tools.segmentation.state.getSegmentation(segmentationId)?.representationData.Labelmap ?? {};
  for (const labelmapImageId of imageIds) {
    const image = core.cache.getImage(labelmapImageId);
    const labels = image?.referencedImageId === imageId ? image.voxelManager?.getScalarData() : undefined;
    if (labels instanceof Uint8Array) return labels;
  }
  throw new Error(`${segmentationId} has no labels for ${imageId}`);
}

/** What a tool does: changes labels, and tells so; which slices it names is of little use. */
export function edit(segmentationId: string, imageId: string, change: (labels: Uint8Array) => void): void {
  const labels = pageLabels(segmentationId, imageId);
  const before = labels.slice();
  change(labels);
  const after = labels.slice();
  const restore = (to: Uint8Array): void => {
    labels.set(to);
    tell();
  };
  const tell = (): void => {
    tools.segmentation.triggerSegmentationEvents.triggerSegmentationDataModified(segmentationId, [0]);
  };
  core.utilities.HistoryMemo.DefaultHistoryMemo.push({
    id: 'edit',
    operationType: 'labelmap',
    restoreMemo: (isUndo) => {
      restore(isUndo === false ? after : before);
    },
  });
  tell();
}

export const history = core.utilities.HistoryMemo.DefaultHistoryMemo;

type Image = NonNullable<ReturnType<typeof core.cache.getImage>>;

function imageOf(
  imageId: string,
  pixels: Int16Array | Float32Array,
  { dimensions, spacing }: VolumeGeometry,
  scaled: boolean,
): Image {
  const [width, height] = dimensions;
  return {
    imageId,
    rows: height,
    columns: width,
    height,
    width,
    columnPixelSpacing: spacing[0],
    rowPixelSpacing: spacing[1],
    minPixelValue: Math.min(...pixels),
    maxPixelValue: Math.max(...pixels),
    slope: 1,
    intercept: 0,
    windowCenter: 0,
    windowWidth: 400,
    voiLUTFunction: core.Enums.VOILUTFunctionType.LINEAR,
    preScale: { enabled: scaled, scaled },
    getPixelData: () => pixels,
    getCanvas: () => document.createElement('canvas'),
    color: false,
    rgba: false,
    numberOfComponents: 1,
    invert: false,
    sizeInBytes: pixels.byteLength,
    dataType: pixels instanceof Float32Array ? 'Float32Array' : 'Int16Array',
    imageFrame: {} as NonNullable<Image['imageFrame']>,
  };
}

function instanceOf(geometry: VolumeGeometry, k: number, slope: number, intercept: number): NaturalisedAttributes {
  const source = seriesOn(geometry);
  const numbers = (strings: readonly string[] = []): number[] => strings.map(Number);
  return {
    ...source.attributes,
    PatientName: [{ Alphabetic: source.attributes.PatientName }],
    SOPClassUID: source.instances[k]?.sopClassUID,
    SOPInstanceUID: source.instances[k]?.sopInstanceUID,
    StudyInstanceUID: source.studyInstanceUID,
    SeriesInstanceUID: source.seriesInstanceUID,
    FrameOfReferenceUID: source.frameOfReferenceUID,
    Modality: 'MR',
    ImagePositionPatient: numbers(source.instances[k]?.imagePositionPatient),
    ImageOrientationPatient: numbers(source.imageOrientationPatient),
    PixelSpacing: numbers(source.pixelSpacing),
    SliceThickness: geometry.spacing[2],
    Rows: geometry.dimensions[1],
    Columns: geometry.dimensions[0],
    SamplesPerPixel: 1,
    PhotometricInterpretation: 'MONOCHROME2',
    BitsAllocated: 16,
    BitsStored: 16,
    HighBit: 15,
    PixelRepresentation: 1,
    RescaleSlope: slope,
    RescaleIntercept: intercept,
  };
}

/** As Cornerstone3D's own image loader answers. */
function modulesOf(instance: NaturalisedAttributes, geometry: VolumeGeometry): Readonly<Record<string, object>> {
  const [columns, rows] = geometry.dimensions;
  const orientation = instance['ImageOrientationPatient'] as number[];
  return {
    imagePlaneModule: {
      frameOfReferenceUID: instance['FrameOfReferenceUID'],
      rows,
      columns,
      imageOrientationPatient: orientation,
      rowCosines: orientation.slice(0, 3),
      columnCosines: orientation.slice(3),
      imagePositionPatient: instance['ImagePositionPatient'],
      pixelSpacing: instance['PixelSpacing'],
      rowPixelSpacing: geometry.spacing[1],
      columnPixelSpacing: geometry.spacing[0],
      sliceThickness: geometry.spacing[2],
    },
    imagePixelModule: {
      samplesPerPixel: 1,
      photometricInterpretation: 'MONOCHROME2',
      rows,
      columns,
      bitsAllocated: 16,
      bitsStored: 16,
      highBit: 15,
      pixelRepresentation: 1,
    },
    generalSeriesModule: {
      modality: 'MR',
      seriesInstanceUID: instance['SeriesInstanceUID'],
      studyInstanceUID: instance['StudyInstanceUID'],
    },
    sopCommonModule: { sopClassUID: instance['SOPClassUID'], sopInstanceUID: instance['SOPInstanceUID'] },
    modalityLutModule: { rescaleSlope: instance['RescaleSlope'], rescaleIntercept: instance['RescaleIntercept'] },
    voiLutModule: { windowCenter: [0], windowWidth: [400] },
    patientModule: { patientName: instance['PatientName'], patientId: instance['PatientID'] },
    frameOfReferenceModule: { frameOfReferenceUID: instance['FrameOfReferenceUID'] },
  };
}
