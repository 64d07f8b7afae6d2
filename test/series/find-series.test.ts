import { gzipSync } from 'node:zlib';
import { Uint8ArrayReader, Uint8ArrayWriter, ZipWriter } from '@zip.js/zip.js';
import { describe, expect, it } from 'vitest';
import { InputError } from '../../src/errors.ts';
import { findSeries } from '../../src/series/find-series.ts';
import { describeVolumes, readVolume } from '../../src/series/read-volume.ts';
import type { SourceFile } from '../../src/io/reader.ts';
import { testUid } from '../support/labelled-series.ts';
import { textContaining, textMatching } from '../support/matchers.ts';
import { memoryFile } from '../support/memory-file.ts';
import { encodePart10 } from '../support/part10.ts';
import { dicomPhantom, niftiPairPhantom, niftiPhantom, phantom } from '../support/phantom.ts';

const image = phantom();
const whole = readVolume(dicomPhantom());

async function renamed(file: SourceFile | undefined, name: string): Promise<SourceFile> {
  return memoryFile(name, (await file?.read()) ?? new Uint8Array(0));
}

async function gzipped(file: SourceFile): Promise<SourceFile> {
  return memoryFile(`${file.name}.gz`, gzipSync(await file.read()));
}

async function zipOf(
  entries: readonly (readonly [name: string, bytes: Uint8Array])[],
  options: { readonly password?: string } = {},
): Promise<SourceFile> {
  const writer = new ZipWriter(new Uint8ArrayWriter(), { ...options, useWebWorkers: false });
  for (const [name, bytes] of entries) await writer.add(name, new Uint8ArrayReader(bytes));
  return memoryFile('scan.zip', await writer.close());
}

async function entriesOf(files: readonly SourceFile[], folder = ''): Promise<[string, Uint8Array][]> {
  return Promise.all(files.map(async (file): Promise<[string, Uint8Array]> => [folder + file.name, await file.read()]));
}

describe('packed files', () => {
  it('gzipped slices among others are slices of the volume', async () => {
    const files = dicomPhantom();
    const mixed = await Promise.all(files.map(async (file, n) => (n % 2 === 0 ? gzipped(file) : file)));
    expect(await readVolume(mixed)).toEqual(await whole);
  });

  it('a zip archive of a series is the series, whatever folders are within', async () => {
    const zip = await zipOf(await entriesOf(dicomPhantom(), 'study/series/'));
    expect(await readVolume([zip])).toEqual(await whole);
    const { series } = await describeVolumes([zip]);
    expect(series).toMatchObject([{ path: 'scan.zip/study/series', fileCount: 4 }]);
  });

  it('a zip archive is read in pieces where that is possible', async () => {
    const zip = await zipOf(await entriesOf(dicomPhantom()));
    const bytes = await zip.read();
    const inPieces: SourceFile = {
      ...zip,
      read: () => Promise.reject(new Error('read whole')),
      readRange: (start, byteLength) => Promise.resolve(bytes.slice(start, start + byteLength)),
    };
    expect(await readVolume([inPieces])).toEqual(await whole);
  });

  it('NIfTI images within a zip archive are found, an archive within it is not opened', async () => {
    const inner = await zipOf(await entriesOf(dicomPhantom()));
    const zip = await zipOf(await entriesOf([niftiPhantom(image, { gzip: true }), inner]));
    const { series, ignoredFiles } = await describeVolumes([zip]);
    expect(series.map(({ format, path }) => [format, path])).toEqual([
      ['NIfTI', textMatching(/^scan\.zip\/.+\.nii\.gz$/)],
    ]);
    expect(ignoredFiles).toBe(1);
  });

  it('only the entries that are asked for are looked at', async () => {
    const zip = await zipOf(await entriesOf(dicomPhantom()));
    const { series } = await findSeries([zip], { archiveEntries: ['slice-0.dcm', 'slice-1.dcm'] });
    expect(series).toMatchObject([{ files: { length: 2 } }]);
  });

  // Unpackers that trust such names write outside their folder (CWE-22); here they name nothing but the entry.
  it.each(['../../etc/a.dcm', '/etc/a.dcm', 'C:\\etc\\a.dcm', '..\\..\\etc\\a.dcm'])(
    'no name leads out of an archive: %s',
    async (name) => {
      const bytes = (await dicomPhantom(phantom([7, 5, 1]))[0]?.read()) ?? new Uint8Array(0);
      const { series } = await findSeries([zipNamed(name, bytes)]);
      expect(series.flatMap(({ files }) => files.map((file) => file.name))).toEqual([
        textMatching(/^scan\.zip\/(C\/)?etc\/a\.dcm$/),
      ]);
    },
  );

  it('what is encrypted or damaged in an archive is told with its reason', async () => {
    const bytes = (await dicomPhantom(phantom([7, 5, 1]))[0]?.read()) ?? new Uint8Array(0);
    const encrypted = await zipOf([['a.dcm', bytes]], { password: 'secret' });
    expect((await describeVolumes([encrypted])).series).toMatchObject([
      { contents: 'unreadable', problem: { message: textContaining('is encrypted') } },
    ]);
    const damaged = await (await zipOf([['a.dcm', bytes]])).read();
    damaged.fill(0xff, 60, 200);
    const { series } = await describeVolumes([memoryFile('scan.zip', damaged)]);
    expect(series).toMatchObject([{ contents: 'unreadable', problem: { code: 'damaged-file' } }]);
    const cut = damaged.slice(0, 200);
    expect((await describeVolumes([memoryFile('scan.zip', cut)])).series).toMatchObject([
      { path: 'scan.zip', contents: 'unreadable', problem: { code: 'damaged-file' } },
    ]);
  });

  it.each(['dcm', 'dicom', 'dic', 'ima'])(
    'a gzipped .%s that is cut is damaged, not another file',
    async (extension) => {
      const [first] = dicomPhantom();
      const packed = gzipSync((await first?.read()) ?? new Uint8Array(0));
      const cut = memoryFile(`slice.${extension}.gz`, packed.subarray(0, 20));
      expect((await describeVolumes([cut])).series).toMatchObject([
        { path: `slice.${extension}.gz`, contents: 'unreadable', problem: { code: 'damaged-file' } },
      ]);
    },
  );

  it('no more is unpacked than the limits allow', async () => {
    const files = dicomPhantom(phantom([64, 64, 1]));
    const zip = await zipOf(await entriesOf(files));
    const gz = await Promise.all(files.map(gzipped));
    for (const packed of [[zip], gz]) {
      const error: unknown = await readVolume(packed, { limits: { inflatedBytes: 5000 } }).catch((e: unknown) => e);
      expect(error).toBeInstanceOf(InputError);
      expect(error).toMatchObject({ code: 'limit-exceeded', details: { limit: 'inflatedBytes' } });
    }
    const many = await zipOf(Array.from({ length: 5 }, (_, n) => [`${n}.txt`, Uint8Array.of(n)]));
    await expect(readVolume([many], { limits: { archiveFiles: 4 } })).rejects.toMatchObject({
      code: 'limit-exceeded',
      details: { limit: 'archiveFiles' },
    });
  });

  it('of a bomb nothing but its head is unpacked to see that it is no image', async () => {
    const zeroes = new Uint8Array(2 ** 26);
    const zip = await zipOf([['zeroes.dcm', zeroes]]);
    const before = process.resourceUsage().maxRSS;
    await expect(readVolume([zip])).rejects.toMatchObject({ code: 'no-images' });
    await expect(readVolume([memoryFile('zeroes.gz', gzipSync(zeroes))])).rejects.toMatchObject({ code: 'no-images' });
    expect(process.resourceUsage().maxRSS - before).toBeLessThan(48 * 1024); // kB
  });
});

describe('files beside a series', () => {
  const slices = dicomPhantom();
  const cut = async () => memoryFile('slice-x.dcm', (await slices[0]?.readHead(400)) ?? new Uint8Array(0));

  it('that are damaged, empty or unknown under an image’s name make it incomplete, by name', async () => {
    const empty = memoryFile('slice-y.dcm', new Uint8Array(0));
    const unknown = memoryFile('slice-z.dcm', Uint8Array.of(1, 2, 3, 0));
    const { volume, warnings, leftOutFiles, ignoredFiles } = await readVolume([...slices, await cut(), empty, unknown]);
    expect(volume).toEqual((await whole).volume);
    expect(leftOutFiles.map(({ name }) => name)).toEqual(['slice-x.dcm', 'slice-y.dcm', 'slice-z.dcm']);
    expect(warnings).toMatchObject([
      { code: 'incomplete-series', message: textContaining('slice-x.dcm, slice-y.dcm, slice-z.dcm') },
    ]);
    expect(ignoredFiles).toBe(0);
  });

  it('are told of by a description too, and the file is a line of its own', async () => {
    const { series } = await describeVolumes([...slices, await cut()]);
    expect(series).toMatchObject([
      { contents: 'image', warnings: [{ code: 'incomplete-series' }] },
      { contents: 'unreadable', path: 'slice-x.dcm', problem: { code: 'damaged-file' } },
    ]);
  });

  it('of another folder, notes, and files of macOS do not', async () => {
    const elsewhere = await renamed(await cut(), 'other/slice-x.dcm');
    const notes = memoryFile('README', new TextEncoder().encode('a trial of 2012\n'));
    const apple = memoryFile('._slice-0.dcm', Uint8Array.of(0, 5, 0x16, 7, 0, 2, 0, 0));
    const result = await readVolume([...slices, elsewhere, notes, apple]);
    expect(result).toMatchObject({ leftOutFiles: [], warnings: [], ignoredFiles: 3 });
  });

  it('do not concern a NIfTI image, which is whole in its file', async () => {
    const broken = memoryFile('broken.nii', Uint8Array.of(1, 2, 3));
    expect(await readVolume([niftiPhantom(), broken])).toMatchObject({ leftOutFiles: [], warnings: [] });
  });

  it('are named where the series without them is refused', async () => {
    const gap = slices.filter((_, n) => n !== 1);
    await expect(readVolume([...gap, await cut()])).rejects.toMatchObject({
      code: 'irregular-slices',
      message: textContaining('slice-x.dcm'),
    });
  });

  it('where no image is beside it, a damaged file’s own error is the answer', async () => {
    await expect(readVolume([await cut()])).rejects.toMatchObject({ code: 'damaged-file' });
  });
});

describe('what is one series', () => {
  const ofStudy = (n: number) => dicomPhantom(image, () => ({ StudyInstanceUID: testUid(n) }));
  const inFolder = (files: readonly SourceFile[], folder: string) =>
    Promise.all(files.map((file) => renamed(file, `${folder}/${file.name}`)));

  it('is told by study and series: one Series Instance UID in two studies is two series', async () => {
    const files = [...(await inFolder(ofStudy(31), 'a')), ...(await inFolder(ofStudy(32), 'b'))];
    expect((await describeVolumes(files)).series).toMatchObject([
      { studyInstanceUID: testUid(31), fileCount: 4 },
      { studyInstanceUID: testUid(32), fileCount: 4 },
    ]);
    for (const seriesInstanceUID of [undefined, testUid(2)]) {
      await expect(
        readVolume(files, seriesInstanceUID === undefined ? {} : { seriesInstanceUID }),
      ).rejects.toMatchObject({
        code: 'several-series',
        message: textMatching(/in a, 4 images.*in b, 4 images/),
        details: {},
      });
    }
  });

  it('is listed with number, description and images, as a choice', async () => {
    const named = dicomPhantom(image, () => ({ SeriesNumber: '7', SeriesDescription: 'cine short axis' }));
    const other = dicomPhantom(phantom([3, 3, 2]), () => ({ SeriesInstanceUID: testUid(77) }));
    await expect(readVolume([...named, ...(await inFolder(other, 'b'))])).rejects.toMatchObject({
      code: 'several-series',
      message: textContaining(`${testUid(2)} (number 7, MR, cine short axis, 4 images)`),
      details: { option: 'series', choices: [testUid(2), testUid(77)] },
    });
  });

  it.each([
    ['PatientID', 'A-1', 'B-1'],
    ['PatientName', 'DOE^JANE', 'DOE^JOHN'],
    ['PatientBirthDate', '19500101', '19600101'],
    ['PatientSex', 'F', 'M'],
  ] as const)(
    'is of one patient: another %s is refused by the attribute, not the value',
    async (keyword, one, another) => {
      const files = dicomPhantom(image, (k) => ({ [keyword]: k < 2 ? one : another }));
      const error: unknown = await readVolume(files).catch((reason: unknown) => reason);
      expect(error).toMatchObject({ code: 'several-patients', message: textContaining(keyword) });
      expect((error as InputError).message).not.toContain(another);
      expect((await describeVolumes(files)).series).toMatchObject([{ problem: { code: 'several-patients' } }]);
    },
  );

  it('is of one patient where names differ by padding and separators, or are left out of some files', async () => {
    const names = ['DOE^JANE', 'Doe^Jane^^ ', '', 'DOE^JANE'];
    const files = dicomPhantom(image, (k) => ({ PatientName: names[k] ?? '' }));
    await expect(readVolume(files)).resolves.toMatchObject({ warnings: [] });
  });

  it('whose files share SOP Instance UIDs lacks identity, all of them or some', async () => {
    for (const [change, message] of [
      [() => 5, 'share one SOP Instance UID'],
      [(k: number) => k >> 1, 'share 2 SOP Instance UIDs'],
    ] as const) {
      const files = dicomPhantom(image, (k) => ({ SOPInstanceUID: testUid(200 + change(k)) }));
      const { volume, warnings } = await readVolume(files);
      expect(volume.source).toBeUndefined();
      expect(warnings).toMatchObject([{ code: 'source-without-identity', message: textContaining(message) }]);
      expect((await describeVolumes(files)).series).toMatchObject([{ hasIdentity: false }]);
    }
  });
});

describe('Analyze 7.5', () => {
  it.each([true, false])('is refused for what it is (little endian: %s)', async (littleEndian) => {
    const header = new Uint8Array(348);
    new DataView(header.buffer).setInt32(0, 348, littleEndian);
    const pair = [memoryFile('brain.hdr', header), memoryFile('brain.img', new Uint8Array(64))];
    await expect(readVolume(pair)).rejects.toMatchObject({
      code: 'unsupported-image',
      message: textContaining('Analyze 7.5'),
    });
    await expect(readVolume(niftiPairPhantom())).resolves.toBeDefined();
  });
});

it('limits of the caller hold for the search', async () => {
  const files = [memoryFile('a.dcm', encodePart10({ SeriesInstanceUID: testUid(2), Rows: 1, Columns: 1 }))];
  const { series } = await describeVolumes(files, { limits: { elements: 3 } });
  expect(series).toMatchObject([{ contents: 'unreadable', problem: { code: 'limit-exceeded' } }]);
});

/** A stored entry under a name that a writer would not give (APPNOTE.TXT 4.3). */
function zipNamed(name: string, bytes: Uint8Array): SourceFile {
  const encoded = new TextEncoder().encode(name);
  const crc = crc32(bytes);
  const common = (view: DataView, at: number): void => {
    view.setUint32(at, crc, true);
    view.setUint32(at + 4, bytes.length, true);
    view.setUint32(at + 8, bytes.length, true);
    view.setUint16(at + 12, encoded.length, true);
  };
  const local = new Uint8Array(30 + encoded.length);
  const localView = new DataView(local.buffer);
  localView.setUint32(0, 0x04034b50, true);
  localView.setUint16(4, 20, true);
  common(localView, 14);
  local.set(encoded, 30);
  const central = new Uint8Array(46 + encoded.length);
  const centralView = new DataView(central.buffer);
  centralView.setUint32(0, 0x02014b50, true);
  centralView.setUint16(4, 20, true);
  centralView.setUint16(6, 20, true);
  common(centralView, 16);
  central.set(encoded, 46);
  const end = new Uint8Array(22);
  const endView = new DataView(end.buffer);
  endView.setUint32(0, 0x06054b50, true);
  endView.setUint16(8, 1, true);
  endView.setUint16(10, 1, true);
  endView.setUint32(12, central.length, true);
  endView.setUint32(16, local.length + bytes.length, true);
  const parts = [local, bytes, central, end];
  const archive = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let position = 0;
  for (const part of parts) {
    archive.set(part, position);
    position += part.length;
  }
  return memoryFile('scan.zip', archive);
}

function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return (crc ^ 0xffffffff) >>> 0;
}
