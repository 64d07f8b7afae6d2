import { readFileSync } from 'node:fs';
import { adaptersSEG } from '@cornerstonejs/adapters';
import { metaData } from '@cornerstonejs/core';
import { decoders } from '@cornerstonejs/dicom-image-loader';
import { Enums, metaData as metadata, registerDefaultProviders, utilities } from '@cornerstonejs/metadata';
import { beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { RLE_LOSSLESS } from '../../src/dicom/transfer-syntaxes.ts';
import { judgedSeries, ODD_LENGTH, testEachSeries, UNALIGNED, type JudgedSeries } from './judged-series.ts';
import { imageId, sourceMetadata } from './source-metadata.ts';

/** What OHIF 3.13 does when a stored segmentation is opened: the instance is fetched whole, its frames are registered, each
 * is decoded as an image of its own, and the adapters put them together. */
describe('OHIF 3.13 (the packages it loads segmentations with)', () => {
  beforeAll(() => {
    registerDefaultProviders();
  });

  testEachSeries(
    'every voxel of BINARY is read as it was',
    async (judged) => {
      expect(await voxelsThatDiffer(judged, judged.segFile, 'bitmap')).toBe(0);
    },
    { except: [UNALIGNED, ODD_LENGTH] },
  );

  for (const encoding of ['raw', 'RLE'] as const) {
    testEachSeries(`every voxel of LABELMAP (${encoding}) is read as it was`, async (judged) => {
      expect(await voxelsThatDiffer(judged, judged.labelmapFiles[encoding], 'labelmap')).toBe(0);
    });
  }

  test('BINARY frames that are no whole bytes are misread without a word: such a labelmap is to be a LABELMAP', async () => {
    // Theirs to mend: dcmjs 0.52 takes the highest bit of a byte for the first pixel there (PS3.5 8.1.1: the lowest).
    const judged = await judgedSeries(UNALIGNED);
    expect(await voxelsThatDiffer(judged, judged.segFile, 'bitmap')).toBeGreaterThan(1000);
  });

  test('BINARY frames with a byte of padding are refused', async () => {
    const judged = await judgedSeries(ODD_LENGTH);
    await expect(voxelsThatDiffer(judged, judged.segFile, 'bitmap')).rejects.toThrow(
      /does not match the actual length/,
    );
  });
});

const frameSchema = z.object({
  transferSyntaxUid: z.string(),
  pixelData: z.union([z.instanceof(Uint8Array), z.array(z.instanceof(Uint8Array))]),
});
const instanceSchema = z.looseObject({
  NumberOfFrames: z.coerce.number(),
  BitsAllocated: z.coerce.number(),
  Rows: z.coerce.number(),
  Columns: z.coerce.number(),
});
const loadedSchema = z.object({
  labelMapImages: z.array(
    z.array(
      z.object({
        voxelManager: z.custom<{ getScalarData(): Uint8Array }>(
          (value) => typeof value === 'object' && value !== null && 'getScalarData' in value,
        ),
      }),
    ),
  ),
  overlappingSegments: z.literal(false),
});

let opened = 0;

async function voxelsThatDiffer(
  judged: JudgedSeries,
  file: string,
  parserType: 'bitmap' | 'labelmap',
): Promise<number> {
  const number = ++opened;
  const frameId = (frame: number): string =>
    `wadors:http://pacs/studies/1/series/2/instances/${number}/frames/${frame}`;
  const segId = frameId(1);
  const ofSources = sourceMetadata(judged);
  await utilities.addDicomPart10Instance(segId, new Uint8Array(readFileSync(file)).buffer);
  const instance: unknown = metadata.getMetaData(Enums.MetadataModules.NATURALIZED, segId);
  const seg = instanceSchema.parse(instance);
  const ofSeg = (type: string, id: unknown): unknown => (type === 'instance' && id === segId ? instance : undefined);
  for (const provider of [ofSources, ofSeg]) metaData.addProvider(provider, 10_000);
  try {
    const loaded: unknown = await adaptersSEG.Cornerstone3D.Segmentation.createFromDicomSegImageId(
      judged.source.instances.map((source) => imageId(source.sopInstanceUID)),
      segId,
      {
        metadataProvider: metaData,
        parserType,
        frameImageIds: Array.from({ length: seg.NumberOfFrames }, (_, at) => frameId(at + 1)),
        decodeImageData: (_: string, frame: number) => decodeFrame(segId, frame - 1, seg),
      },
    );
    const [images = []] = loadedSchema.parse(loaded).labelMapImages;
    const voxels = images.flatMap((image) => [...image.voxelManager.getScalarData()]);
    expect(voxels).toHaveLength(judged.labelmap.voxels.length);
    return judged.labelmap.voxels.filter((label, at) => label !== voxels[at]).length;
  } finally {
    for (const provider of [ofSources, ofSeg]) metaData.removeProvider(provider);
  }
}

/** The image loader decodes in a web worker, with these decoders. */
async function decodeFrame(
  segId: string,
  frameIndex: number,
  { Rows, Columns, BitsAllocated }: z.infer<typeof instanceSchema>,
): Promise<Uint8Array> {
  const stored: unknown = metadata.getTyped(Enums.MetadataModules.COMPRESSED_FRAME_DATA, segId, { frameIndex });
  const { transferSyntaxUid, pixelData } = frameSchema.parse(stored);
  const bytes = new Uint8Array(Buffer.concat([pixelData].flat()));
  if (transferSyntaxUid !== RLE_LOSSLESS) return bytes;
  const image = { rows: Rows, columns: Columns, bitsAllocated: BitsAllocated, samplesPerPixel: 1 };
  const decoded: unknown = await decoders.RLE(image as Parameters<typeof decoders.RLE>[0], bytes);
  return z.object({ pixelData: z.instanceof(Uint8Array) }).parse(decoded).pixelData;
}
