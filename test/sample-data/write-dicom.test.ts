import { beforeAll, describe, expect, it } from 'vitest';
import { createShortAxisHeart, type ShortAxisHeart } from '../../sample-data/short-axis-heart.ts';
import { encodeDicomPhase, uidOf, type DicomFile } from '../../sample-data/write-dicom.ts';
import { readVolume } from '../../src/series/read-volume.ts';
import type { SourceFile } from '../../src/io/reader.ts';
import { gridDistanceMm } from '../../src/volume/geometry.ts';

let heart: ShortAxisHeart;

beforeAll(() => {
  heart = createShortAxisHeart({ size: 64, slices: 5, phases: 3, supersampling: [1, 1, 1] });
});

describe('encodeDicomPhase', () => {
  it.each(['explicit', 'implicit'] as const)(
    'writes a series in %s VR that reads as the same volume',
    async (syntax) => {
      const { volume, warnings } = await readVolume(
        sourceFiles(encodeDicomPhase(heart, 1, { transferSyntax: syntax })),
      );
      expect(warnings).toEqual([]);
      expect(Array.from(volume.voxels)).toEqual(Array.from(heart.phases[1]?.voxels ?? []));
      // Positions are written to a millionth of a millimetre, orientations to a millionth.
      expect(gridDistanceMm(volume.geometry, heart.geometry)).toBeLessThan(0.001);
      expect([volume.modality, volume.bodyPartExamined]).toEqual(['MR', 'HEART']);
    },
  );

  it('writes the same values with 16 bits stored', async () => {
    const { volume } = await readVolume(sourceFiles(encodeDicomPhase(heart, 0, { bitsStored: 16 })));
    expect(Array.from(volume.voxels)).toEqual(Array.from(heart.phases[0]?.voxels ?? []));
  });

  it('names files without a hint of their order', async () => {
    const files = encodeDicomPhase(heart, 0);
    const { volume } = await readVolume(sourceFiles(files));
    const order = volume.source?.instances.map(({ sopInstanceUID }) =>
      files.findIndex(({ bytes }) => Buffer.from(bytes).includes(sopInstanceUID)),
    );
    expect(order?.toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4]);
    expect(order).not.toEqual([0, 1, 2, 3, 4]);
    expect(order).not.toEqual([4, 3, 2, 1, 0]);
  });

  it('makes all phases one series, which is more than one volume', async () => {
    const files = [0, 1, 2].flatMap((phase) => encodeDicomPhase(heart, phase));
    await expect(readVolume(sourceFiles(files))).rejects.toMatchObject({ code: 'several-volumes' });
  });

  it('makes the same bytes again', () => {
    const [first, again] = [encodeDicomPhase(heart, 0), encodeDicomPhase(heart, 0)];
    expect(first.map(({ name }) => name)).toEqual(again.map(({ name }) => name));
    expect(first.every(({ bytes }, n) => Buffer.from(bytes).equals(again[n]?.bytes ?? Buffer.of()))).toBe(true);
  });

  it('refuses a phase that is not there', () => {
    expect(() => encodeDicomPhase(heart, 3)).toThrow(RangeError);
  });
});

describe('uidOf', () => {
  it('gives valid UIDs, one for each text', () => {
    const uids = Array.from({ length: 500 }, (_, n) => uidOf(`text ${n}`));
    expect(new Set(uids).size).toBe(500);
    // PS3.5 9.1: 64 characters, no component with a leading zero.
    for (const uid of uids) expect(uid).toMatch(/^2\.25\.(0|[1-9]\d{0,38})$/);
  });
});

function sourceFiles(files: readonly DicomFile[]): SourceFile[] {
  return files.map(({ name, bytes }) => ({
    name,
    byteLength: bytes.byteLength,
    readHead: (byteLength) => Promise.resolve(bytes.subarray(0, byteLength)),
    read: () => Promise.resolve(bytes),
  }));
}
