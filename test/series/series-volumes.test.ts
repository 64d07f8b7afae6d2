import { describe, expect, it } from 'vitest';
import { readDicomInstance, type DicomInstance } from '../../src/series/dicom-instance.ts';
import { volumesOf } from '../../src/series/series-volumes.ts';
import { testUid } from '../support/labelled-series.ts';
import { textContaining } from '../support/matchers.ts';
import { memoryFile } from '../support/memory-file.ts';
import { encodePart10, type DicomAttributes } from '../support/part10.ts';
import { enhancedPhantom, phantom, sliceAttributes } from '../support/phantom.ts';

const image = phantom([4, 3, 6]);

interface SliceOfVolume {
  readonly volume: number;
  readonly k: number;
  /** Its number in the series, from 1: volume after volume. */
  readonly number: number;
}

/** A series of some volumes of six slices; nothing tells the volumes apart but what `change` gives. */
async function series(
  volumes: number,
  change: (slice: SliceOfVolume) => DicomAttributes | undefined = () => ({}),
): Promise<DicomInstance[]> {
  const instances: DicomInstance[] = [];
  for (let n = 0; n < 6 * volumes; n++) {
    const slice = { volume: Math.floor(n / 6), k: n % 6, number: n + 1 };
    const attributes = change(slice);
    if (attributes !== undefined) instances.push(await instance(`v${slice.volume}-${slice.k}.dcm`, slice, attributes));
  }
  return instances;
}

function instance(name: string, { k, number }: SliceOfVolume, attributes: DicomAttributes): Promise<DicomInstance> {
  const SOPInstanceUID = testUid(1000 + number);
  const all = { ...sliceAttributes(image, k), SOPInstanceUID, InstanceNumber: String(number), ...attributes };
  return readDicomInstance(memoryFile(name, encodePart10(all)));
}

/** The volume whose slices, by name, are those of one volume of {@link series}. */
function namesOf({ instances }: { readonly instances: readonly DicomInstance[] }): string[] {
  return instances.map(({ file }) => file.name).toSorted();
}

const namesIn = (volume: number, slices = [0, 1, 2, 3, 4, 5]): string[] => slices.map((k) => `v${volume}-${k}.dcm`);

describe('a position that is repeated', () => {
  const repeats: [string, DicomAttributes][] = [
    ['nothing', {}],
    ['its acquisition time', { AcquisitionTime: '120059' }],
    ['its content time', { ContentTime: '120059' }],
    ['its acquisition number', { AcquisitionNumber: '2' }],
    ['its instance number', { InstanceNumber: '99' }],
    ['its image type', { ImageType: ['DERIVED', 'SECONDARY'] }],
  ];

  it.each(repeats)('differing in %s is an error that names the place and both files', async (_, change) => {
    const once = await series(1, ({ k }) => ({
      AcquisitionTime: `12000${k}`,
      ContentTime: `12000${k}`,
      AcquisitionNumber: '1',
      ImageType: ['ORIGINAL', 'PRIMARY'],
    }));
    const again = await instance(
      'again.dcm',
      { volume: 0, k: 2, number: 3 },
      {
        AcquisitionTime: '120002',
        ContentTime: '120002',
        AcquisitionNumber: '1',
        ImageType: ['ORIGINAL', 'PRIMARY'],
        ...change,
      },
    );
    const position = sliceAttributes(image, 2).ImagePositionPatient as string[];
    expect(() => volumesOf([again, ...once])).toThrow(
      expect.objectContaining({
        code: 'duplicate-slices',
        message: textContaining(`v0-2.dcm lie at (${position.map(Number).join(', ')}) mm`),
        details: { files: ['again.dcm', 'v0-2.dcm'], positions: 6, repeated: 1 },
      }),
    );
  });

  it('and two that are, too', async () => {
    const once = await series(1);
    const again = [2, 4].map((k) => instance(`again-${k}.dcm`, { volume: 0, k, number: 90 + k }, { EchoTime: '9' }));
    expect(volumesOf(once).volumes).toHaveLength(1);
    const all = [...once, ...(await Promise.all(again))];
    expect(() => volumesOf(all)).toThrow(expect.objectContaining({ code: 'duplicate-slices' }));
  });
});

describe('volumes are told apart by', () => {
  const times = (values: readonly (string | number)[], keyword: keyof DicomAttributes) =>
    series(3, ({ volume }) => ({ [keyword]: values[volume] }));

  it.each<[keyof DicomAttributes, readonly (string | number)[], readonly string[]]>([
    ['TriggerTime', ['0', '274', '548'], ['TriggerTime 0 ms', 'TriggerTime 274 ms', 'TriggerTime 548 ms']],
    ['EchoTime', ['4.6', '9.2', '13.8'], ['EchoTime 4.6 ms', 'EchoTime 9.2 ms', 'EchoTime 13.8 ms']],
    ['KVP', ['80', '100', '140'], ['KVP 80 kV', 'KVP 100 kV', 'KVP 140 kV']],
    [
      'FrameReferenceTime',
      ['1000', '2000', '3000'],
      ['FrameReferenceTime 1000 ms', 'FrameReferenceTime 2000 ms', 'FrameReferenceTime 3000 ms'],
    ],
    [
      'DiffusionBValue',
      [0, 500, 1000],
      ['DiffusionBValue 0 s/mm²', 'DiffusionBValue 500 s/mm²', 'DiffusionBValue 1000 s/mm²'],
    ],
    [
      'NominalPercentageOfCardiacPhase',
      [0, 40, 75],
      [
        'NominalPercentageOfCardiacPhase 0 %',
        'NominalPercentageOfCardiacPhase 40 %',
        'NominalPercentageOfCardiacPhase 75 %',
      ],
    ],
    [
      'ContentTime',
      ['120000', '120001.5', '120100'],
      ['ContentTime + 0 s', 'ContentTime + 1.5 s', 'ContentTime + 60 s'],
    ],
    [
      'AcquisitionDateTime',
      ['20200101235959', '20200102000000.5', '20200102000100'],
      ['AcquisitionDateTime + 0 s', 'AcquisitionDateTime + 1.5 s', 'AcquisitionDateTime + 61 s'],
    ],
    ['SeriesTime', ['1200', '1201', '13'], ['SeriesTime + 0 s', 'SeriesTime + 60 s', 'SeriesTime + 3600 s']],
    [
      'SequenceName',
      ['ep_b0', 'ep_b1000#1', 'ep_b1000#2'],
      ['SequenceName ep_b0', 'SequenceName ep_b1000#1', 'SequenceName ep_b1000#2'],
    ],
  ])('%s', async (keyword, values, labels) => {
    const { volumes, notices, leftOut } = volumesOf(await times(values, keyword));
    expect(volumes.map(({ phase, label }) => [phase, label])).toEqual(labels.map((label, n) => [n + 1, label]));
    expect(volumes.map(namesOf)).toEqual([namesIn(0), namesIn(1), namesIn(2)]);
    expect([notices, leftOut]).toEqual([[], []]);
  });

  it.each<[string, (volume: number) => DicomAttributes, readonly string[]]>([
    [
      'GE',
      (volume) => ({ PrivateCreator0043: 'GEMS_PARM_01', GEBValues: [[0, 500, 1_000_001_000][volume] ?? 0, 8, 0, 0] }),
      ['0', '500', '1000'],
    ],
    [
      'Siemens',
      (volume) => ({ PrivateCreator0019: 'SIEMENS MR HEADER', SiemensBValue: [0, 500, 1000][volume] }),
      ['0', '500', '1000'],
    ],
    [
      'Philips',
      (volume) => ({ PrivateCreator2001: 'Philips Imaging DD 001', PhilipsBValue: [0, 500, 1000][volume] }),
      ['0', '500', '1000'],
    ],
    [
      'UIH',
      (volume) => ({ PrivateCreator0065: 'Image Private Header', UIHBValue: [0, 500, 1000][volume] }),
      ['0', '500', '1000'],
    ],
  ])('the b-value that %s keeps to itself', async (maker, change, values) => {
    const { volumes } = volumesOf(await series(3, ({ volume }) => change(volume)));
    expect(volumes.map(({ label }) => label)).toEqual(values.map((value) => `b-value (${maker}) ${value} s/mm²`));
    expect(volumes.map(namesOf)).toEqual([namesIn(0), namesIn(1), namesIn(2)]);
  });

  it('no private attribute of another maker', async () => {
    const { notices } = volumesOf(
      await series(2, ({ volume }) => ({ PrivateCreator0043: 'SOMEBODY', GEBValues: [500 * volume, 8, 0, 0] })),
    );
    expect(notices).toMatchObject([{ code: 'volumes-by-order' }]);
  });

  it('the file, where each holds one', async () => {
    const files = ['a.dcm', 'b.dcm'].map((name) => ({ ...enhancedPhantom(image), name }));
    const instances = await Promise.all(files.map((file) => readDicomInstance(file)));
    const { volumes, notices } = volumesOf(instances);
    expect(volumes.map(({ label }) => label)).toEqual(['file a.dcm', 'file b.dcm']);
    expect(volumes.map(namesOf)).toEqual([['a.dcm'], ['b.dcm']]);
    expect(notices).toEqual([]);
  });

  it('the index of a dimension that an enhanced image declares', async () => {
    const file = enhancedPhantom(image, {
      volumes: 2,
      change: {
        PerFrameFunctionalGroupsSequence: Array.from({ length: 12 }, (_, n) => ({
          PlanePositionSequence: [{ ImagePositionPatient: sliceAttributes(image, n % 6).ImagePositionPatient }],
          FrameContentSequence: [
            { StackID: '1', TemporalPositionIndex: 1, DimensionIndexValues: [1, (n % 6) + 1, n < 6 ? 1 : 2] },
          ],
        })),
      },
    });
    const { volumes, notices } = volumesOf([await readDicomInstance(file)]);
    expect(volumes.map(({ label }) => label)).toEqual(['index of dimension 3 1', 'index of dimension 3 2']);
    expect(
      volumes.map(({ slices }) => slices.map(({ header }) => header.frameIndex).toSorted((a, b) => a - b)),
    ).toEqual([
      [0, 1, 2, 3, 4, 5],
      [6, 7, 8, 9, 10, 11],
    ]);
    expect(notices).toEqual([]);
  });

  it.each([
    ['volume after volume', ({ number }: SliceOfVolume) => number],
    ['slice after slice', ({ volume, k }: SliceOfVolume) => 3 * k + volume + 1],
    ['with gaps', ({ number }: SliceOfVolume) => 7 * number + (number % 3)],
  ])('their order at last, %s, with a warning', async (_, numberOf) => {
    const { volumes, notices } = volumesOf(
      await series(3, (slice) => ({ InstanceNumber: String(numberOf(slice)), AcquisitionTime: '120000' })),
    );
    expect(volumes.map(namesOf)).toEqual([namesIn(0), namesIn(1), namesIn(2)]);
    expect(notices).toMatchObject([{ code: 'volumes-by-order', message: textContaining('InstanceNumber') }]);
  });

  it('their order only where all positions hold equally many', async () => {
    const lacking = await series(3, ({ volume, k }) => (volume === 1 && k === 3 ? undefined : {}));
    expect(() => volumesOf(lacking)).toThrow(expect.objectContaining({ code: 'duplicate-slices' }));
  });
});

describe('a volume that lacks slices', () => {
  it('is left out and named where the others lack none', async () => {
    const { volumes, leftOut, notices } = volumesOf(
      await series(3, ({ volume, k }) => (volume === 2 && k > 2 ? undefined : { TriggerTime: String(100 * volume) })),
    );
    expect(volumes.map(namesOf)).toEqual([namesIn(0), namesIn(1)]);
    expect(leftOut.map(({ reason, ...images }) => [reason, namesOf(images)])).toEqual([
      ['incomplete-volume', namesIn(2, [0, 1, 2])],
    ]);
    expect(notices).toMatchObject([
      {
        code: 'incomplete-volume',
        message: textContaining(
          '(TriggerTime 200 ms) has 3 of 6 slices and was left out: v2-0.dcm, v2-1.dcm and v2-2.dcm',
        ),
      },
    ]);
  });

  it('is one by itself where it is a regular run: phases may differ in their extent', async () => {
    const { volumes, leftOut } = volumesOf(
      await series(2, ({ volume, k }) => (volume === 1 && k > 3 ? undefined : { AcquisitionNumber: String(volume) })),
    );
    expect(volumes.map(namesOf)).toEqual([namesIn(0), namesIn(1, [0, 1, 2, 3])]);
    expect(leftOut).toEqual([]);
  });
});

describe('stacks', () => {
  const stacked = (stackOf: (k: number) => string) =>
    enhancedPhantom(image, {
      change: {
        PerFrameFunctionalGroupsSequence: Array.from({ length: 6 }, (_, n) => ({
          PlanePositionSequence: [{ ImagePositionPatient: sliceAttributes(image, n).ImagePositionPatient }],
          FrameContentSequence: [{ StackID: stackOf(n) }],
        })),
      },
    });

  it.each([
    ['interleaved by two', (k: number) => String(k % 2)],
    ['interleaved by three', (k: number) => String(k % 3)],
    ['one after the other', (k: number) => (k < 3 ? 'A' : 'B')],
  ])('%s that form one regular volume are one', async (_, stackOf) => {
    const { volumes } = volumesOf([await readDicomInstance(stacked(stackOf))]);
    expect(volumes.map(({ label, slices }) => [label, slices.length])).toEqual([['', 6]]);
  });
});
