import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { buildCli, runCli } from '../e2e/run-cli.ts';
import { tinyModel } from '../e2e/workspace.ts';
import { dataPath, describeWithData } from '../support/data.ts';
import { describeWithPython, runJudge } from '../support/python.ts';
import { temporaryFolder } from './judged-series.ts';

const seen = z.object({
  size: z.array(z.number()),
  affine: z.array(z.array(z.number())),
  codes: z.array(z.number()).optional(),
});
const byTool = z.union([z.object({ image: seen, labels: seen }), z.object({ error: z.string() })]);
const judged = z.object({ nibabel: byTool, SimpleITK: byTool });

/** Images whose forms programs read in different ways, and the codes of qform and sform. */
const IMAGES: readonly (readonly [name: string, codes: readonly [number, number]])[] = [
  ['d01a_neg_pixdim_sform.nii', [1, 1]],
  ['d01b_zero_pixdim_sform.nii', [1, 1]],
  ['d02_sform_zero_code1.nii', [1, 1]],
  ['d05_seg.nii', [0, 0]],
  ['d07_code4.nii', [4, 4]],
  ['d07_q1_s2.nii', [1, 2]],
];

describeWithPython('where image and labelmap lie', ['nibabel', 'SimpleITK'], () => {
  beforeAll(buildCli);

  describeWithData('is one grid in every tool', () => {
    test.each(IMAGES)('%s', async (name, codes) => {
      const { nibabel, SimpleITK } = await judge(name);
      for (const tool of [nibabel, SimpleITK]) {
        if (!('image' in tool)) throw new Error(`${name} is not read: ${JSON.stringify(tool)}`);
        expect(tool.labels).toEqual(tool.image);
      }
      expect(nibabel).toMatchObject({ labels: { codes } });
    });

    test('d02c_sform_nan.nii, which neither tool gives a place, is told by its own form', async () => {
      const said = await judge('d02c_sform_nan.nii');
      expect(said.nibabel).toEqual({ error: 'the affine has no numbers' });
      expect(said.SimpleITK).toEqual({ error: 'the affine has no numbers' });
    });
  });
});

async function judge(name: string) {
  const image = dataPath('..', 'cases', name);
  const labels = join(temporaryFolder(), 'labels.nii.gz');
  const run = await runCli(['segment', image, '--model', tinyModel, '--force', '--output', labels, '--quiet']);
  expect(run).toMatchObject({ code: 0 });
  return judged.parse(await runJudge('same_grid.py', [image, labels]));
}
