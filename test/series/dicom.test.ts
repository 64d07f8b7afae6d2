import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { IrregularSlicesError } from '../../src/errors.ts';
import type { SourceFile } from '../../src/io/reader.ts';
import { testUid } from '../support/labelled-series.ts';
import { textContaining, textMatching } from '../support/matchers.ts';
import { memoryFile } from '../support/memory-file.ts';
import { encodePart10, latin1, type DicomAttributes } from '../support/part10.ts';
import { dicomPhantom, phantom, sliceAttributes } from '../support/phantom.ts';
import { dicomReader } from '../support/whole-reader.ts';

const image = phantom();

/** The phantom's slices with a position of their own, in mm along k from the first. */
function slicesAt(depths: readonly number[], change: (k: number) => DicomAttributes = () => ({})): SourceFile[] {
  const { direction, origin } = image.geometry;
  return depths.map((depth, k) => {
    const position = origin.map((x, axis) => (x + depth * (direction[2][axis] ?? 0)).toFixed(9).slice(0, 16));
    const attributes = { ...sliceAttributes(image, k % 4), SOPInstanceUID: testUid(100 + k) };
    return memoryFile(`${k}.dcm`, encodePart10({ ...attributes, ImagePositionPatient: position, ...change(k) }));
  });
}

describe('the order of slices', () => {
  it('follows positions, not instance numbers or names', async () => {
    const { volume } = await dicomReader.read(dicomPhantom(image, (k) => ({ InstanceNumber: String(100 - 7 * k) })));
    expect(Array.from(volume.voxels)).toEqual(Array.from(image.voxels));
    expect(volume.source?.instances.map(({ sopInstanceUID }) => sopInstanceUID)).toEqual(
      [100, 101, 102, 103].map(testUid),
    );
    expect(volume.source?.instances.map(({ sliceIndex }) => sliceIndex)).toEqual([0, 1, 2, 3]);
  });

  it('ascends along the normal of the image plane, whichever way the positions run', async () => {
    await fc.assert(
      fc.asyncProperty(fc.boolean(), fc.double({ min: 0.3, max: 12, noNaN: true }), async (isReversed, gap) => {
        const depths = [0, 1, 2, 3].map((k) => (isReversed ? -k : k) * gap);
        const { volume } = await dicomReader.read(slicesAt(depths));
        expect(volume.geometry.spacing[2]).toBeCloseTo(gap, 6);
        const uids = [0, 1, 2, 3].map((k) => testUid(100 + (isReversed ? 3 - k : k)));
        expect(volume.source?.instances.map(({ sopInstanceUID }) => sopInstanceUID)).toEqual(uids);
      }),
    );
  });
});

describe('a series that is no regular grid', () => {
  it('with a missing slice names the gap, its size and the usual one', async () => {
    const reading = dicomReader.read(slicesAt([0, 2.5, 5, 10, 12.5]));
    await expect(reading).rejects.toBeInstanceOf(IrregularSlicesError);
    await expect(reading).rejects.toMatchObject({
      code: 'irregular-slices',
      message: textMatching(/slices 3 and 4 \(2\.dcm, 3\.dcm\) are 5\.000 mm apart.*usual gap is 2\.500 mm/),
    });
  });

  it('is accepted where no slice is further than 0.06 mm from the grid, and refused beyond', async () => {
    await expect(dicomReader.read(slicesAt([0, 5, 10.07, 15]))).resolves.toBeDefined();
    await expect(dicomReader.read(slicesAt([0, 5, 10.12, 15]))).rejects.toMatchObject({
      code: 'irregular-slices',
      message: textContaining('2.dcm lies 0.12 mm off the regular grid that the other 3 slices form'),
    });
  });

  it('because the gantry was tilted says by how many degrees', async () => {
    const { direction } = image.geometry;
    const tilted = dicomPhantom(image, (k) => ({
      ImagePositionPatient: image.geometry.origin.map((x, axis) =>
        (x + k * (5 * (direction[2][axis] ?? 0) + 0.5 * (direction[1][axis] ?? 0))).toFixed(6),
      ),
    }));
    await expect(dicomReader.read(tilted)).rejects.toMatchObject({
      code: 'gantry-tilt',
      message: textContaining('5.7°'),
    });
  });

  it('of two orientations is refused', async () => {
    const files = dicomPhantom(image, (k) =>
      k === 2 ? { ImageOrientationPatient: ['1', '0', '0', '0', '1', '0'] } : {},
    );
    await expect(dicomReader.read(files)).rejects.toMatchObject({ code: 'mixed-orientations' });
  });

  it.each([
    ['sizes', { Rows: 4 }],
    ['pixel spacings', { PixelSpacing: ['1.5', '1.3'] }],
  ])('of two %s is refused', async (_, other) => {
    const files = dicomPhantom(image, (k) => (k === 2 ? other : {}));
    await expect(dicomReader.read(files)).rejects.toMatchObject({ code: 'mixed-images' });
  });

  it.each([
    ['cardiac phases', 'TriggerTime', '40', ' ms'],
    ['echoes', 'EchoTime', '7.5', ' ms'],
    ['time points', 'TemporalPositionIdentifier', '2', ''],
    ['acquisitions', 'AcquisitionNumber', '2', ''],
    ['b-values', 'DiffusionBValue', 800, ' s/mm²'],
  ] as const)('but two %s says what tells them apart', async (_, keyword, other, unit) => {
    const first = slicesAt([0, 5, 10], () => ({ [keyword]: typeof other === 'number' ? 0 : '1' }));
    const second = slicesAt([0, 5, 10], (k) => ({ [keyword]: other, SOPInstanceUID: testUid(200 + k) }));
    await expect(dicomReader.read([...first, ...second])).rejects.toMatchObject({
      code: 'several-volumes',
      message: textMatching(new RegExp(`2 volumes.*2: ${keyword} ${other}${unit} \\(3 images\\)`)),
    });
  });

  it('with an image twice is refused', async () => {
    const files = slicesAt([0, 5, 10]);
    await expect(dicomReader.read([...files, ...files.slice(1, 2)])).rejects.toMatchObject({
      code: 'duplicate-slices',
    });
  });
});

describe('an image that is no slice', () => {
  it.each<[string, DicomAttributes, string]>([
    ['in colour', { PhotometricInterpretation: 'RGB', SamplesPerPixel: 3 }, 'unsupported-image'],
    ['with a palette', { PhotometricInterpretation: 'PALETTE COLOR' }, 'unsupported-image'],
    ['of many frames without places', { NumberOfFrames: '12' }, 'unsupported-image'],
    [
      'with an empty functional group',
      { PerFrameFunctionalGroupsSequence: [{}], ImagePositionPatient: undefined },
      'missing-attribute',
    ],
    ['of single bits', { BitsAllocated: 1, BitsStored: 1, HighBit: 0 }, 'unsupported-image'],
    ['with its bits at the top', { BitsStored: 12, HighBit: 15 }, 'unsupported-image'],
    ['with an empty modality table', { ModalityLUTSequence: [{}] }, 'invalid-attribute'],
    ['without pixels', { PixelData: undefined }, 'no-pixel-data'],
    ['without a position', { ImagePositionPatient: undefined }, 'missing-attribute'],
    ['without an orientation', { ImageOrientationPatient: '' }, 'missing-attribute'],
    ['without a spacing', { PixelSpacing: undefined }, 'missing-attribute'],
    ['with two of three coordinates', { ImagePositionPatient: ['1', '2'] }, 'invalid-attribute'],
    ['with words for a position', { ImagePositionPatient: ['1', 'x', '2'] }, 'invalid-attribute'],
    ['with no direction', { ImageOrientationPatient: ['0', '0', '0', '0', '1', '0'] }, 'invalid-attribute'],
    ['with a spacing of zero', { PixelSpacing: ['0', '1'] }, 'invalid-attribute'],
    ['with a slope of zero', { RescaleSlope: '0', RescaleIntercept: '0' }, 'invalid-attribute'],
    [
      'with parallel rows and columns',
      { ImageOrientationPatient: ['1', '0', '0', '1', '0', '0'] },
      'invalid-attribute',
    ],
    ['with fewer pixels than promised', { PixelData: new Uint8Array(68) }, 'damaged-file'],
  ])('%s is refused, and described as a problem', async (_, change, code) => {
    const files = dicomPhantom(phantom([7, 5, 1]), () => change);
    await expect(dicomReader.read(files)).rejects.toMatchObject({ code, remedy: textMatching(/\w/) });
    const [description] = await dicomReader.describe(files);
    // Pixels are not decoded for a description.
    if (code !== 'damaged-file') expect(description?.problem).toMatchObject({ code });
  });
});

describe('modality values', () => {
  const stored = Int16Array.of(-3, 0, 5, 1000, 2000, 32767);
  const oneSlice = (change: DicomAttributes): SourceFile[] =>
    dicomPhantom(phantom([3, 2, 1]), () => ({ PixelData: new Uint8Array(stored.buffer), ...change }));
  const voxelsOf = async (change: DicomAttributes) => (await dicomReader.read(oneSlice(change))).volume.voxels;

  it('keep the stored type where nothing is rescaled', async () => {
    expect(await voxelsOf({ RescaleSlope: '1.0', RescaleIntercept: '0' })).toEqual(stored);
    expect(await voxelsOf({ PixelRepresentation: 0 })).toEqual(Uint16Array.from(stored));
    expect(await voxelsOf({ Rows: 4, BitsAllocated: 8, BitsStored: 8, HighBit: 7, PixelRepresentation: 0 })).toEqual(
      new Uint8Array(stored.buffer),
    );
  });

  it('are Int16 after integer rescaling, and Int32 once one does not fit', async () => {
    const unsigned = { PixelRepresentation: 0, PixelData: Uint8Array.of(0, 0, 1, 0, 255, 15, 0, 8, 10, 0, 20, 0) };
    expect(await voxelsOf({ ...unsigned, RescaleSlope: '1', RescaleIntercept: '-1024' })).toEqual(
      Int16Array.of(-1024, -1023, 3071, 1024, -1014, -1004),
    );
    expect(await voxelsOf({ RescaleSlope: '2', RescaleIntercept: '-10' })).toEqual(
      Int32Array.of(-16, -10, 0, 1990, 3990, 65524),
    );
  });

  it('widen to Int32 in a later slice without touching those before', async () => {
    const files = dicomPhantom(phantom([3, 2, 2]), (k) => ({
      RescaleSlope: String(1 + 9 * k),
      RescaleIntercept: '1',
      PixelData: new Uint8Array(stored.slice().buffer),
    }));
    const expected = [...stored].map((value) => value + 1).concat([...stored].map((value) => 10 * value + 1));
    // 32767 + 1 already overflows Int16 in the first slice.
    expect((await dicomReader.read(files)).volume.voxels).toEqual(Int32Array.from(expected));
  });

  it('are Float32, each slice by its own slope, where a slope is no integer', async () => {
    const files = dicomPhantom(phantom([3, 2, 2]), (k) => ({
      RescaleSlope: k === 0 ? '0.5' : '0.1',
      RescaleIntercept: '-1',
      PixelData: new Uint8Array(stored.slice().buffer),
    }));
    const expected = [0.5, 0.1].flatMap((slope) => [...stored].map((value) => value * slope - 1));
    expect((await dicomReader.read(files)).volume.voxels).toEqual(Float32Array.from(expected));
  });

  it('take the stored bits only: the sign from the highest of them, overlays above them dropped', async () => {
    const bits = Uint16Array.of(0x0fff, 0xf7ff, 0x0800, 0xf001, 0, 0x1000);
    const twelve = { BitsStored: 12, HighBit: 11, PixelData: new Uint8Array(bits.buffer) };
    expect(await voxelsOf(twelve)).toEqual(Int16Array.of(-1, 2047, -2048, 1, 0, 0));
    expect(await voxelsOf({ ...twelve, PixelRepresentation: 0 })).toEqual(Uint16Array.of(4095, 2047, 2048, 1, 0, 0));
  });

  it('of MONOCHROME1 are as stored, and a notice says so', async () => {
    const { volume, warnings } = await dicomReader.read(oneSlice({ PhotometricInterpretation: 'MONOCHROME1' }));
    expect(volume.voxels).toEqual(stored);
    expect(warnings).toContainEqual(expect.objectContaining({ code: 'inverted-greyscale' }));
  });
});

describe('what a segmentation refers to', () => {
  it('is every instance with its own strings, digit by digit', async () => {
    const files = dicomPhantom(image, (k) => ({
      PixelSpacing: ['1.50', '+1.25'],
      SOPInstanceUID: `1.02.0003.${k}`,
      LossyImageCompression: k === 3 ? '01' : '00',
    }));
    const { source } = (await dicomReader.read(files)).volume;
    expect(source).toMatchObject({
      studyInstanceUID: testUid(1),
      seriesInstanceUID: testUid(2),
      frameOfReferenceUID: testUid(3),
      pixelSpacing: ['1.50', '+1.25'],
      lossyImageCompression: true,
    });
    expect(source?.instances.map(({ sopInstanceUID }) => sopInstanceUID)).toEqual(
      [0, 1, 2, 3].map((k) => `1.02.0003.${k}`),
    );
    expect(source?.instances[2]?.imagePositionPatient).toEqual(sliceAttributes(image, 2).ImagePositionPatient);
    expect(source?.imageOrientationPatient).toEqual(sliceAttributes(image, 0).ImageOrientationPatient);
  });

  it('has the patient and study of the first slice, in Unicode, without dates that do not exist', async () => {
    const { volume, warnings } = await dicomReader.read(
      dicomPhantom(image, () => ({
        SpecificCharacterSet: 'ISO_IR 192',
        PatientName: new TextEncoder().encode('Żółć^Ewa'),
        PatientID: '007 ',
        PatientBirthDate: '00000000',
        StudyDate: '20230229',
        StudyTime: '101500',
        AccessionNumber: '',
      })),
    );
    expect(volume.source?.attributes).toEqual({
      PatientName: 'Żółć^Ewa',
      PatientID: '007',
      PatientBirthDate: '',
      StudyDate: '',
      StudyTime: '101500',
    });
    expect(warnings).toContainEqual(expect.objectContaining({ code: 'invalid-date-emptied' }));
    expect(JSON.stringify(warnings)).not.toMatch(/Ewa|007|2023/);
  });

  it.each(['20240229', '20000229', '19991231', '00010101'])('keeps the date %s', async (date) => {
    const { volume, warnings } = await dicomReader.read(dicomPhantom(image, () => ({ StudyDate: date })));
    expect(volume.source?.attributes.StudyDate).toBe(date);
    expect(warnings).toEqual([]);
  });

  it('takes the first slice’s frame of reference where every slice names another, with a notice', async () => {
    const files = dicomPhantom(image, (k) => ({ FrameOfReferenceUID: testUid(30 + k) }));
    const { volume, warnings } = await dicomReader.read(files);
    expect(volume.source?.frameOfReferenceUID).toBe(testUid(30));
    expect(volume.geometry.frameOfReferenceUID).toBe(testUid(30));
    expect(warnings).toEqual([expect.objectContaining({ code: 'several-frames-of-reference' })]);
  });

  it.each(['StudyInstanceUID', 'SeriesInstanceUID', 'SOPInstanceUID', 'SOPClassUID'] as const)(
    'is nothing without a %s, with a notice',
    async (keyword) => {
      const { volume, warnings } = await dicomReader.read(dicomPhantom(image, () => ({ [keyword]: '' })));
      expect(volume.source).toBeUndefined();
      expect(warnings).toContainEqual(expect.objectContaining({ code: 'source-without-identity' }));
    },
  );
});

describe('several objects in one input', () => {
  const other = dicomPhantom(phantom([3, 3, 2]), (k) => ({
    SeriesInstanceUID: testUid(77),
    SOPInstanceUID: testUid(700 + k),
    Modality: 'CT',
  }));
  const report = memoryFile(
    'report.dcm',
    encodePart10({ SOPClassUID: '1.2.840.10008.5.1.4.1.1.88.11', SeriesInstanceUID: testUid(78), Modality: 'SR' }),
  );
  const segmentation = memoryFile(
    'seg.dcm',
    encodePart10({
      ...sliceAttributes(image, 0),
      SOPClassUID: '1.2.840.10008.5.1.4.1.1.66.4',
      SeriesInstanceUID: testUid(79),
    }),
  );

  it('of two series need a choice, and are listed with modality and count', async () => {
    const files = [...dicomPhantom(image), ...other];
    await expect(dicomReader.read(files)).rejects.toMatchObject({
      code: 'several-series',
      message: textMatching(/2\.25\.1000002 \(MR, 4 images\).*2\.25\.1000077 \(CT, 2 images\)/),
    });
    const { volume } = await dicomReader.read(files, { seriesInstanceUID: testUid(77) });
    expect(volume).toMatchObject({ modality: 'CT', geometry: { dimensions: [3, 3, 2] } });
    await expect(dicomReader.read(files, { seriesInstanceUID: '1.2.3' })).rejects.toMatchObject({
      code: 'series-not-found',
      message: textContaining(testUid(77)),
    });
  });

  it('leaves out reports and segmentations, with a notice', async () => {
    const { volume, warnings, ignoredFiles } = await dicomReader.read([report, ...dicomPhantom(image), segmentation]);
    expect(volume.geometry.dimensions).toEqual([7, 5, 4]);
    expect(ignoredFiles).toBe(2);
    expect(warnings).toEqual([
      { code: 'objects-without-image', message: textMatching(/^2 DICOM files without an image/) },
    ]);
  });

  it('without any image says so', async () => {
    await expect(dicomReader.read([report, segmentation])).rejects.toMatchObject({ code: 'no-pixel-data' });
  });

  it('describes each series, sound, without images or unreadable', async () => {
    const broken = memoryFile('broken.dcm', joinedHead());
    const descriptions = await dicomReader.describe([...dicomPhantom(image), ...other.slice(1), report, broken]);
    expect(descriptions).toMatchObject([
      { seriesInstanceUID: testUid(2), modality: 'MR', fileCount: 4, geometry: { dimensions: [7, 5, 4] } },
      { seriesInstanceUID: testUid(77), modality: 'CT', fileCount: 1, geometry: { dimensions: [3, 3, 1] } },
      { seriesInstanceUID: testUid(78), modality: 'SR', fileCount: 1, problem: { code: 'no-pixel-data' } },
      { path: 'broken.dcm', fileCount: 1, problem: { code: 'damaged-file' } },
    ]);
  });

  function joinedHead(): Uint8Array {
    const bytes = new Uint8Array(140);
    bytes.set(latin1('DICM'), 128);
    bytes.set([8, 0, 5, 0, 67, 83, 255, 0], 132);
    return bytes;
  }
});

describe('a single image', () => {
  it.each<[string, DicomAttributes, number, string[]]>([
    ['its spacing between slices', { SpacingBetweenSlices: '7.5' }, 7.5, []],
    ['else its slice thickness', {}, 6, []],
    ['else 1 mm with a notice', { SliceThickness: undefined }, 1, ['slice-spacing-assumed']],
  ])('is as deep as %s', async (_, change, depth, notices) => {
    const { volume, warnings } = await dicomReader.read(dicomPhantom(phantom([7, 5, 1]), () => change));
    expect(volume.geometry.spacing[2]).toBe(depth);
    expect(warnings.map(({ code }) => code)).toEqual(notices);
  });
});

it('reads each file whole only once, for its pixels', async () => {
  const file = memoryFile('a.dcm', encodePart10({ ...sliceAttributes(phantom([256, 256, 1]), 0) }));
  await dicomReader.describe([file]);
  expect(file.wholeReads).toBe(0);
  await dicomReader.read([file]);
  expect(file.wholeReads).toBe(1);
});

it('refuses a transfer syntax that it cannot decode by name and number', async () => {
  const files = dicomPhantom(image, () => ({}), { transferSyntaxUID: '1.2.840.10008.1.2.4.102' });
  await expect(dicomReader.read(files)).rejects.toMatchObject({
    code: 'unsupported-transfer-syntax',
    message: textContaining('MPEG-4 AVC/H.264 (1.2.840.10008.1.2.4.102)'),
  });
});
