import { describe, expect, it } from 'vitest';
import { readDicomInstance } from '../../src/series/dicom-instance.ts';
import { parseCsaHeader } from '../../src/series/mosaic.ts';
import { volumesOf } from '../../src/series/series-volumes.ts';
import { readImageHeader, stackImages } from '../../src/series/image-stack.ts';
import { textContaining } from '../support/matchers.ts';
import { encodeCsaHeader, mosaicPhantom } from '../support/mosaic.ts';
import { BIG_ENDIAN, IMPLICIT } from '../support/part10.ts';
import { enhancedPhantom, phantom } from '../support/phantom.ts';
import { dicomReader } from '../support/whole-reader.ts';

const image = phantom([4, 3, 6]);

describe('a mosaic of Siemens', () => {
  it.each<[string, Parameters<typeof mosaicPhantom>[1]]>([
    ['with CSA2', {}],
    ['with CSA1', { csa: 'CSA1' }],
    ['from its last slice to its first', { isReversed: true }],
    ['in implicit VR', { options: { transferSyntaxUID: IMPLICIT } }],
    ['in big endian', { options: { transferSyntaxUID: BIG_ENDIAN } }],
    ['counted by CSA alone', { change: { PrivateCreator0019: undefined, SiemensMosaicImageCount: undefined } }],
    ['that its image type does not call one', { change: { ImageType: ['ORIGINAL', 'PRIMARY', 'M', 'ND'] } }],
    ['whose gap is its slice thickness', { change: { SpacingBetweenSlices: undefined, SliceThickness: '8' } }],
  ])('%s is unfolded into its slices', async (_, options) => {
    const swaps = options?.options?.transferSyntaxUID === BIG_ENDIAN;
    const { volume, warnings } = await dicomReader.read([mosaicPhantom(image, options)]);
    expect(volume.geometry.dimensions).toEqual(image.geometry.dimensions);
    expect(volume.geometry.spacing[2]).toBeCloseTo(image.geometry.spacing[2], 5);
    volume.geometry.origin.forEach((x, axis) => {
      expect(x).toBeCloseTo(image.geometry.origin[axis] ?? NaN, 5);
    });
    if (!swaps) expect(Array.from(volume.voxels)).toEqual(Array.from(image.voxels));
    expect(warnings.map(({ code }) => code)).toEqual(['source-without-identity']);
  });

  it('that does not say to which side its slices follow is unfolded along its normal, with a warning', async () => {
    const { volume, warnings } = await dicomReader.read([mosaicPhantom(image, { csa: 'none' })]);
    expect(Array.from(volume.voxels)).toEqual(Array.from(image.voxels));
    expect(warnings.map(({ code }) => code)).toContain('mosaic-direction-assumed');
  });

  it('is a time point of its series', async () => {
    const files = ['1', '2'].map((n) =>
      mosaicPhantom(
        { ...image, voxels: image.voxels.map((value) => value + Number(n)) },
        { name: `${n}.dcm`, change: { AcquisitionNumber: n } },
      ),
    );
    const { volumes } = volumesOf(await Promise.all(files.map((file) => readDicomInstance(file))));
    expect(volumes.map(({ label, instances }) => [label, instances.map(({ file }) => file.name)])).toEqual([
      ['AcquisitionNumber 1', ['1.dcm']],
      ['AcquisitionNumber 2', ['2.dcm']],
    ]);
    const { volume } = await dicomReader.read(files, { phase: 2 });
    expect(Array.from(volume.voxels)).toEqual(Array.from(image.voxels, (value) => value + 2));
  });

  it.each<[string, Parameters<typeof mosaicPhantom>[1]]>([
    ['how many slices it holds', { csa: 'none', change: { SiemensMosaicImageCount: undefined } }],
    ['how far apart they are', { change: { SpacingBetweenSlices: undefined, SliceThickness: undefined } }],
    ['slices that fill it', { change: { SiemensMosaicImageCount: 40 } }],
    [
      'how many, being of United Imaging',
      {
        csa: 'none',
        change: {
          ImageType: 'ORIGINAL',
          PrivateCreator0019: undefined,
          PrivateCreator0065: 'Image Private Header',
          UIHGridImageCount: '6',
        },
      },
    ],
  ])('that does not say %s is refused', async (_, options) => {
    await expect(dicomReader.read([mosaicPhantom(image, options)])).rejects.toMatchObject({
      code: 'unsupported-image',
      message: textContaining('mosaic.dcm is a mosaic'),
      remedy: textContaining('dcm2niix'),
    });
  });

  it('is no mosaic where an enhanced image was made from one', async () => {
    const file = enhancedPhantom(image, { change: { ImageType: ['ORIGINAL', 'PRIMARY', 'M', 'MOSAIC', 'VFRAME'] } });
    const { volume } = await dicomReader.read([file]);
    expect(volume.geometry.dimensions).toEqual([4, 3, 6]);
  });

  it('in a viewer, which holds images, not files, is refused', () => {
    const { direction, origin, spacing } = image.geometry;
    const header = readImageHeader(
      {
        SOPClassUID: '1.2.840.10008.5.1.4.1.1.4',
        SOPInstanceUID: '1.2.3',
        SeriesInstanceUID: '1.2',
        ImageType: ['ORIGINAL', 'PRIMARY', 'MOSAIC'],
        Rows: 9,
        Columns: 12,
        BitsAllocated: 16,
        BitsStored: 16,
        HighBit: 15,
        SamplesPerPixel: 1,
        PhotometricInterpretation: 'MONOCHROME2',
        ImagePositionPatient: [...origin],
        ImageOrientationPatient: [...direction[0], ...direction[1]],
        PixelSpacing: [spacing[1], spacing[0]],
        SpacingBetweenSlices: 8,
        PrivateCreator0019: 'SIEMENS MR HEADER',
        SiemensMosaicImageCount: 6,
      },
      'image 1',
    );
    expect(() => stackImages([header])).toThrow(expect.objectContaining({ code: 'unsupported-image' }));
  });
});

describe('a CSA header', () => {
  const header: [string, string[]][] = [
    ['A', ['1', '2']],
    ['B', []],
    ['C', ['text']],
  ];

  it.each(['CSA1', 'CSA2'] as const)('in the form %s has its values by name', (form) => {
    const parsed = parseCsaHeader(encodeCsaHeader(header, form));
    expect([...parsed]).toEqual([
      ['A', ['1', '2']],
      ['B', []],
      ['C', ['text']],
    ]);
  });

  it('that is cut off or filled with anything gives what can be read, and never fails', () => {
    const bytes = encodeCsaHeader(header, 'CSA2');
    for (let length = 0; length < bytes.length; length++) {
      expect(parseCsaHeader(bytes.subarray(0, length)).size).toBeLessThanOrEqual(3);
    }
    for (let at = 0; at < bytes.length; at++) {
      const damaged = bytes.slice();
      damaged[at] = 0xff;
      expect(() => parseCsaHeader(damaged)).not.toThrow();
    }
  });
});
