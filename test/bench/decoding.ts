import { existsSync, readdirSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { register } from 'node:module';
import { availableParallelism, cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';
import { openFiles } from '../../src/node/files.ts';
import { createParallelDecoders } from '../../src/node/parallel-decoders.ts';
import { inflateDicom, parseDicom } from '../../src/dicom/read-dicom.ts';
import { openFrames } from '../../src/series/dicom.ts';
import { pixelDecoders, type PixelDecoder } from '../../src/codecs/pixel-decoders.ts';
import type { EncodedFrame } from '../../src/dicom/pixel-data.ts';
import { readVolume } from '../../src/series/read-volume.ts';
import { sliceHeaders } from '../../src/series/slice-header.ts';
import { measureProcess } from './measure-process.ts';
import { median } from './targets.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const DATA = process.env['SLICEWISE_DATA'] ?? join(ROOT, '..', 'shared', 'data');
const PYTHON =
  process.env['SLICEWISE_PYTHON'] ??
  [join(ROOT, '.venv', 'bin', 'python')].find((path) => existsSync(path)) ??
  'python3';
const LOADER = join(ROOT, 'node_modules/@cornerstonejs/dicom-image-loader/dist/esm/shared/decoders');
const SLICES = 100;
const NOISE_MS = 0.02;

/** `npm run bench -- decoding`: a slice of 512 × 512 decoded a hundred times by us, by the codecs of
 * @cornerstonejs/dicom-image-loader and by pydicom, turn by turn; a .nii.gz read by us and by nibabel. */
export async function benchDecoding({ strict, repetitions }: { strict: boolean; repetitions: number }): Promise<void> {
  register(new URL('./bundler-urls.js', import.meta.url));
  // Cornerstone's codecs report every frame on the console.
  const say = console.log.bind(console);
  console.log = () => undefined;
  const machine = `${cpus()[0]?.model ?? 'unknown processor'}, ${availableParallelism()} cores, Node ${process.version}`;
  say(`${machine}; load ${(loadavg()[0] ?? 0).toFixed(1)}`);
  say('\nspeed against others: above 1 is faster\nms a slice   cornerstone    pydicom   ours   in threads');
  const rows: Figures[] = [];
  for (const { syntax, file } of await samples()) {
    const figures: Figures = { syntax, ...(await takeTurns(file, repetitions)) };
    rows.push(figures);
    const ratio = (other: number | undefined): string =>
      other === undefined ? '–' : `${other.toFixed(2)} (${(other / best(figures)).toFixed(2)} ×)`;
    const { cornerstone, pydicom, ours, inThreads } = figures;
    const columns = [ratio(cornerstone), ratio(pydicom), ours.toFixed(2), inThreads?.toFixed(2) ?? '–'];
    say(`${syntax.padEnd(32)} ${columns.map((column) => column.padStart(18)).join(' ')}`);
  }
  const nifti = await benchNifti(repetitions);
  say(
    `.nii.gz, ${nifti.megabytes} MB unpacked: ours ${nifti.ours.toFixed(0)} ms, nibabel ${nifti.nibabel.toFixed(0)} ms ` +
      `(${(nifti.nibabel / nifti.ours).toFixed(2)} ×)`,
  );
  // Pixels that are seen where they lie take a microsecond or five, whoever does it.
  const isSlower = (ours: number, other: number | undefined): boolean =>
    other !== undefined && ours > NOISE_MS && other / ours < 0.8;
  const missed = rows.filter((row) => isSlower(best(row), row.cornerstone));
  const short = rows.filter((row) => isSlower(best(row), row.pydicom));
  const names = (some: readonly Figures[]): string => some.map(({ syntax }) => syntax).join(', ') || 'none';
  say(`\nmust, at least 0.8 × cornerstone: missed by ${names(missed)}`);
  say(`target, at least 0.8 × pydicom: missed by ${names(short)}`);
  say(`must, .nii.gz at least as fast as nibabel: ${nifti.ours <= nifti.nibabel ? 'holds' : 'MISSED'}`);
  await mkdir(join(ROOT, 'out'), { recursive: true });
  await writeFile(join(ROOT, 'out', 'bench-decoding.json'), `${JSON.stringify({ machine, rows, nifti }, null, 2)}\n`);
  if (strict && (missed.length > 0 || nifti.ours > nifti.nibabel)) process.exitCode = 1;
}

interface Figures {
  readonly syntax: string;
  /** ms a slice; undefined where a program cannot decode the syntax. */
  readonly ours: number;
  /** Ours as the command line decodes, where that is in threads. */
  readonly inThreads: number | undefined;
  readonly cornerstone: number | undefined;
  readonly pydicom: number | undefined;
}

const best = ({ ours, inThreads = ours }: Figures): number => inThreads;

/** The same CT slice in every syntax of the public data; HTJ2K from the fixtures, smaller. */
async function samples(): Promise<{ syntax: string; file: string }[]> {
  const folder = join(DATA, 'dicom/transfer-syntaxes/cornerstone_wadoimageloader');
  // Inflating is no decoding of pixels.
  const files = readdirSync(folder).filter((name) => name.startsWith('CTImage.dcm_') && !name.includes('Deflated'));
  const htj2k = join(ROOT, 'test/fixtures/dicom/htj2k-lossless.dcm');
  const all = [...files.map((name) => join(folder, name)), htj2k].map((file) => ({
    syntax: /_(\w+?)(?:TransferSyntax)?_1\./.exec(file)?.[1] ?? 'HTJ2K lossless, 60 × 44',
    file,
  }));
  const readable = await Promise.all(all.map(async ({ file }) => (await openSlice(file)) !== undefined));
  return all.filter((_, n) => readable[n]);
}

/** A slice's encoded bytes, and what decodes them; undefined if nothing does. */
async function openSlice(path: string) {
  const bytes = await inflateDicom(new Uint8Array(await readFile(path)), path);
  const dataset = parseDicom(bytes, path);
  const [header] = sliceHeaders(dataset, path);
  const decoder = pixelDecoders.find(({ transferSyntaxUIDs }) =>
    transferSyntaxUIDs.includes(dataset.transferSyntaxUID),
  );
  if (header === undefined || decoder === undefined) return undefined;
  const frame: EncodedFrame = {
    bytes: openFrames(bytes, dataset.transferSyntaxUID, header, path)(0),
    format: header.format,
    fileName: path,
  };
  return { dataset, decoder, frame };
}

async function takeTurns(file: string, repetitions: number): Promise<Omit<Figures, 'syntax'>> {
  const slice = await openSlice(file);
  if (slice === undefined) throw new Error(`${file} has no decoder.`);
  const { decoder, frame, dataset } = slice;
  const theirs = await cornerstoneDecoder(dataset.transferSyntaxUID, frame);
  const parallel = parallelDecoders.find(
    ({ transferSyntaxUIDs, framesUnderWay }) =>
      framesUnderWay !== undefined && transferSyntaxUIDs.includes(dataset.transferSyntaxUID),
  );
  const times = { ours: [], inThreads: [], cornerstone: [], pydicom: [] } as Record<
    keyof Omit<Figures, 'syntax'>,
    number[]
  >;
  for (let n = 0; n <= repetitions; n++) {
    const [ours, cornerstone] = await alternately(async () => decoder.decode(frame), theirs);
    const inThreads = parallel && (await timeAhead(parallel, frame));
    const pydicom = await pythonTime(['decode', file, String(SLICES)]);
    if (n === 0) continue; // warms up
    times.ours.push(ours);
    if (inThreads !== undefined) times.inThreads.push(inThreads);
    if (cornerstone !== undefined) times.cornerstone.push(cornerstone);
    if (pydicom !== undefined) times.pydicom.push(pydicom);
  }
  const medianOf = (some: readonly number[]): number | undefined => (some.length === 0 ? undefined : median(some));
  return {
    ours: median(times.ours),
    inThreads: medianOf(times.inThreads),
    cornerstone: medianOf(times.cornerstone),
    pydicom: medianOf(times.pydicom),
  };
}

const parallelDecoders = createParallelDecoders();

/** As many under way as the decoder takes, like a reader. @returns ms a slice */
async function timeAhead(decoder: PixelDecoder, frame: EncodedFrame): Promise<number> {
  const start = performance.now();
  const underWay: unknown[] = [];
  const { framesUnderWay = 1 } = decoder;
  for (let n = 0; n < SLICES; n++) {
    underWay.push(decoder.decode(frame, { framesLeft: SLICES - n, signal: undefined }));
    for (const oldest of underWay.splice(0, underWay.length - framesUnderWay + 1)) await oldest;
  }
  await Promise.all(underWay);
  return (performance.now() - start) / SLICES;
}

type Decode = () => Promise<unknown>;

/** Ten slices by each in turn, until each has decoded them all: what else the machine does meanwhile slows both.
 * @returns ms a slice */
async function alternately(ours: Decode, theirs: Decode | undefined): Promise<[number, number | undefined]> {
  const totals: [number, number] = [0, 0];
  for (let n = 0; n < SLICES; n += 10) {
    totals[0] += await timeOf(ours, 10);
    if (theirs !== undefined) totals[1] += await timeOf(theirs, 10);
  }
  return [totals[0] / SLICES, theirs === undefined ? undefined : totals[1] / SLICES];
}

async function timeOf(decode: Decode, times: number): Promise<number> {
  const start = performance.now();
  for (let n = 0; n < times; n++) await decode();
  return performance.now() - start;
}

const CORNERSTONE_DECODERS: Readonly<Record<string, string | undefined>> = {
  '1.2.840.10008.1.2': 'decodeLittleEndian',
  '1.2.840.10008.1.2.1': 'decodeLittleEndian',
  '1.2.840.10008.1.2.2': 'decodeBigEndian',
  '1.2.840.10008.1.2.5': 'decodeRLE',
  '1.2.840.10008.1.2.4.50': 'decodeJPEGBaseline8Bit',
  '1.2.840.10008.1.2.4.51': 'decodeJPEGBaseline12Bit-js',
  '1.2.840.10008.1.2.4.57': 'decodeJPEGLossless',
  '1.2.840.10008.1.2.4.70': 'decodeJPEGLossless',
  '1.2.840.10008.1.2.4.80': 'decodeJPEGLS',
  '1.2.840.10008.1.2.4.81': 'decodeJPEGLS',
  '1.2.840.10008.1.2.4.90': 'decodeJPEG2000',
  '1.2.840.10008.1.2.4.91': 'decodeJPEG2000',
  '1.2.840.10008.1.2.4.201': 'decodeHTJ2K',
};

type CornerstoneDecoder = (...args: unknown[]) => Promise<unknown>;

/** As the loader's decodeImageFrame calls it. */
async function cornerstoneDecoder(transferSyntaxUID: string, { bytes, format }: EncodedFrame) {
  const name = CORNERSTONE_DECODERS[transferSyntaxUID];
  if (name === undefined) return undefined;
  const module: unknown = await import(pathToFileURL(join(LOADER, `${name}.js`)).href);
  const { default: decode } = z.object({ default: z.custom<CornerstoneDecoder>() }).parse(module);
  const { rows, columns, bitsAllocated, isSigned } = format;
  const frame = {
    rows,
    columns,
    bitsAllocated,
    bitsStored: format.bitsStored,
    samplesPerPixel: 1,
    pixelRepresentation: isSigned ? 1 : 0,
    signed: isSigned,
    bytesPerPixel: bitsAllocated / 8,
  };
  const isWasm = !/Endian|RLE|Lossless|12Bit/.test(name);
  const copied = bytes.slice();
  return isWasm ? () => decode(copied, { ...frame }) : () => decode({ ...frame }, copied);
}

/** Python warms up with each start, which is not counted; ours compiles while it runs. */
const NIFTI_WARM_UPS = 3;

async function benchNifti(repetitions: number) {
  const file = join(DATA, 'nifti/reader-samples/avg152T1_LR_nifti.nii.gz');
  const large = join(DATA, 'abdomen-ct/patient00_image.nii.gz');
  const path = existsSync(large) ? large : file;
  const [ours, nibabel]: [number[], number[]] = [[], []];
  let megabytes = 0;
  for (let n = 0; n < NIFTI_WARM_UPS + 3 * repetitions; n++) {
    const start = performance.now();
    const { volume } = await readVolume(openFiles([path]));
    const own = performance.now() - start;
    megabytes = Math.round(volume.voxels.byteLength / 1e6);
    if (n < NIFTI_WARM_UPS) continue;
    const theirs = await pythonTime(['nifti', path, '1']);
    ours.push(own);
    if (theirs !== undefined) nibabel.push(theirs);
  }
  // The best of each: what else a shared machine does comes on top, and not for both alike.
  return { path: path.slice(DATA.length + 1), megabytes, ours: Math.min(...ours), nibabel: Math.min(...nibabel) };
}

/** @returns ms for each of the repetitions, without the start of Python; undefined if it cannot decode */
async function pythonTime(args: readonly string[]): Promise<number | undefined> {
  try {
    const { stdout } = await measureProcess(PYTHON, [join(import.meta.dirname, 'decoding_peer.py'), ...args]);
    return Number(stdout);
  } catch {
    return undefined;
  }
}
