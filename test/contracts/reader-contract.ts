import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InputError } from '../../src/errors.ts';
import type { SourceFile, VolumeReader } from '../../src/io/reader.ts';
import type { ReadVolumeResult } from '../../src/series/read-volume.ts';
import { gridDistanceMm, indexToWorld, worldToIndex, type IndexPoint } from '../../src/volume/geometry.ts';
import { memoryFile } from '../support/memory-file.ts';
import { phantom, type Phantom } from '../support/phantom.ts';
import { wholeReader } from '../support/whole-reader.ts';

/** What every VolumeReader must do.
 * @param filesOf encodes a phantom in the reader's format */
export function describeReaderContract(
  name: string,
  { reader: own, filesOf }: { readonly reader: VolumeReader; readonly filesOf: (image: Phantom) => SourceFile[] },
): void {
  const reader = wholeReader(own);
  describe(`reader contract: ${name}`, () => {
    const image = phantom();

    it('accepts its own files by their head, and no others', async () => {
      const names = filesOf(image).map(({ name }) => name);
      for (const file of filesOf(image)) {
        expect(reader.accepts(await file.readHead(352), file.name, names)).toBe(true);
      }
      expect(reader.accepts(new TextEncoder().encode('{"not": "an image"}'), 'notes.json')).toBe(false);
      expect(reader.accepts(new Uint8Array(0), 'empty')).toBe(false);
    });

    it('puts every voxel where the phantom has it in the patient', async () => {
      const { volume } = await reader.read(filesOf(image));
      expect(volume.voxels).toHaveLength(image.voxels.length);
      const [width, height] = volume.geometry.dimensions;
      for (const [at, index] of indices(image).entries()) {
        const [i, j, k] = worldToIndex(volume.geometry, indexToWorld(image.geometry, index));
        const nearest = [i, j, k].map(Math.round) as [number, number, number];
        // 1e-3 of a voxel: positions have 16 characters in DICOM and 24 bits in NIfTI.
        expect(Math.max(...[i, j, k].map((x, axis) => Math.abs(x - (nearest[axis] ?? NaN))))).toBeLessThan(1e-3);
        expect(volume.voxels[nearest[0] + width * (nearest[1] + height * nearest[2])]).toBe(image.voxels[at]);
      }
    });

    it('gives the same volume whatever the order of the files', async () => {
      const files = filesOf(image);
      const expected = await reader.read(files);
      await fc.assert(
        fc.asyncProperty(fc.shuffledSubarray(files, { minLength: files.length }), async (shuffled) => {
          expect(await reader.read(shuffled)).toEqual(expected);
        }),
        { numRuns: 10 },
      );
    });

    it('reads a volume of one slice', async () => {
      const flat = phantom([6, 3, 1]);
      const { volume } = await reader.read(filesOf(flat));
      expect(volume.geometry.dimensions).toEqual([6, 3, 1]);
      expect(Array.from(volume.voxels)).toEqual(Array.from(flat.voxels));
    });

    it('describes the geometry that it reads', async () => {
      const [description, ...others] = await reader.describe(filesOf(image));
      const { volume } = await reader.read(filesOf(image));
      expect(others).toEqual([]);
      expect(description).toMatchObject({ fileCount: filesOf(image).length });
      expect(description?.problem).toBeUndefined();
      expect(description?.geometry).toBeDefined();
      if (description?.geometry !== undefined) {
        expect(gridDistanceMm(description.geometry, volume.geometry)).toBe(0);
      }
    });

    it('stops at an aborted signal', async () => {
      await expect(reader.read(filesOf(image), { signal: AbortSignal.abort() })).rejects.toThrow(/abort/i);
    });

    it('tells of a file that was cut off: by a typed error with a remedy, or where the others are a volume by a warning', async () => {
      const [first, ...rest] = filesOf(image);
      if (first === undefined) throw new Error('The phantom has no file.');
      const bytes = await first.read();
      await fc.assert(
        fc.asyncProperty(
          fc.integer({ min: Math.min(352, bytes.length >> 1), max: bytes.length - 12 }),
          async (byteLength) => {
            const cut = [memoryFile(first.name, bytes.slice(0, byteLength)), ...rest];
            const outcome = await reader.read(cut).then(
              (result) => result,
              (reason: unknown) => reason,
            );
            if (outcome instanceof InputError) expect(outcome.remedy).not.toBe('');
            else {
              const { leftOutFiles, warnings } = outcome as ReadVolumeResult;
              expect(leftOutFiles.map(({ name: leftOut }) => leftOut)).toEqual([first.name]);
              expect(warnings.at(-1)).toMatchObject({ code: 'incomplete-series' });
            }
            await expect(reader.describe(cut)).resolves.not.toHaveLength(0);
          },
        ),
        { numRuns: 60 },
      );
    });

    it('never fails but with a typed error, whichever byte is changed', async () => {
      const [first, ...rest] = filesOf(image);
      if (first === undefined) throw new Error('The phantom has no file.');
      const bytes = await first.read();
      await fc.assert(
        fc.asyncProperty(fc.nat({ max: bytes.length - 1 }), fc.integer({ min: 0, max: 255 }), async (at, value) => {
          const changed = bytes.slice();
          changed[at] = value;
          const files = [memoryFile(first.name, changed), ...rest];
          try {
            await reader.read(files);
          } catch (error) {
            expect(error).toBeInstanceOf(InputError);
          }
          await reader.describe(files);
        }),
        { numRuns: 300 },
      );
    });
  });
}

function indices({ geometry }: Phantom): IndexPoint[] {
  const [width, height, depth] = geometry.dimensions;
  return Array.from({ length: width * height * depth }, (_, at): IndexPoint => [
    at % width,
    Math.floor(at / width) % height,
    Math.floor(at / (width * height)),
  ]);
}
