import { describe, expect, test } from 'vitest';
import { encodePart10, type DicomAttributes } from '../../src/dicom/write-dicom.ts';
import { parseDicom } from '../../src/dicom/read-dicom.ts';
import { readSegFrames, type SegPlanes } from '../../src/seg/dicom-seg-frames.ts';
import { withDefaultLimits } from '../../src/io/read-limits.ts';
import { EXPLICIT_LITTLE_ENDIAN } from '../../src/dicom/transfer-syntaxes.ts';

/** Two frames, each with its own orientation and spacing. */
async function framesOf(orientations: readonly string[][], spacings: readonly string[][]): Promise<SegPlanes> {
  const dataset: DicomAttributes = {
    SOPClassUID: '1.2.840.10008.5.1.4.1.1.66.4',
    SOPInstanceUID: '2.25.1',
    NumberOfFrames: '2',
    Rows: 3,
    Columns: 4,
    SharedFunctionalGroupsSequence: [{}],
    PerFrameFunctionalGroupsSequence: orientations.map((ImageOrientationPatient, k) => ({
      PlaneOrientationSequence: [{ ImageOrientationPatient }],
      PixelMeasuresSequence: [{ PixelSpacing: spacings[k], SliceThickness: '2' }],
      PlanePositionSequence: [{ ImagePositionPatient: ['0', '0', String(2 * k)] }],
      SegmentIdentificationSequence: [{ ReferencedSegmentNumber: 1 }],
    })),
  };
  const file = await encodePart10(dataset, {
    transferSyntaxUID: EXPLICIT_LITTLE_ENDIAN,
    implementationVersionName: 'TEST',
  });
  return readSegFrames(parseDicom(file, 'test', withDefaultLimits({})), { name: 'test', isLabelmap: false });
}

const AXIAL = ['1', '0', '0', '0', '1', '0'];
const SPACING = ['1.5', '1.25'];

describe('readSegFrames compares numbers', () => {
  test.each([
    ['the seventh digit', ['0.9999990', '0.000001', '0', '-0.000001', '0.9999990', '0'], SPACING],
    ['the way that they are written', ['1.0', '-0', '0.000000', '0E0', '1.000', '0.0'], ['1.50', '1.250000E0']],
    ['the last digits of a spacing', AXIAL, ['1.5000001', '1.2499999']],
  ])('planes that differ in %s are one orientation', async (_, orientation, spacing) => {
    const planes = await framesOf([AXIAL, orientation], [SPACING, spacing]);
    expect(planes.rowDirection).toEqual([1, 0, 0]);
    expect(planes.spacing).toEqual([1.25, 1.5]);
    expect(planes.frames).toHaveLength(2);
  });

  test.each([
    ['orientation', ['0.9998', '0.02', '0', '-0.02', '0.9998', '0'], SPACING],
    ['spacing', AXIAL, ['1.5', '1.26']],
  ])('planes of another %s are refused with the values of both', async (_, orientation, spacing) => {
    await expect(framesOf([AXIAL, orientation], [SPACING, spacing])).rejects.toMatchObject({
      code: 'unsupported-segmentation',
      message: expect.stringContaining('(1, 0, 0, 0, 1, 0) with 1.5 × 1.25 mm and') as string,
    });
  });
});
