import { readdirSync, readFileSync } from 'node:fs';
import { Uint8ArrayReader, Uint8ArrayWriter, ZipWriter } from '@zip.js/zip.js';
import { gzipSync } from 'node:zlib';
import type { SourceFile } from '../../src/io/reader.ts';
import { memoryFile } from '../support/memory-file.ts';
import { mosaicPhantom } from '../support/mosaic.ts';
import { mutateBytes } from '../support/mutations.ts';
import { BIG_ENDIAN, DEFLATED, IMPLICIT } from '../support/part10.ts';
import { dicomPhantom, enhancedPhantom, niftiPairPhantom, niftiPhantom, phantom } from '../support/phantom.ts';
import { pick, type FuzzInput, type FuzzTarget, type Random } from './target.ts';

// Files: DICOM, NIfTI, archives. Seeds come from the generators of the tests and from test/fixtures.

interface Seed {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** Files beside it. */
  readonly others: readonly SourceFile[];
}

async function seedOf([file, ...others]: readonly SourceFile[]): Promise<Seed> {
  if (file === undefined) throw new RangeError('a seed has a file');
  return { name: file.name, bytes: await file.read(), others };
}

export async function dicomSeeds(): Promise<Seed[]> {
  const image = phantom();
  const noChange = () => ({});
  const folder = new URL('../fixtures/dicom/', import.meta.url);
  const compressed = readdirSync(folder)
    .filter((name) => name.endsWith('.dcm'))
    .map((name) => [memoryFile(name, new Uint8Array(readFileSync(new URL(name, folder))))]);
  return Promise.all(
    [
      ...compressed,
      dicomPhantom(image),
      dicomPhantom(image, noChange, { transferSyntaxUID: IMPLICIT }),
      dicomPhantom(image, noChange, { transferSyntaxUID: BIG_ENDIAN }),
      dicomPhantom(image, noChange, { transferSyntaxUID: DEFLATED }),
      [enhancedPhantom(image)],
      [enhancedPhantom(image, { options: { undefinedLengths: true, transferSyntaxUID: IMPLICIT } })],
      [mosaicPhantom(image)],
    ].map(async (files, n) => {
      const seed = await seedOf(files);
      // Files of several seeds have one name, and the others of a seed are found by it.
      return { ...seed, name: `${n}-${seed.name}` };
    }),
  );
}

/** Half of the inputs are changed anywhere, half where headers are, or (`pixels`) where pixels are. */
export function mutatedFile(random: Random, { name, bytes }: Seed, where: 'headers' | 'pixels' = 'headers'): FuzzInput {
  const middle = Math.floor(bytes.length / 2);
  const range: [number, number] = where === 'headers' ? [0, Math.min(bytes.length, 4000)] : [middle, bytes.length];
  return { name, bytes: mutateBytes(bytes, random, random() < 0.5 ? [0, bytes.length] : range) };
}

async function fileTarget(seeds: readonly Seed[], where?: 'headers' | 'pixels') {
  const { readVolume, describeVolumes } = await import('../../src/series/read-volume.ts');
  const othersOf = new Map(seeds.map(({ name, others }) => [name, others]));
  return {
    make: (random: Random) => mutatedFile(random, pick(random, seeds), where),
    run: async ({ name, bytes }: FuzzInput) => {
      const files = [memoryFile(name, bytes), ...(othersOf.get(name) ?? [])];
      await describeVolumes(files);
      await readVolume(files);
    },
  };
}

export const dicomTargets: readonly FuzzTarget[] = [
  {
    name: 'dicom-data-set',
    share: 40,
    async open() {
      const { parseDicom } = await import('../../src/dicom/read-dicom.ts');
      const { sliceHeaders } = await import('../../src/series/slice-header.ts');
      const seeds = await dicomSeeds();
      return {
        make: (random) => mutatedFile(random, pick(random, seeds)),
        run: ({ name, bytes }) => sliceHeaders(parseDicom(bytes, name), name, bytes.length),
      };
    },
  },
  { name: 'dicom-series', share: 12, open: async () => fileTarget(await dicomSeeds()) },
  {
    name: 'codecs',
    share: 8,
    open: async () =>
      fileTarget(
        (await dicomSeeds()).filter(({ name }) => /jpeg|htj2k|rle/.test(name)),
        'pixels',
      ),
  },
  {
    name: 'nifti',
    share: 14,
    async open() {
      const image = phantom();
      const plain = niftiPhantom(image);
      const zipped = memoryFile('a.nii.gz', gzipSync(await plain.read()));
      return fileTarget(await Promise.all([[plain], [zipped], niftiPairPhantom(image)].map(seedOf)));
    },
  },
  {
    name: 'nifti-labelmap',
    share: 14,
    async open() {
      const { readNiftiLabelmap } = await import('../../src/nifti/read-nifti.ts');
      const { encodeNiftiLabelmap } = await import('../../src/nifti/encode-nifti.ts');
      const { testLabelmap } = await import('../support/labelled-series.ts');
      const labelmap = testLabelmap([0, 0, 1, 2, 3]);
      const seeds: Seed[] = [
        { name: 'a.nii', bytes: await encodeNiftiLabelmap(labelmap, { gzip: false }), others: [] },
        { name: 'a.nii.gz', bytes: await encodeNiftiLabelmap(labelmap, { gzip: true }), others: [] },
      ];
      return {
        make: (random) => mutatedFile(random, pick(random, seeds)),
        run: ({ name, bytes }) => readNiftiLabelmap(memoryFile(name, bytes)),
      };
    },
  },
  {
    name: 'archives',
    share: 6,
    async open() {
      const files = dicomPhantom(phantom());
      const writer = new ZipWriter(new Uint8ArrayWriter());
      for (const file of files) await writer.add(`series/${file.name}`, new Uint8ArrayReader(await file.read()));
      const zip = await writer.close();
      const gz = gzipSync(await (files[0] ?? memoryFile('', new Uint8Array())).read());
      return fileTarget([
        { name: 'series.zip', bytes: zip, others: [] },
        { name: 'slice.dcm.gz', bytes: gz, others: files.slice(1) },
      ]);
    },
  },
  {
    name: 'csa-header',
    share: 30,
    async open() {
      const { parseCsaHeader } = await import('../../src/series/mosaic.ts');
      const { encodeCsaHeader } = await import('../support/mosaic.ts');
      const fields = [
        ['NumberOfImagesInMosaic', ['9']],
        ['SliceNormalVector', ['0.0', '0.5', '0.866']],
      ] as const;
      const seeds = (['CSA1', 'CSA2'] as const).map((form) => encodeCsaHeader(fields, form));
      return {
        make: (random) => ({ name: 'csa', bytes: mutateBytes(pick(random, seeds), random) }),
        run: ({ bytes }) => parseCsaHeader(bytes),
      };
    },
  },
  {
    name: 'text',
    share: 40,
    async open() {
      const { decodeText } = await import('../../src/dicom/dicom-values.ts');
      const sets = ['', 'ISO_IR 100', 'ISO_IR 192', 'GB18030', '\\ISO 2022 IR 87', 'ISO 2022 IR 13\\ISO 2022 IR 87'];
      const odd = ['\\ISO 2022 IR 149', 'ISO 2022 IR 999', '\\\\\\', 'ISO_IR 192\\ISO 2022 IR 58'];
      const seed = Buffer.from(
        'Yamada^Tarou=\u001B$B;3ED\u001B(B^\u001B$BB@O:\u001B(B=\u001B$B$d$^$@\u001B(B',
        'latin1',
      );
      return {
        make: (random) => ({
          name: `${pick(random, ['PN', 'LO', 'UT', 'ST'])} ${pick(random, [...sets, ...odd])}`,
          bytes: mutateBytes(seed, random),
        }),
        run: ({ name, bytes }) => decodeText(bytes, name.slice(3), name.slice(0, 2)),
      };
    },
  },
  {
    name: 'dicom-seg',
    share: 12,
    async open() {
      const { encodeDicomSeg } = await import('../../src/seg/encode-dicom-seg.ts');
      const { readDicomSeg, readDicomSegLayers } = await import('../../src/seg/read-dicom-seg.ts');
      const { obliqueGeometry, seriesOn, testLabelmap, testProvenance } = await import('../support/labelled-series.ts');
      const { overlappingSegFile } = await import('../support/seg-files.ts');
      const labelmap = testLabelmap([0, 0, 1, 2, 2, 0, 3], { geometry: obliqueGeometry([23, 17, 6]) });
      const source = seriesOn(labelmap.geometry);
      const reference = { geometry: labelmap.geometry, source };
      const forms = [{}, { segType: 'labelmap' }, { segType: 'labelmap', compress: true }] as const;
      const seeds: Seed[] = [{ name: 'overlapping', bytes: await overlappingSegFile(), others: [] }];
      for (const form of forms) {
        const { parts } = await encodeDicomSeg(labelmap, source, {
          provenance: testProvenance,
          now: new Date(0),
          ...form,
        });
        seeds.push({ name: JSON.stringify(form), bytes: Buffer.concat(parts), others: [] });
      }
      return {
        make: (random) => mutatedFile(random, pick(random, seeds)),
        run: async ({ name, bytes }) => {
          await readDicomSegLayers(bytes, { name });
          await readDicomSeg(bytes, { name, reference });
        },
      };
    },
  },
];
