import fc from 'fast-check';
import { readdirSync, readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { InputError } from '../../src/errors.ts';
import type { ReadResult, SourceFile } from '../../src/io/reader.ts';
import { voxelCount } from '../../src/volume/geometry.ts';
import { encodeJpeg2000 } from '../support/jpeg-2000.ts';
import { memoryFile } from '../support/memory-file.ts';
import { mutations } from '../support/mutation.ts';
import { BIG_ENDIAN, DEFLATED, IMPLICIT } from '../support/part10.ts';
import {
  dicomPhantom,
  enhancedPhantom,
  niftiPairPhantom,
  niftiPhantom,
  phantom,
  type Phantom,
} from '../support/phantom.ts';
import { encodeRle } from '../support/rle.ts';
import { dicomReader, niftiReader, type WholeReader } from '../support/whole-reader.ts';
import { startCpuClock } from '../support/cpu-clock.ts';

/** The first file of each list is the one that is damaged. */
type Sample = readonly SourceFile[];

const MUTATIONS = 2000;
const MAX_MS = 2000;
const MAX_BYTES = 2 ** 30;

async function dicomSamples(): Promise<Sample[]> {
  const image = phantom();
  const noChange = () => ({});
  const folder = new URL('../fixtures/dicom/', import.meta.url);
  const compressed = readdirSync(folder)
    .filter((name) => name.endsWith('.dcm'))
    .map((name) => [memoryFile(name, new Uint8Array(readFileSync(new URL(name, folder))))]);
  return [
    ...compressed,
    dicomPhantom(image),
    dicomPhantom(image, noChange, { transferSyntaxUID: IMPLICIT }),
    dicomPhantom(image, noChange, { transferSyntaxUID: BIG_ENDIAN }),
    dicomPhantom(image, noChange, { transferSyntaxUID: DEFLATED }),
    [enhancedPhantom(image)],
    [enhancedPhantom(image, { options: { undefinedLengths: true, transferSyntaxUID: IMPLICIT } })],
    await encapsulated('1.2.840.10008.1.2.5', (values) => Promise.resolve(encodeRle(values))),
    await encapsulated('1.2.840.10008.1.2.4.90', (values) =>
      encodeJpeg2000(values, { rows: 30, columns: 40, bitsAllocated: 16, bitsStored: 16, isSigned: true }),
    ),
  ];
}

async function encapsulated(
  transferSyntaxUID: string,
  encode: (values: Int16Array) => Promise<Uint8Array>,
): Promise<Sample> {
  const image: Phantom = phantom([40, 30, 1]);
  return dicomPhantom(image, () => ({ PixelData: undefined }), {
    transferSyntaxUID,
    fragments: [await encode(image.voxels)],
  });
}

function niftiSamples(): Sample[] {
  return [
    [niftiPhantom()],
    [niftiPhantom(phantom(), { littleEndian: false })],
    [niftiPhantom(phantom(), { gzip: true })],
    [niftiPhantom(phantom(), { version: 2 })],
    [niftiPhantom(phantom(), { version: 2, gzip: true })],
    niftiPairPhantom(),
    [...niftiPairPhantom()].reverse(),
  ];
}

describe.each([
  ['DICOM', dicomReader, dicomSamples],
  ['NIfTI', niftiReader, () => Promise.resolve(niftiSamples())],
] as const)('%s: a damaged file', (_, reader, samplesOf) => {
  let samples: Sample[];

  beforeAll(async () => {
    samples = await samplesOf();
    // Loads the codecs.
    for (const sample of samples) await reader.read(sample);
  });

  it(`in ${MUTATIONS} ways gives a volume or a typed error, in 2 s and 1 GB`, async () => {
    const begin = process.resourceUsage().maxRSS;
    await fc.assert(
      fc.asyncProperty(fc.nat(), mutations, fc.boolean(), async (n, mutate, resample) => {
        const [first, ...rest] = samples[n % samples.length] ?? [];
        if (first === undefined) throw new Error('A sample has a file.');
        const files = [memoryFile(first.name, mutate(await first.read())), ...rest];
        const cpuMs = startCpuClock();
        expectTyped(await outcomeOf(reader, files, resample));
        expect(cpuMs()).toBeLessThan(MAX_MS);
      }),
      { numRuns: MUTATIONS },
    );
    expect(1024 * (process.resourceUsage().maxRSS - begin)).toBeLessThan(MAX_BYTES);
  });
});

async function outcomeOf(reader: WholeReader, files: Sample, resample: boolean): Promise<unknown> {
  try {
    return await reader.read(files, { resample });
  } catch (error) {
    return error;
  }
}

function expectTyped(outcome: unknown): void {
  if (outcome instanceof Error) {
    expect(outcome).toBeInstanceOf(InputError);
    return;
  }
  const { volume } = outcome as ReadResult;
  expect(volume.voxels).toHaveLength(voxelCount(volume.geometry));
}
