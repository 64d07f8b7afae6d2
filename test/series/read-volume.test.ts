import { describe, expect, it } from 'vitest';
import { describeVolumes, readVolume } from '../../src/series/read-volume.ts';
import type { VolumeReader } from '../../src/io/reader.ts';
import { testUid } from '../support/labelled-series.ts';
import { textContaining } from '../support/matchers.ts';
import { memoryFile } from '../support/memory-file.ts';
import { dicomPhantom, niftiPhantom, phantom } from '../support/phantom.ts';

const notes = memoryFile('notes.txt', new TextEncoder().encode('not an image'));
const empty = memoryFile('empty', new Uint8Array(0));

describe('readVolume', () => {
  it('tells formats apart by content, and counts what it ignores', async () => {
    const dicom = await readVolume([notes, ...dicomPhantom(), empty]);
    expect(dicom).toMatchObject({ ignoredFiles: 2, volume: { modality: 'MR' } });
    const nifti = await readVolume([niftiPhantom(phantom(), { gzip: true })]);
    expect(nifti.ignoredFiles).toBe(0);
    expect(nifti.volume.modality).toBeUndefined();
    expect(nifti.volume.voxels).toEqual(dicom.volume.voxels);
  });

  it('says what it found where there is no image', async () => {
    await expect(readVolume([])).rejects.toMatchObject({ code: 'no-images', message: textContaining('it is empty') });
    await expect(readVolume([notes, empty])).rejects.toMatchObject({
      code: 'no-images',
      message: textContaining('2 other files: notes.txt, empty'),
    });
  });

  it('refuses two formats at once', async () => {
    await expect(readVolume([...dicomPhantom(), niftiPhantom()])).rejects.toMatchObject({
      code: 'several-volumes',
      message: textContaining('4 DICOM files and 1 NIfTI file'),
    });
  });

  it('takes the series asked for, whatever files of formats without series lie beside it', async () => {
    const mixed = [...dicomPhantom(), niftiPhantom(), notes];
    const { ignoredFiles, volume } = await readVolume(mixed, { seriesInstanceUID: testUid(2) });
    expect(ignoredFiles).toBe(2);
    expect(volume.modality).toBe('MR');
    await expect(readVolume([niftiPhantom()], { seriesInstanceUID: testUid(2) })).resolves.toBeDefined();
  });

  it('passes the choice of a series on', async () => {
    await expect(readVolume(dicomPhantom(), { seriesInstanceUID: '1.2' })).rejects.toMatchObject({
      code: 'series-not-found',
    });
  });

  it('takes further readers, the first that accepts a file', async () => {
    const result = await readVolume(dicomPhantom());
    const everything: VolumeReader = {
      id: 'anything',
      accepts: () => true,
      find: (files) =>
        Promise.resolve([
          {
            description: {
              format: 'anything',
              path: '.',
              contents: 'image',
              fileCount: files.length,
              hasIdentity: false,
              warnings: [],
            },
            files,
            read: () => Promise.resolve(result),
          },
        ]),
    };
    expect((await readVolume([notes, empty], { readers: [everything] })).volume).toBe(result.volume);
  });
});

describe('describeVolumes', () => {
  it('tells of every series and file, of whatever format', async () => {
    const { series, ignoredFiles } = await describeVolumes([notes, ...dicomPhantom(), niftiPhantom()]);
    expect(ignoredFiles).toBe(1);
    expect(series).toMatchObject([
      { format: 'DICOM', fileCount: 4, transferSyntaxUIDs: ['1.2.840.10008.1.2.1'] },
      { format: 'NIfTI', path: niftiPhantom().name, fileCount: 1 },
    ]);
    await expect(describeVolumes([notes])).rejects.toMatchObject({ code: 'no-images' });
  });
});
