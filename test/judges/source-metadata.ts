import type { JudgedSeries } from './judged-series.ts';

export function imageId(sopInstanceUID: string): string {
  return `judged:${sopInstanceUID}`;
}

/** What OHIF's provider would answer for the images of a series. It answers one frame of reference, because the adapters
 * leave out slices whose own differs from the segmentation's (all but the first in Sunnybrook). */
export function sourceMetadata({
  labelmap: { geometry },
  source,
}: JudgedSeries): (type: string, imageId: unknown) => unknown {
  const [columns, rows] = geometry.dimensions;
  return (type, id) => {
    const instance = source.instances.find((candidate) => imageId(candidate.sopInstanceUID) === id);
    if (instance === undefined) return undefined;
    const position = instance.imagePositionPatient.map(Number);
    const orientation = source.imageOrientationPatient.map(Number);
    const pixelSpacing = source.pixelSpacing.map(Number);
    const frameOfReferenceUID = source.frameOfReferenceUID;
    const answers: Record<string, unknown> = {
      generalImageModule: { sopInstanceUID: instance.sopInstanceUID },
      generalSeriesModule: { seriesInstanceUID: source.seriesInstanceUID, modality: 'MR' },
      imagePixelModule: { bitsAllocated: 16, bitsStored: 16, highBit: 15, samplesPerPixel: 1, pixelRepresentation: 0 },
      imagePlaneModule: {
        rows,
        columns,
        imageOrientationPatient: orientation,
        rowCosines: orientation.slice(0, 3),
        columnCosines: orientation.slice(3),
        imagePositionPatient: position,
        pixelSpacing,
        rowPixelSpacing: pixelSpacing[0],
        columnPixelSpacing: pixelSpacing[1],
        frameOfReferenceUID,
      },
      instance: {
        SOPInstanceUID: instance.sopInstanceUID,
        SOPClassUID: instance.sopClassUID,
        SeriesInstanceUID: source.seriesInstanceUID,
        FrameOfReferenceUID: frameOfReferenceUID,
        Rows: rows,
        Columns: columns,
        ImagePositionPatient: position,
        ImageOrientationPatient: orientation,
        PixelSpacing: pixelSpacing,
      },
    };
    return answers[type];
  };
}
