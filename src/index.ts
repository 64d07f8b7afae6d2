// The public surface, in the order of the flow: files → Volume → SegmentationResult → DICOM-SEG or NIfTI.

export * from './errors.ts';
export { visibleText } from './visible-text.ts';

export {
  createGeometry,
  gridDistanceMm,
  indexToWorld,
  voxelCount,
  voxelVolumeMl,
  worldToIndex,
  type Direction,
  type IndexPoint,
  type Vector3,
  type VolumeGeometry,
  type WorldPoint,
} from './volume/geometry.ts';
export { stackedAxis } from './volume/reorient.ts';
export {
  sliceView,
  type CopiedAttribute,
  type NiftiSpace,
  type Notice,
  type SourceInstance,
  type SourceSeries,
  type Volume,
  type VoxelArray,
} from './volume/volume.ts';

export type {
  FindOptions,
  FoundSeries,
  ReadOptions,
  ReadResult,
  ReadSeriesOptions,
  SeriesDescription,
  SourceFile,
  VolumeDescription,
  VolumeReader,
} from './io/reader.ts';
export { DEFAULT_READ_LIMITS, type ReadLimits } from './io/read-limits.ts';
export {
  describeVolumes,
  readVolume,
  type DescribedSeries,
  type ReadVolumeOptions,
  type ReadVolumeResult,
} from './series/read-volume.ts';
export {
  findSeries,
  volumeReaders,
  type FindSeriesOptions,
  type LeftOutFile,
  type SeriesInput,
  type SeriesOfInput,
} from './series/find-series.ts';
export { createDicomReader, dicomReader } from './series/dicom.ts';
export { niftiReader, readNiftiLabelmap } from './nifti/read-nifti.ts';
export {
  readImageHeader,
  stackImages,
  type ImageHeader,
  type ImageStack,
  type StackImagesOptions,
} from './series/image-stack.ts';
export type { NaturalisedAttributes } from './dicom/write-dicom.ts';
export { pixelDecoders, type PixelDecoder } from './codecs/pixel-decoders.ts';
export {
  readDicomSeg,
  readDicomSegLayers,
  type ReadDicomSegLayersResult,
  type ReadDicomSegOptions,
  type ReadDicomSegResult,
} from './seg/read-dicom-seg.ts';
export type { SegIdentity, SegInstance } from './seg/dicom-seg-segments.ts';

export type { Labelmap } from './labelmap/labelmap.ts';
export { labelmapOnSourceSlices } from './labelmap/source-slices.ts';
export { cielabToColour, colourToCielab, type Colour } from './labelmap/labelmap.ts';
export {
  editedSegment,
  type CodedConcept,
  type Segment,
  type SegmentAlgorithm,
  type SegmentAlgorithmType,
  type SegmentDescription,
} from './labelmap/labelmap.ts';
export type { DeviceRecord, Provenance, SegmentationResult } from './labelmap/segmentation-result.ts';
export { measureSegments, type SegmentMeasure } from './labelmap/measure.ts';
export { patientSideOf, type PatientSide } from './labelmap/measure.ts';
export { nameEdges } from './labelmap/measure.ts';
export { createUid } from './labelmap/segmentation-result.ts';

export { loadManifest, loadModel, type LoadedModel, type ReadModelFile } from './models/load-model.ts';
export { manifestSchema, parseManifest, type ModelManifest } from './models/manifest.ts';

export type {
  Availability,
  InferenceBackend,
  InferenceSession,
  OpenSessionOptions,
  Tensor,
} from './inference/backend.ts';
export { createWasmBackend, type WasmBackendOptions } from './inference/ort-web.ts';
export { verifyModel, type VerifyResult } from './inference/self-test.ts';

export { checkModel, type ModelCheck } from './pipeline/segment-slices.ts';
export { segmentSeries, type SegmentSeriesOptions } from './segment-series.ts';
export {
  segmentVolume,
  type SegmentationProgress,
  type SegmentedSlice,
  type SegmentVolumeOptions,
} from './pipeline/segment-volume.ts';
export { createSegments } from './pipeline/result.ts';
export { outwardFrom } from './pipeline/slice-runs.ts';

export {
  encodeDicomSeg,
  hasWholeByteFrames,
  type DicomSegOptions,
  type EncodedDicomSeg,
  type SegType,
} from './seg/encode-dicom-seg.ts';
export type { LabelmapOrigin } from './seg/seg-dataset.ts';
export { encodeNiftiImage, encodeNiftiLabelmap, type NiftiOptions } from './nifti/encode-nifti.ts';
export { verifyDicomSeg, verifyNifti } from './verify.ts';

export {
  evaluateLabelmaps,
  type Evaluation,
  type EvaluationOptions,
  type LabelEvaluation,
} from './evaluate/evaluation.ts';
export { evaluateOverlap, type Overlap, type OverlapOptions } from './evaluate/overlap.ts';
