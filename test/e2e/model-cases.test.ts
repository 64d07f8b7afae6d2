import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { z } from 'zod';
import { openFiles } from '../../src/node/files.ts';
import { readNiftiLabelmap } from '../../src/nifti/read-nifti.ts';
import { dataPath, describeWithData } from '../support/data.ts';
import { buildCli, checkout, runCli, type CliRun } from './run-cli.ts';

/** Models of others beside the public scans: `claimprob` and the like. */
const caseFolder = (...parts: readonly string[]): string => dataPath('..', 'cases', 'models', ...parts);

describeWithData('models of others', () => {
  let folder: string;
  beforeAll(buildCli);
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'slicewise-cases-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  const output = (): string => join(folder, 'labels.nii');

  function segment(model: string, args: readonly string[] = [], cwd = folder): Promise<CliRun> {
    const image = ['segment', caseFolder('v.nii.gz'), '--force', '--output', output()];
    return runCli([...image, '--model', model, ...args], { cwd });
  }

  const verify = (model: string): Promise<CliRun> => runCli(['models', 'verify', model], { cwd: folder });

  async function labels(): Promise<Uint8Array | Uint16Array> {
    const [file] = openFiles([output()]);
    if (file === undefined) throw new Error('no labelmap was written');
    return (await readNiftiLabelmap(file)).voxels;
  }

  /** A writable copy of a model, its manifest changed. */
  async function variant(from: string, change: (manifest: Record<string, unknown>) => object): Promise<string> {
    const copy = join(folder, 'variant');
    for (const name of ['model.onnx', 'golden/input.f32', 'golden/output.f32']) {
      await mkdir(join(copy, 'golden'), { recursive: true });
      await writeFile(join(copy, name), await readFile(join(from, name)));
    }
    await writeFile(join(copy, 'manifest.json'), JSON.stringify(change(await manifestOf(from))));
    return copy;
  }

  test.each(['fold0', 'fold1'])('weights beside the graph (%s) are refused from every folder', async (fold) => {
    for (const cwd of [caseFolder('folds', 'fold0'), caseFolder('folds', 'fold1'), folder]) {
      for (const backend of ['node', 'wasm']) {
        const run = await segment(caseFolder('folds', fold), ['--backend', backend], cwd);
        expect(run.code).toBe(2);
        expect(run.stderr).toContain('onnx.save(onnx.load(p), p)');
      }
    }
    expect(await verify(caseFolder('folds', fold))).toMatchObject({ code: 2 });
  });

  test('PSPNet in its published form, 473 to 60, runs, and computes what it should', async () => {
    expect(await verify(caseFolder('psp473'))).toMatchObject({ code: 0 });
    expect(await segment(caseFolder('psp473'))).toMatchObject({ code: 0 });
    expect(new Set(await labels()).size).toBeGreaterThan(1);
  });

  test('grey as RGB gives each voxel the class that the summed weights give it', async () => {
    expect(await verify(caseFolder('rgb'))).toMatchObject({ code: 0 });
    expect(await segment(caseFolder('rgb'))).toMatchObject({ code: 0 });
    // The 1 × 1 convolution of the graph: rows of W summed over the three equal channels, and b.
    const slopes = [
      -1.7388132 - 2.2793474 - 0.57879853,
      -1.4328027 - 1.3724544 - 1.3428215,
      2.308586 - 0.5864973 - 0.4121469,
    ];
    const biases = [0.6598141, -0.20686802, 0.29344174];
    const image = await readImage();
    const found = await labels();
    expect(found.length).toBe(image.length);
    const wrong = [...image].filter((value, at) => {
      const level = Math.min(Math.max(value / 1000, 0), 1);
      const scores = slopes.map((slope, c) => slope * level + (biases[c] ?? 0));
      return !(Math.max(...scores) - (scores[found[at] ?? -1] ?? NaN) <= 1e-5);
    });
    expect(wrong).toEqual([]);
  });

  test.each(['node', 'wasm'])(
    'logits declared probabilities are refused with sum and range, on %s',
    async (backend) => {
      const model = await variant(caseFolder('claimprob'), withKind('probabilities'));
      for (const run of [await verify(model), await segment(model, ['--backend', backend])]) {
        expect(run.code).toBe(2);
        expect(run.stderr).toMatch(
          /values from -?[\d.]+ to -?[\d.]+, whose sums in one place go from -?[\d.]+ to -?[\d.]+/,
        );
        expect(run.stderr).toContain('Set output.kind to "logits"');
      }
    },
  );

  test('logits declared as what they are run', async () => {
    const model = await variant(caseFolder('claimprob'), withKind('logits'));
    expect(await verify(model)).toMatchObject({ code: 0 });
    expect(await segment(model)).toMatchObject({ code: 0 });
  });

  test.each([
    ['claimlogit', 'said to be logits, but holds probabilities'],
    ['sigmoid3', 'said to be probabilities'],
    ['claimtta', 'said to be probabilities'],
    ['nan', 'not finite numbers'],
  ])('%s is refused: %s', async (name, why) => {
    for (const run of [
      await verify(caseFolder(name)),
      await segment(caseFolder(name)),
      await segment(caseFolder(name), ['--tta']),
    ]) {
      expect(run.code).toBe(2);
      expect(run.stderr).toContain(why);
      expect(run.stderr).not.toContain('report this');
    }
  });

  test('softmax declared as what it is runs', async () => {
    const model = await variant(caseFolder('claimlogit'), withKind('probabilities'));
    expect(await verify(model)).toMatchObject({ code: 0 });
    expect(await segment(model)).toMatchObject({ code: 0 });
  });

  test.each(['node', 'wasm'])(
    'another stride than the manifest says is told with both sizes, on %s',
    async (backend) => {
      const run = await segment(caseFolder('dynwrongstride'), ['--backend', backend]);
      expect(run.code).toBe(2);
      expect(run.stderr).toContain('[1, 3, 24, 24]');
      expect(run.stderr).toContain('[1, 3, 12, 12]');
      expect(run.stderr).not.toContain('report this');
      const verified = await verify(caseFolder('dynwrongstride'));
      expect(verified).toMatchObject({ code: 2 });
      expect(verified.stderr).toContain('[1, 3, 24, 24]');
      expect(verified.stderr).toContain('[1, 3, 12, 12]');
    },
  );

  test('a segment is shown with its own coding scheme', async () => {
    const { code, stdout } = await runCli(['models', 'show', caseFolder('fma')]);
    expect(code).toBe(0);
    expect(stdout).toContain('FMA 7203');
    expect(stdout).not.toContain('SCT 7203');
  });

  test('flips of columns are refused where segments have a laterality', async () => {
    const model = await variant(join(checkout, 'models/abdomen-ct'), (manifest) => ({
      ...manifest,
      tta: { flips: ['i'], rotations: [], scales: [] },
    }));
    for (const run of [await verify(model), await segment(model, ['--tta']), await segment(model)]) {
      expect(run.code).toBe(2);
      expect(run.stderr).toContain('exchanges left and right');
    }
  });

  test('an own folder named like a packaged model is told of, and how to choose it', async () => {
    await cp(join(checkout, 'test/fixtures/models/tiny-heart'), join(folder, 'cardiac-mr-fast'), { recursive: true });
    const told = /"cardiac-mr-fast" is the model that is installed with Slicewise.*Write \.\/cardiac-mr-fast/;
    expect((await verify('cardiac-mr-fast')).stderr).toMatch(told);
    expect((await segment('cardiac-mr-fast')).stderr).toMatch(told);
    const own = await verify('./cardiac-mr-fast');
    expect(own.stderr).not.toMatch(told);
    expect(own.stdout).toContain('tiny-heart');
  });

  async function readImage(): Promise<Float64Array> {
    const { gunzipSync } = await import('node:zlib');
    const bytes = gunzipSync(await readFile(caseFolder('v.nii.gz')));
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const [datatype, offset] = [view.getInt16(70, true), view.getFloat32(108, true)];
    const count = view.getInt16(42, true) * view.getInt16(44, true) * view.getInt16(46, true);
    if (datatype !== 4 && datatype !== 16) throw new Error(`v.nii.gz has data type ${datatype}`);
    return Float64Array.from({ length: count }, (_, n) =>
      datatype === 4 ? view.getInt16(offset + 2 * n, true) : view.getFloat32(offset + 4 * n, true),
    );
  }
});

const withKind =
  (kind: string) =>
  (manifest: Record<string, unknown>): object => ({
    ...manifest,
    output: { ...z.record(z.string(), z.unknown()).parse(manifest['output']), kind },
  });

async function manifestOf(folder: string): Promise<Record<string, unknown>> {
  const manifest: unknown = JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8'));
  if (typeof manifest !== 'object' || manifest === null) throw new TypeError(`${folder} has no manifest`);
  return { ...manifest };
}
