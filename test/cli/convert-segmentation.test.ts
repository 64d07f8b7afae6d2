import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { generateSample } from '../../sample-data/generate.ts';
import { runCli } from '../../src/cli/run-cli.ts';
import { openFiles } from '../../src/node/files.ts';
import { parseDicom } from '../../src/dicom/read-dicom.ts';
import { readNiftiLabelmap } from '../../src/nifti/read-nifti.ts';
import { overlappingSegFile } from '../support/seg-files.ts';

let folder: string;
const at = (name: string): string => join(folder, name);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slicewise-convert-'));
  await generateSample(folder, { size: 48, slices: 6, phases: 1, supersampling: [1, 1, 1] });
});
afterAll(() => rm(folder, { recursive: true }));

async function convert(...argv: string[]): Promise<{ code: number; stderr: string }> {
  let stderr = '';
  const code = await runCli(['convert', ...argv], {
    stdout: { write: () => true },
    stderr: { write: (text) => (stderr += text) },
    catchInterrupts: () => new AbortController().signal,
    debug: false,
  });
  return { code, stderr };
}

async function labelsIn(name: string): Promise<number[]> {
  const [file] = openFiles([at(name)]);
  if (file === undefined) throw new Error(`${name} was not written`);
  return [...(await readNiftiLabelmap(file)).voxels];
}

describe('slicewise convert', () => {
  const [truth, series] = ['nifti/phase_01/labels.nii.gz', 'dicom/phase_01'];

  test.each([
    [[], 'BINARY', '1.2.840.10008.1.2.1'],
    [['--seg-type', 'labelmap'], 'LABELMAP', '1.2.840.10008.1.2.1'],
    [['--seg-type', 'labelmap', '--compress'], 'LABELMAP', '1.2.840.10008.1.2.5'],
  ])('a labelmap comes back from a DICOM-SEG of %j', async (options, type, transferSyntaxUID) => {
    const to = await convert(at(truth), at('seg.dcm'), '--reference', at(series), ...options);
    expect(to).toMatchObject({ code: 0 });
    const dataset = parseDicom(await readFile(at('seg.dcm')), 'seg.dcm');
    expect(dataset.string('SegmentationType')).toBe(type);
    expect(dataset.transferSyntaxUID).toBe(transferSyntaxUID);
    expect(await convert(at('seg.dcm'), at('back.nii'), '--reference', at(series))).toMatchObject({ code: 0 });
    expect(await labelsIn('back.nii')).toEqual(await labelsIn(truth));
  });

  test('overlapping segments need a rule, and the overlap is told', async () => {
    await writeFile(at('overlapping.dcm'), await overlappingSegFile());
    const refused = await convert(at('overlapping.dcm'), at('no.nii'));
    expect(refused).toMatchObject({ code: 2 });
    expect(refused.stderr).toMatch(/segments 1 and 2 overlap[^]*--overlap first/);
    for (const rule of ['first', 'last']) {
      const { code, stderr } = await convert(at('overlapping.dcm'), at(`${rule}.nii`), '--overlap', rule);
      expect(code).toBe(0);
      expect(stderr).toMatch(/Segments 1 and 2 overlap: 6 voxels/);
    }
    const [first, last] = [await labelsIn('first.nii'), await labelsIn('last.nii')];
    expect(first.filter((label) => label === 1)).toHaveLength(10);
    expect(last.filter((label) => label === 1)).toHaveLength(4);
  });

  test.each([
    ['a type that there is not', ['seg.dcm', '--seg-type', 'surface'], /binary or labelmap, not surface/],
    ['a rule that there is not', ['labels.nii', '--overlap', 'both'], /first or last, not both/],
    ['a type for NIfTI', ['labels.nii', '--seg-type', 'labelmap'], /--seg-type is for DICOM-SEG/],
    ['compression of bits', ['seg.dcm', '--compress'], /Add --seg-type labelmap/],
  ])('%s is refused', async (_, [output = '', ...options], message) => {
    const input = output.endsWith('.dcm') ? truth : 'seg.dcm';
    const { code, stderr } = await convert(at(input), at(`never-${output}`), '--reference', at(series), ...options);
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
  });
});
