import { decimalString } from '../../src/dicom/dicom-values.ts';
import type { Labelmap, Segment, SegmentAlgorithm } from '../../src/labelmap/labelmap.ts';
import {
  createGeometry,
  cross,
  indexToWorld,
  normalised,
  type Vector3,
  type VolumeGeometry,
} from '../../src/volume/geometry.ts';
import type { SourceSeries } from '../../src/volume/volume.ts';

/** A UID that is valid and means nothing. */
export function testUid(n: number): string {
  return `2.25.${1_000_000 + n}`;
}

/** A right-handed oblique grid: no axis along another, unequal sizes and spacings, frames not a multiple of 8 voxels. */
export function obliqueGeometry(dimensions: readonly [number, number, number] = [7, 5, 4]): VolumeGeometry {
  const i: Vector3 = normalised([0.8, 0.55, -0.25]);
  const k: Vector3 = normalised(cross(i, [-0.3, 0.6, 0.75]));
  return createGeometry({
    dimensions,
    spacing: [1.25, 1.5, 8],
    origin: [-12.5, 7.25, 103.75],
    direction: [i, normalised(cross(k, i)), k],
    frameOfReferenceUID: testUid(3),
  });
}

/** The DICOM series that a scanner would have made of a grid: one single-frame MR image a slice. */
export function seriesOn(geometry: VolumeGeometry): SourceSeries {
  const { direction, spacing, dimensions } = geometry;
  return {
    studyInstanceUID: testUid(1),
    seriesInstanceUID: testUid(2),
    frameOfReferenceUID: testUid(3),
    imageOrientationPatient: [...direction[0], ...direction[1]].map(
      decimalString,
    ) as unknown as SourceSeries['imageOrientationPatient'],
    pixelSpacing: [decimalString(spacing[1]), decimalString(spacing[0])],
    lossyImageCompression: false,
    attributes: { PatientName: 'Müller^Jörg', PatientID: 'test', PatientBirthDate: '', StudyDate: '20240229' },
    instances: Array.from({ length: dimensions[2] }, (_, sliceIndex) => ({
      sopClassUID: '1.2.840.10008.5.1.4.1.1.4',
      sopInstanceUID: testUid(100 + sliceIndex),
      sliceIndex,
      imagePositionPatient: indexToWorld(geometry, [0, 0, sliceIndex]).map(decimalString) as unknown as [
        string,
        string,
        string,
      ],
    })),
  };
}

export function testSegments(count: number): Segment[] {
  return Array.from({ length: count }, (_, n) => ({
    segmentNumber: n + 1,
    segmentLabel: `Kidney ${n + 1}`,
    segmentedPropertyCategory: {
      codeValue: '91723000',
      codingSchemeDesignator: 'SCT',
      codeMeaning: 'Anatomical Structure',
    },
    segmentedPropertyType: { codeValue: '64033007', codingSchemeDesignator: 'SCT', codeMeaning: 'Kidney' },
    segmentedPropertyTypeModifier: { codeValue: '24028007', codingSchemeDesignator: 'SCT', codeMeaning: 'Right' },
    recommendedDisplayCIELab: [34588 + n, 41300, 39619],
    algorithmType: 'AUTOMATIC',
    algorithmName: 'test net 1.0.0',
    trackingID: `kidney ${n + 1}`,
    trackingUID: testUid(500 + n),
  }));
}

/** A labelmap from a list of voxels, repeated to fill the grid. */
export function testLabelmap(
  labels: readonly number[],
  { geometry = obliqueGeometry(), segments = testSegments(3) }: Partial<Pick<Labelmap, 'geometry' | 'segments'>> = {},
): Labelmap {
  const [i, j, k] = geometry.dimensions;
  const voxels = Uint8Array.from({ length: i * j * k }, (_, at) => labels[at % labels.length] ?? 0);
  return { geometry, voxels, segments };
}

export const testProvenance = {
  softwareVersion: '0.1.0',
  modelId: 'test-net',
  modelTitle: 'Test net',
  modelVersion: '1.0.0',
  modelSha256: '0123456789abcdef'.repeat(4),
} as const;

/** Segments as they come back from a segmentation with {@link testProvenance}: with the model that made them. */
export function asStored(segments: readonly Segment[]): Segment[] {
  const { modelId, modelVersion, modelSha256 } = testProvenance;
  const model: SegmentAlgorithm = {
    family: { codeValue: '123110', codingSchemeDesignator: 'DCM', codeMeaning: 'Artificial Intelligence' },
    name: modelId,
    version: modelVersion,
    parameters: `sha256=${modelSha256}`,
  };
  return segments.map((segment) =>
    segment.algorithmType === 'MANUAL' ? segment : { ...segment, algorithms: segment.algorithms ?? [model] },
  );
}
