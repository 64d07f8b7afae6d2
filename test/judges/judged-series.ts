import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, test } from 'vitest';
import { encodeDicomPhase } from '../../sample-data/write-dicom.ts';
import { createShortAxisHeart, type ShortAxisHeart } from '../../sample-data/short-axis-heart.ts';
import { encodeDicomSeg, type DicomSegOptions } from '../../src/seg/encode-dicom-seg.ts';
import { segSourceOf } from '../../src/seg/dicom-seg-sources.ts';
import { verifyDicomSeg } from '../../src/verify.ts';
import type { Labelmap } from '../../src/labelmap/labelmap.ts';
import { openFiles } from '../../src/node/files.ts';
import { readVolume } from '../../src/series/read-volume.ts';
import type { SourceSeries, Volume } from '../../src/volume/volume.ts';
import { dataPath, describeWithData } from '../support/data.ts';
import { testProvenance, testSegments } from '../support/labelled-series.ts';

/** A DICOM series on disk, a labelmap on its grid, and the DICOM-SEG that we made of it. */
export interface JudgedSeries {
  readonly labelmap: Labelmap;
  readonly source: SourceSeries;
  /** The source's files. */
  readonly imageFiles: readonly string[];
  readonly segFile: string;
  /** The same as LABELMAP, raw and in RLE. */
  readonly labelmapFiles: Readonly<Record<'raw' | 'RLE', string>>;
  /** For what a judge writes. */
  readonly folder: string;
}

/** 24 frames of 101 × 101 voxels: 30,603 bytes and one of padding. */
export const ODD_LENGTH = 'generated heart, an odd number of bytes';
/** 24 frames of 102 × 102 voxels: no whole number of bytes each. */
export const UNALIGNED = 'generated heart, frames not aligned to bytes, empty slices at both ends';
export const EMPTY = 'generated heart without any label';

const generatedSeries: Readonly<Record<string, () => Promise<JudgedSeries>>> = {
  'generated heart': () => generated(256, (_, heart) => heart.phases[0]?.labels ?? new Uint8Array()),
  [UNALIGNED]: () => generated(102, rings),
  [ODD_LENGTH]: () => generated(101, rings),
  [EMPTY]: () => generated(64, ({ voxels }) => new Uint8Array(voxels.length)),
};

const realSeries: Readonly<Record<string, () => Promise<JudgedSeries>>> = {
  'Sunnybrook, a frame of reference for every slice': () =>
    judged(filesIn(dataPath('dicom/cardiac-sunnybrook/SCD0000101/phase_08')), rings),
  'brain tumour, oblique': () => judged(filesIn(dataPath('dicom/brain-tumour-progression/11-T1post-18670')), rings),
};

/** A test for every generated and, where the data are, every real series. */
export function testEachSeries(
  claim: string,
  run: (series: JudgedSeries, origin: 'generated' | 'real') => Promise<void> | void,
  { except = [] }: { readonly except?: readonly string[] } = {},
): void {
  const define = (names: readonly string[], origin: 'generated' | 'real'): void => {
    test.each(names.filter((name) => !except.includes(name)))(`%s: ${claim}`, async (name) => {
      await run(await judgedSeries(name), origin);
    });
  };
  define(Object.keys(generatedSeries), 'generated');
  describeWithData('real scans', () => {
    define(Object.keys(realSeries), 'real');
  });
}

const made = new Map<string, Promise<JudgedSeries>>();

/** Makes a series, once. */
export function judgedSeries(name: string): Promise<JudgedSeries> {
  const make = generatedSeries[name] ?? realSeries[name];
  if (make === undefined) throw new RangeError(`no judged series ${name}`);
  const promise = made.get(name) ?? make();
  made.set(name, promise);
  return promise;
}

const folders: string[] = [];

afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true });
});

/** Removed after the tests of the file. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'slicewise-judges-'));
  folders.push(folder);
  return folder;
}

async function generated(
  size: number,
  labels: (volume: Volume, heart: ShortAxisHeart) => Uint8Array,
): Promise<JudgedSeries> {
  const heart = createShortAxisHeart({ size, phases: 2, supersampling: [1, 1, 1] });
  const folder = temporaryFolder();
  for (const { name, bytes } of encodeDicomPhase(heart, 0)) writeFileSync(join(folder, name), bytes);
  return judged(filesIn(folder), (volume) => labels(volume, heart));
}

async function judged(imageFiles: readonly string[], labels: (volume: Volume) => Uint8Array): Promise<JudgedSeries> {
  const { volume } = await readVolume(openFiles(imageFiles));
  const labelmap = { geometry: volume.geometry, voxels: labels(volume), segments: testSegments(3) };
  const source = segSourceOf(volume);
  const folder = temporaryFolder();
  const write = async (name: string, form: Pick<DicomSegOptions, 'segType' | 'compress'>): Promise<string> => {
    const options = { provenance: testProvenance, now: new Date(), ...form };
    const { parts } = await encodeDicomSeg(labelmap, source, options);
    await verifyDicomSeg(parts, labelmap, source);
    writeFileSync(join(folder, name), Buffer.concat(parts));
    return join(folder, name);
  };
  return {
    labelmap,
    source,
    imageFiles,
    segFile: await write('seg.dcm', {}),
    labelmapFiles: {
      raw: await write('labelmap.dcm', { segType: 'labelmap' }),
      RLE: await write('labelmap-rle.dcm', { segType: 'labelmap', compress: true }),
    },
    folder,
  };
}

/** Nested rings off the centre, each on other slices: no symmetry hides a flip, and frames are left out. */
function rings({ geometry }: Volume): Uint8Array {
  const [columns, rows, slices] = geometry.dimensions;
  const voxels = new Uint8Array(columns * rows * slices);
  for (let at = 0; at < voxels.length; at++) {
    const [i, j, k] = [at % columns, Math.floor(at / columns) % rows, Math.floor(at / (columns * rows))];
    const radius = Math.hypot((i - 0.4 * columns) / columns, (1.3 * (j - 0.55 * rows)) / rows);
    const label = radius < 0.06 ? 3 : radius < 0.12 ? 2 : radius < 0.2 && i < j ? 1 : 0;
    if (k >= label && k < slices - 3 + (label % 3)) voxels[at] = label;
  }
  return voxels;
}

function filesIn(folder: string): string[] {
  return readdirSync(folder).map((name) => join(folder, name));
}

/** What a judge wrote of a labelmap: one byte a voxel. */
export function readVoxels(path: string): Uint8Array {
  return new Uint8Array(readFileSync(path));
}
