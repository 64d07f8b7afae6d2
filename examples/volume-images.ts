import type { Types } from '@cornerstonejs/core';
import { indexToWorld, sliceView, type NaturalisedAttributes, type Volume } from '../src/index.ts';
import type { CornerstoneHost } from '../extension/cornerstone/index.ts';

const SCHEME = 'slicewise';
let volumeCount = 0;

/** Gives the page a volume in memory as images: one image a slice, with the metadata that Cornerstone3D and the bridge
 * ask for. A page whose images come from a server has a loader and providers of its own and needs none of this.
 * @param volume right-handed
 * @returns the images' ids, by slice */
export function registerVolumeImages(host: CornerstoneHost, volume: Volume): string[] {
  const { core } = host;
  const prefix = `${SCHEME}:${++volumeCount}/`;
  const imageIds = Array.from({ length: volume.geometry.dimensions[2] }, (_, k) => `${prefix}${k}`);
  const sliceOf = (imageId: string): number => Number(imageId.slice(prefix.length));
  const images = new Map<string, Promise<Types.IImage>>();
  const [low, high] = usualRange(volume.voxels);

  core.imageLoader.registerImageLoader(SCHEME, (imageId) => {
    const load = loaders.get(imageId.slice(0, imageId.indexOf('/') + 1));
    if (load === undefined) throw new Error(`There is no image ${imageId}.`);
    return { promise: load(imageId) };
  });
  loaders.set(prefix, (imageId) => {
    const promise =
      images.get(imageId) ?? Promise.resolve(createImage(host, volume, sliceOf(imageId), imageId, [low, high]));
    images.set(imageId, promise);
    return promise;
  });
  core.metaData.addProvider((type: string, imageId: unknown) =>
    typeof imageId === 'string' && imageId.startsWith(prefix)
      ? metadataOf(volume, sliceOf(imageId), [low, high])[type]
      : undefined,
  );
  return imageIds;
}

const loaders = new Map<string, (imageId: string) => Promise<Types.IImage>>();

type ShownArray = Uint8Array | Uint16Array | Int16Array | Float32Array;

function createImage(
  { core }: CornerstoneHost,
  volume: Volume,
  k: number,
  imageId: string,
  [low, high]: readonly [number, number],
): Types.IImage {
  const { dimensions, spacing } = volume.geometry;
  const [width, height] = dimensions;
  const pixels = asShown(sliceView(volume.voxels, volume.geometry, k));
  const [min, max] = rangeOf(pixels);
  return {
    imageId,
    rows: height,
    columns: width,
    height,
    width,
    columnPixelSpacing: spacing[0],
    rowPixelSpacing: spacing[1],
    minPixelValue: min,
    maxPixelValue: max,
    slope: 1,
    intercept: 0,
    windowCenter: (low + high) / 2,
    windowWidth: Math.max(high - low, 1),
    voiLUTFunction: core.Enums.VOILUTFunctionType.LINEAR,
    preScale: { enabled: true, scaled: true },
    isPreScaled: true,
    getPixelData: () => pixels,
    color: false,
    rgba: false,
    numberOfComponents: 1,
    invert: false,
    sizeInBytes: pixels.byteLength,
    dataType: pixels.constructor.name as Types.IImage['dataType'],
    imageFrame: {} as NonNullable<Types.IImage['imageFrame']>,
    getCanvas: () => document.createElement('canvas'),
  };
}

/** What Cornerstone3D can draw. */
function asShown(voxels: Volume['voxels']): ShownArray {
  if (voxels instanceof Uint8Array || voxels instanceof Uint16Array || voxels instanceof Int16Array) return voxels;
  return voxels instanceof Float32Array ? voxels : Float32Array.from(voxels);
}

function metadataOf(
  volume: Volume,
  k: number,
  [low, high]: readonly [number, number],
): Readonly<Record<string, object | undefined>> {
  const { geometry, modality } = volume;
  const { dimensions, spacing, direction } = geometry;
  const [columns, rows] = dimensions;
  const pixels = pixelAttributes(volume);
  return {
    instance: instanceOf(volume, k),
    imagePlaneModule: {
      frameOfReferenceUID: geometry.frameOfReferenceUID ?? 'unknown',
      rows,
      columns,
      imageOrientationPatient: [...direction[0], ...direction[1]],
      rowCosines: [...direction[0]],
      columnCosines: [...direction[1]],
      imagePositionPatient: [...indexToWorld(geometry, [0, 0, k])],
      sliceThickness: spacing[2],
      pixelSpacing: [spacing[1], spacing[0]],
      rowPixelSpacing: spacing[1],
      columnPixelSpacing: spacing[0],
    },
    imagePixelModule: {
      samplesPerPixel: 1,
      photometricInterpretation: 'MONOCHROME2',
      rows,
      columns,
      bitsAllocated: pixels.BitsAllocated,
      bitsStored: pixels.BitsStored,
      highBit: pixels.BitsStored - 1,
      pixelRepresentation: pixels.PixelRepresentation,
      modality: modality ?? 'OT',
    },
    generalSeriesModule: {
      modality: modality ?? 'OT',
      seriesInstanceUID: volume.source?.seriesInstanceUID ?? '',
      studyInstanceUID: volume.source?.studyInstanceUID ?? '',
    },
    voiLutModule: { windowCenter: [(low + high) / 2], windowWidth: [Math.max(high - low, 1)] },
    modalityLutModule: { rescaleSlope: 1, rescaleIntercept: 0 },
    sopCommonModule: {
      sopClassUID: volume.source?.instances[k]?.sopClassUID ?? '',
      sopInstanceUID: volume.source?.instances[k]?.sopInstanceUID ?? '',
    },
  };
}

/** The image's data set: what the bridge reads where a page has it. */
function instanceOf({ source, ...volume }: Volume, k: number): NaturalisedAttributes {
  const { geometry, modality, bodyPartExamined, rescaleType } = volume;
  const { dimensions, spacing, direction } = geometry;
  const instance = source?.instances[k];
  return {
    ...source?.attributes,
    StudyInstanceUID: source?.studyInstanceUID ?? '',
    SeriesInstanceUID: source?.seriesInstanceUID ?? '',
    SOPClassUID: instance?.sopClassUID ?? '',
    SOPInstanceUID: instance?.sopInstanceUID ?? '',
    FrameOfReferenceUID: source?.frameOfReferenceUID ?? geometry.frameOfReferenceUID,
    Modality: modality,
    BodyPartExamined: bodyPartExamined,
    RescaleType: rescaleType,
    LossyImageCompression: source?.lossyImageCompression === true ? '01' : '00',
    ImagePositionPatient: instance?.imagePositionPatient ?? [...indexToWorld(geometry, [0, 0, k])],
    ImageOrientationPatient: source?.imageOrientationPatient ?? [...direction[0], ...direction[1]],
    PixelSpacing: source?.pixelSpacing ?? [spacing[1], spacing[0]],
    SpacingBetweenSlices: spacing[2],
    Rows: dimensions[1],
    Columns: dimensions[0],
    SamplesPerPixel: 1,
    PhotometricInterpretation: 'MONOCHROME2',
    ...pixelAttributes(volume),
  };
}

function pixelAttributes({ voxels }: Pick<Volume, 'voxels'>) {
  const bits = 8 * voxels.BYTES_PER_ELEMENT;
  const isSigned = voxels instanceof Int8Array || voxels instanceof Int16Array || voxels instanceof Int32Array;
  const isFloat = voxels instanceof Float32Array || voxels instanceof Float64Array;
  return {
    BitsAllocated: bits,
    BitsStored: bits,
    HighBit: bits - 1,
    PixelRepresentation: isSigned ? 1 : 0,
    // Present and empty, as a marker: the pixels are floats, and elsewhere.
    ...(isFloat && { FloatPixelData: '' }),
  };
}

/** The 1st and the 99.5th percentile of a sample: a window that shows most images well. */
function usualRange(voxels: Volume['voxels']): [number, number] {
  const step = Math.max(1, Math.floor(voxels.length / 20_000));
  const sample = Float64Array.from(
    { length: Math.floor(voxels.length / step) },
    (_, n) => voxels[n * step] ?? 0,
  ).sort();
  const at = (part: number): number => sample[Math.floor(part * (sample.length - 1))] ?? 0;
  return [at(0.01), at(0.995)];
}

function rangeOf(pixels: ShownArray): [number, number] {
  let [min, max] = [Infinity, -Infinity];
  for (let at = 0; at < pixels.length; at++) {
    const value = pixels[at] ?? 0;
    if (value < min) min = value;
    if (value > max) max = value;
  }
  return [min, max];
}
