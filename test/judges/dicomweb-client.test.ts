import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runJudge, describeWithPython } from '../support/python.ts';
import { concatenate } from '../../src/io/bytes.ts';
import { encodePart10, elementHeader, type DicomAttributes } from '../support/part10.ts';
import { serveFolder, temporaryFolder } from '../server/served.ts';

const sha = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const JPEG_BASELINE = '1.2.840.10008.1.2.4.50';

/** Bytes that do not repeat within a frame. */
function bytes(length: number, seed: number): Uint8Array {
  return Uint8Array.from({ length }, (_, at) => (at * 31 + (at >> 8) * 17 + seed) & 0xff);
}

const PIXELS = bytes(3 * 16, 1);
const FRAGMENTS = [bytes(40, 2), bytes(42, 3)].map((rest) => Uint8Array.of(0xff, 0xd8, 0xff, ...rest, 0));
const DOCUMENT = bytes((1 << 20) + 2, 4);

function instance(study: number, number: number, more: DicomAttributes): DicomAttributes {
  return {
    SOPClassUID: '1.2.840.10008.5.1.4.1.1.7',
    SOPInstanceUID: `1.2.3.${study}.1.${number}`,
    StudyInstanceUID: `1.2.3.${study}`,
    SeriesInstanceUID: `1.2.3.${study}.1`,
    Modality: study === 1 ? 'MR' : 'CT',
    PatientID: `P${study}`,
    PatientName: 'Synthetic^Client',
    ...more,
  };
}

const IMAGE = {
  Rows: 4,
  Columns: 4,
  BitsAllocated: 8,
  SamplesPerPixel: 1,
  PhotometricInterpretation: 'MONOCHROME2',
} as const;

describeWithPython('a client that others wrote', ['dicomweb_client', 'pydicom'], () => {
  test('queries, and retrieves metadata, frames, bulk data and files, and stores', async () => {
    const folder = temporaryFolder();
    const write = (name: string, bytes: Uint8Array): void => {
      writeFileSync(join(folder, name), bytes);
    };
    write('native.dcm', encodePart10(instance(1, 1, { ...IMAGE, NumberOfFrames: '3', PixelData: PIXELS })));
    write(
      'jpeg.dcm',
      encodePart10(instance(1, 2, { ...IMAGE, NumberOfFrames: '2' }), {
        transferSyntaxUID: JPEG_BASELINE,
        fragments: FRAGMENTS,
      }),
    );
    // Encapsulated Document (0042,0011), above what is inlined.
    const document = [elementHeader('x00420011', 'OB', DOCUMENT.length), DOCUMENT];
    write('document.dcm', concatenate([encodePart10(instance(2, 1, {})), ...document]));
    const stored = join(temporaryFolder(), 'new.dcm');
    writeFileSync(
      stored,
      encodePart10({ MediaStorageSOPClassUID: '1.2.840.10008.5.1.4.1.1.7', ...instance(3, 1, {}) }),
    );
    const port = await serveFolder(folder);

    const found = await runJudge('dicomweb_walk.py', [`http://localhost:${port}/dicom-web`, stored]);
    const common = { name: 'Synthetic^Client', nameInMetadata: 'Synthetic^Client' };
    const frames = [0, 1, 2].map((n) => sha(PIXELS.subarray(16 * n, 16 * (n + 1))));
    const jpegs = FRAGMENTS.map(sha);
    expect(found).toEqual({
      studies: 2,
      none: [],
      filtered: 2,
      page: 1,
      allSeries: 2,
      allInstances: 3,
      instances: expect.arrayContaining([
        { ...common, instance: '1.2.3.1.1.1', frames, bulk: [frames] },
        { ...common, instance: '1.2.3.1.1.2', frames: jpegs, bulk: [jpegs] },
        { ...common, instance: '1.2.3.2.1.1', frames: [], bulk: [[sha(DOCUMENT)]] },
      ]) as unknown,
      stored: ['1.2.3.3.1.1'],
      studiesThen: 3,
    });
  });
});
