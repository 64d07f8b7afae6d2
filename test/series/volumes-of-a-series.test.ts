import { describe, expect, it } from 'vitest';
import type { SourceFile } from '../../src/io/reader.ts';
import { testUid } from '../support/labelled-series.ts';
import { textContaining, textMatching } from '../support/matchers.ts';
import { memoryFile } from '../support/memory-file.ts';
import { encodePart10, type DicomAttributes } from '../support/part10.ts';
import { dicomPhantom, enhancedPhantom, phantom, sliceAttributes } from '../support/phantom.ts';
import { dicomReader } from '../support/whole-reader.ts';

const image = phantom();

/** The phantom once for each of the given attributes; values of copy n are n larger. */
function copies(...changes: ((k: number) => DicomAttributes)[]): SourceFile[] {
  return changes.flatMap((change, n) =>
    [0, 1, 2, 3].map((k) => {
      const attributes = sliceAttributes({ ...image, voxels: image.voxels.map((value) => value + n) }, k);
      const SOPInstanceUID = testUid(1000 + 10 * n + k);
      return memoryFile(`${n}-${k}.dcm`, encodePart10({ ...attributes, SOPInstanceUID, ...change(k) }));
    }),
  );
}

const shown = (n: number): number[] => Array.from(image.voxels, (value) => value + n);

describe('several volumes in one series', () => {
  const echoes = copies(
    () => ({ EchoTime: '10' }),
    () => ({ EchoTime: '9.5' }),
    () => ({ EchoTime: '100' }),
  );

  it('are listed by what tells them apart, in the order of its numbers, and chosen from 1', async () => {
    await expect(dicomReader.read(echoes)).rejects.toMatchObject({
      code: 'several-volumes',
      message: textContaining(
        '3 volumes, not one: 1: EchoTime 9.5 ms (4 images); 2: EchoTime 10 ms (4 images); 3: EchoTime 100 ms (4 images)',
      ),
    });
    for (const [phase, n] of [
      [1, 1],
      [2, 0],
      [3, 2],
    ] as const) {
      const { volume } = await dicomReader.read(echoes, { phase });
      expect(Array.from(volume.voxels)).toEqual(shown(n));
    }
  });

  it('beyond their number are not found', async () => {
    for (const phase of [0, 4, 1.5]) {
      await expect(dicomReader.read(echoes, { phase })).rejects.toMatchObject({ code: 'phase-not-found' });
    }
    await expect(dicomReader.read(dicomPhantom(), { phase: 2 })).rejects.toMatchObject({ code: 'phase-not-found' });
    await expect(dicomReader.read(dicomPhantom(), { phase: 1 })).resolves.toBeDefined();
  });

  it('whose trigger times differ from slice to slice are told apart by their rank', async () => {
    const phases = copies(
      (k) => ({ TriggerTime: String(50 + k) }),
      (k) => ({ TriggerTime: String(10 + k) }),
    );
    await expect(dicomReader.read(phases)).rejects.toMatchObject({
      message: textContaining('1: TriggerTime 10 to 13 ms (4 images); 2: TriggerTime 50 to 53 ms (4 images)'),
    });
    expect(Array.from((await dicomReader.read(phases, { phase: 1 })).volume.voxels)).toEqual(shown(1));
  });

  it('may need two attributes together', async () => {
    const directions = copies(
      () => ({ DiffusionBValue: 0, DiffusionGradientOrientation: [0, 0, 0] }),
      () => ({ DiffusionBValue: 800, DiffusionGradientOrientation: [1, 0, 0] }),
      () => ({ DiffusionBValue: 400, DiffusionGradientOrientation: [1, 0, 0] }),
      () => ({ DiffusionBValue: 800, DiffusionGradientOrientation: [0, 1, 0] }),
    );
    await expect(dicomReader.read(directions)).rejects.toMatchObject({
      message: textMatching(
        /4 volumes.*4: DiffusionBValue 800 s\/mm², DiffusionGradientOrientation 1\\0\\0 \(4 images\)/,
      ),
    });
    expect(Array.from((await dicomReader.read(directions, { phase: 4 })).volume.voxels)).toEqual(shown(1));
  });

  it('of different extent are each complete', async () => {
    const first = copies(() => ({ AcquisitionNumber: '1' }));
    const shorter = [1, 2, 3].map((k) => {
      const attributes = { ...sliceAttributes(image, k), SOPInstanceUID: testUid(2000 + k), AcquisitionNumber: '2' };
      return memoryFile(`other-${k}.dcm`, encodePart10(attributes));
    });
    const { volume } = await dicomReader.read([...first, ...shorter], { phase: 2 });
    expect(volume.geometry.dimensions).toEqual([7, 5, 3]);
  });

  it('are told apart by a time of day, of which only the difference is named', async () => {
    const times = copies(
      () => ({ AcquisitionTime: '101112' }),
      () => ({ AcquisitionTime: '101113' }),
    );
    const error: unknown = await dicomReader.read(times).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'several-volumes', message: textContaining('2: AcquisitionTime + 1 s') });
    expect(JSON.stringify(error)).not.toContain('10111');
  });

  it('of one multi-frame file are chosen the same way, and refer to their frames', async () => {
    const file = enhancedPhantom(image, { volumes: 2 });
    await expect(dicomReader.read([file])).rejects.toMatchObject({
      code: 'several-volumes',
      message: textContaining('2: TemporalPositionIndex 2 (4 images)'),
    });
    const { volume } = await dicomReader.read([file], { phase: 2 });
    expect(Array.from(volume.voxels)).toEqual(shown(1));
    expect(volume.source?.instances.map(({ frameNumber }) => frameNumber)).toEqual([8, 7, 6, 5]);
  });

  it('that lie in stacks are told apart by them first', async () => {
    const file = enhancedPhantom(image, {
      volumes: 2,
      change: {
        PerFrameFunctionalGroupsSequence: Array.from({ length: 8 }, (_, n) => ({
          PlanePositionSequence: [{ ImagePositionPatient: sliceAttributes(image, 3 - (n % 4)).ImagePositionPatient }],
          FrameContentSequence: [{ StackID: n < 4 ? '1' : '2' }],
        })),
      },
    });
    await expect(dicomReader.read([file])).rejects.toMatchObject({
      message: textContaining('2: StackID 2 (4 images)'),
    });
    expect(Array.from((await dicomReader.read([file], { phase: 2 })).volume.voxels)).toEqual(shown(1));
  });
});

describe('localizers', () => {
  it('among the images of a series are left out with a warning', async () => {
    const scout = memoryFile(
      'scout.dcm',
      encodePart10({
        ...sliceAttributes(image, 0),
        SOPInstanceUID: testUid(3000),
        ImageType: ['ORIGINAL', 'PRIMARY', 'LOCALIZER'],
        ImageOrientationPatient: ['0', '1', '0', '0', '0', '-1'],
      }),
    );
    const { volume, warnings } = await dicomReader.read([scout, ...dicomPhantom(image)]);
    expect(Array.from(volume.voxels)).toEqual(shown(0));
    expect(warnings.map(({ code }) => code)).toEqual(['localizers-left-out']);
    await expect(dicomReader.read([scout])).resolves.toBeDefined();
  });
});
