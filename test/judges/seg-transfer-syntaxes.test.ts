import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { readDicomSeg } from '../../src/seg/read-dicom-seg.ts';
import { describeWithProgram } from '../support/python.ts';
import { judgedSeries, UNALIGNED, type JudgedSeries } from './judged-series.ts';

const forms: Readonly<Record<string, (judged: JudgedSeries) => Buffer>> = {
  'BINARY in bytes': ({ segFile }) => readFileSync(segFile),
  'BINARY in words': ({ segFile }) => inWords(readFileSync(segFile)),
  LABELMAP: ({ labelmapFiles }) => readFileSync(labelmapFiles.raw),
};

describeWithProgram('a segmentation that dcmtk converted is read as it was', 'dcmconv', () => {
  for (const [option, syntax] of [
    ['+ti', 'implicit little endian'],
    ['+tb', 'big endian'],
    ['+td', 'deflated'],
  ] as const) {
    test.each(Object.entries(forms))(`%s, ${syntax}`, async (form, fileOf) => {
      const judged = await judgedSeries(UNALIGNED);
      const [original, converted] = ['original', 'converted'].map((name) =>
        join(judged.folder, `${name}-${form.replaceAll(' ', '-')}${option}.dcm`),
      ) as [string, string];
      writeFileSync(original, fileOf(judged));
      await promisify(execFile)('dcmconv', [option, original, converted]);
      const { geometry, voxels } = judged.labelmap;
      const read = await readDicomSeg(new Uint8Array(readFileSync(converted)), { reference: { geometry } });
      expect(Buffer.compare(Buffer.from(read.labelmap.voxels), Buffer.from(voxels))).toBe(0);
    });
  }
});

/** The file with pixel data of VR OW, which a big-endian file has in swapped words. */
function inWords(file: Buffer): Buffer {
  const at = file.lastIndexOf(Buffer.from([0xe0, 0x7f, 0x10, 0x00, 0x4f, 0x42])); // (7FE0,0010) OB
  if (at < 0) throw new Error('The file has no pixel data of VR OB.');
  return Buffer.concat([file.subarray(0, at + 5), Buffer.from('W'), file.subarray(at + 6)]);
}
