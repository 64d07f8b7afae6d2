import { createHash } from 'node:crypto';
import { cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { writeDicomPhase } from '../../sample-data/generate.ts';
import { createShortAxisHeart } from '../../sample-data/short-axis-heart.ts';
import { buildCli, checkout, hasTerminal, runCli, runCliOnTerminal } from './run-cli.ts';
import { createWorkspace, parseBySchema, tinyModel, writeModelVariant, type Workspace } from './workspace.ts';

let work: Workspace;
beforeAll(async () => {
  await buildCli();
  work = await createWorkspace();
});
afterEach(() => work.clear());
afterAll(() => work.remove());

const withTinyModel = (input: string, output: string, ...more: string[]): string[] => [
  'segment',
  input,
  '--model',
  tinyModel,
  '--output',
  work.out(output),
  ...more,
];

describe('slicewise segment', () => {
  test('a DICOM folder becomes a DICOM-SEG, a preview and a report that says what was done', async () => {
    const args = withTinyModel(work.dicom, 'seg.dcm', '--preview', work.out('p.png'), '--report', work.out('r.json'));
    const { code, stdout, stderr } = await runCli(args);
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(work.written()).toEqual(['p.png', 'r.json', 'seg.dcm']);
    expect(stdout).toMatch(/Left ventricle +(≥ )?\d+\.\d+ ml/);
    expect(stdout).toMatch(/most uncertain: slice \d+ \(0\.\d\d\)/);
    expect(stdout).toContain('Research use only');

    const report = await readFile(work.out('r.json'), 'utf8');
    const document = parseBySchema('segmentation-report.schema.json', report);
    const segmentation = await readFile(work.out('seg.dcm'));
    expect(document['outputs']).toMatchObject({
      segmentation: {
        byteLength: segmentation.length,
        sha256: createHash('sha256').update(segmentation).digest('hex'),
      },
    });
    expect(document).toMatchObject({
      model: { id: 'tiny-heart', licence: 'MIT' },
      backend: { id: 'node', viewsPerSlice: 1 },
      input: { modality: 'MR', ignoredFiles: 0, geometry: { dimensions: [64, 64, 10] } },
    });
    const { durationsMs } = document as { durationsMs: { total: number; inference: number; outside: number } };
    expect(durationsMs.total).toBeGreaterThan(durationsMs.inference);
    expect(durationsMs.outside).toBeCloseTo(durationsMs.total - durationsMs.inference, 3);
    for (const text of [stdout, stderr, report]) expect(text).not.toContain('Synthetic');
  });

  test('in a pipe there is no progress bar; quiet leaves warnings alone', async () => {
    const { stderr } = await runCli(withTinyModel(work.dicom, 'seg.dcm'));
    expect(stderr).not.toContain('\r');
    expect(stderr).not.toContain('slices/s');
    const quiet = await runCli(withTinyModel(work.nifti, 'labels.nii.gz', '--quiet'));
    expect(quiet.stdout).toBe('');
    expect(quiet.stderr).toMatch(/^warning: /);
  });

  test('folder, files, NIfTI, backends: one image has one labelmap', async () => {
    const files = readdirSync(work.dicom).map((name) => join(work.dicom, name));
    const runs = [
      withTinyModel(work.dicom, 'folder.dcm'),
      ['segment', ...files.toReversed(), '--model', tinyModel, '--output', work.out('files.nii')],
      withTinyModel(work.nifti, 'nifti.nii.gz'),
      withTinyModel(work.nifti, 'reference.dcm', '--reference', work.dicom),
      withTinyModel(work.dicom, 'wasm.dcm', '--backend', 'wasm'),
      withTinyModel(work.dicom, 'threads.dcm', '--threads', '1'),
    ];
    for (const args of runs) expect(await runCli(args)).toMatchObject({ code: 0 });
    for (const other of work.written().filter((name) => name !== 'folder.dcm')) {
      const { stdout } = await runCli(['evaluate', work.out(other), work.out('folder.dcm'), '--json']);
      const { meanDice } = parseBySchema('evaluation.schema.json', stdout);
      // WebAssembly rounds otherwise than the native build; where two scores are equal to 1e-3 a voxel may change.
      if (other === 'wasm.dcm') expect(meanDice).toBeGreaterThan(0.999);
      else expect({ other, meanDice }).toEqual({ other, meanDice: 1 });
    }
  });

  test('a NIfTI image with its axes in another order gets the DICOM-SEG of its reference', async () => {
    await writeFile(work.out('image.nii.gz'), turnedNifti(await readFile(work.nifti)));
    const args = withTinyModel(work.out('image.nii.gz'), 'turned.dcm', '--reference', work.dicom);
    expect(await runCli(args)).toMatchObject({ code: 0 });
    expect(await runCli(withTinyModel(work.dicom, 'seg.dcm'))).toMatchObject({ code: 0 });
    const { stdout } = await runCli(['evaluate', work.out('turned.dcm'), work.out('seg.dcm'), '--json']);
    const { meanDice, labels } = parseBySchema('evaluation.schema.json', stdout);
    expect({ meanDice, labels }).toMatchObject({ meanDice: 1, labels: [{}, {}, {}] });
  });

  test('threads that WebAssembly does not have are not claimed', async () => {
    const args = withTinyModel(work.dicom, 'seg.nii', '--backend', 'wasm', '--report', work.out('r.json'));
    const { code, stderr } = await runCli([...args, '--threads', '2']);
    expect(code).toBe(0);
    expect(stderr).toContain('warning: --threads was not used');
    const report = parseBySchema('segmentation-report.schema.json', await readFile(work.out('r.json'), 'utf8'));
    expect(report['backend']).toMatchObject({ id: 'wasm', threads: 1 });
  });

  test('one image is a volume of one slice', async () => {
    const [name = ''] = readdirSync(work.dicom);
    expect(await runCli(withTinyModel(join(work.dicom, name), 'one.dcm'))).toMatchObject({ code: 0 });
  });

  test('test-time augmentation runs every view that the model allows', async () => {
    const args = withTinyModel(work.dicom, 'seg.nii.gz', '--tta', '--report', work.out('r.json'));
    expect(await runCli(args)).toMatchObject({ code: 0 });
    const report = parseBySchema('segmentation-report.schema.json', await readFile(work.out('r.json'), 'utf8'));
    expect(report['backend']).toMatchObject({ viewsPerSlice: 8 });
  });

  test('of several series one is chosen by its UID, and none without', async () => {
    const both = work.out('both');
    await cp(work.dicom, join(both, 'a'), { recursive: true });
    await generateOtherSeries(join(both, 'b'));
    const refused = await runCli(withTinyModel(both, 'seg.dcm'));
    expect(refused.code).toBe(2);
    const uid = /series (\S+)/.exec((await runCli(['info', work.dicom])).stdout)?.[1] ?? '';
    expect(refused.stderr).toContain(uid);
    expect(await runCli(withTinyModel(both, 'seg.dcm', '--series', uid))).toMatchObject({ code: 0 });
    expect(await runCli(withTinyModel(both, 'seg.dcm', '--series', '1.2.3'))).toMatchObject({ code: 2 });
  });

  test('an empty result is a result', async () => {
    const strict = await writeModelVariant(work.out('strict'), (manifest) => ({
      ...manifest,
      postProcess: [1, 2, 3].map((segmentNumber) => ({
        segmentNumber,
        keepLargestComponent: false,
        fillHoles: false,
        minimumVolumeMl: 100_000,
      })),
    }));
    for (const output of ['empty.dcm', 'empty.nii.gz']) {
      const { code, stdout } = await runCli(['segment', work.dicom, '--model', strict, '--output', work.out(output)]);
      expect(code).toBe(0);
      expect(stdout).toContain('No segment was found');
    }
    expect(work.written()).toEqual(['empty.dcm', 'empty.nii.gz', 'strict']);
  });

  test('an older file is replaced, and only when the new one is complete', async () => {
    await writeFile(work.out('seg.dcm'), 'older');
    expect(await runCli(withTinyModel(work.nifti, 'seg.dcm'))).toMatchObject({ code: 2 });
    expect(await readFile(work.out('seg.dcm'), 'utf8')).toBe('older');
    expect(await runCli(withTinyModel(work.dicom, 'seg.dcm'))).toMatchObject({ code: 0 });
    expect((await readFile(work.out('seg.dcm'))).toString('latin1', 128, 132)).toBe('DICM');
  });
});

describe('slicewise segment refuses before inference, writes nothing, and says what to do', () => {
  const refusals: [string, () => string[], number, RegExp][] = [
    ['a name without a format', () => withTinyModel(work.dicom, 'seg.nrrd'), 2, /\.dcm \(DICOM-SEG\), \.nii/],
    ['an input that is not there', () => withTinyModel('/nonexistent', 'seg.dcm'), 2, /\/nonexistent/],
    ['an input without images', () => withTinyModel(join(checkout, 'schemas'), 'seg.dcm'), 2, /no DICOM or NIfTI/],
    ['an output folder that is not there', () => withTinyModel(work.dicom, 'no/seg.dcm'), 3, /does not exist/],
    [
      'a preview folder that is not there',
      () => withTinyModel(work.dicom, 'a.dcm', '--preview', '/no/p.png'),
      3,
      /\/no/,
    ],
    [
      'a model that is not there',
      () => ['segment', work.dicom, '--model', 'x', '--output', work.out('a.dcm')],
      2,
      /"x"/,
    ],
    ['a NIfTI source for a DICOM-SEG', () => withTinyModel(work.nifti, 'seg.dcm'), 2, /--reference/],
    [
      'a reference on another grid',
      () => withTinyModel(work.nifti, 'seg.dcm', '--reference', join(work.dicom, readdirSync(work.dicom)[0] ?? '')),
      2,
      /does not fit/,
    ],
    [
      'a backend that is not there',
      () => withTinyModel(work.dicom, 'seg.dcm', '--backend', 'cuda'),
      2,
      /node or .*wasm/,
    ],
    ['no threads', () => withTinyModel(work.dicom, 'seg.dcm', '--threads', '0'), 2, /whole number/],
    ['a preview that is no PNG', () => withTinyModel(work.dicom, 'a.dcm', '--preview', work.out('p.jpg')), 2, /\.png/],
    ['two outputs of one name', () => withTinyModel(work.dicom, 'a.nii', '--report', work.out('a.nii')), 2, /\.json/],
    ['several series', () => withTinyModel(join(work.dicom, '..'), 'seg.dcm'), 2, /TriggerTime|Trigger Time|phase/i],
  ];
  test.each(refusals)('%s', async (_, args, code, message) => {
    const run = await runCli(args());
    expect(run).toMatchObject({ code, stdout: '' });
    expect(run.stderr).toMatch(/^error: .+\n {2}\S/m);
    expect(run.stderr).toMatch(message);
    expect(run.stderr).not.toMatch(/^\s+at /m);
    expect(work.written()).toEqual([]);
  });

  test('an input that the output would replace', async () => {
    await cp(work.nifti, work.out('image.nii.gz'));
    const before = await readFile(work.out('image.nii.gz'));
    expect(await runCli(withTinyModel(work.out('image.nii.gz'), 'image.nii.gz'))).toMatchObject({ code: 2 });
    expect(await readFile(work.out('image.nii.gz'))).toEqual(before);
  });

  test('an image in the input folder that the output would replace; a segmentation there is replaced', async () => {
    const scan = work.out('scan');
    await cp(work.dicom, scan, { recursive: true });
    const [name = ''] = readdirSync(scan);
    const image = await readFile(join(scan, name));
    const refused = await runCli(withTinyModel(scan, join('scan', name)));
    expect(refused).toMatchObject({ code: 2, stdout: '' });
    expect(refused.stderr).toContain('would replace an image of the input');
    const ofReference = withTinyModel(work.nifti, join('scan', name), '--reference', scan);
    expect(await runCli(ofReference)).toMatchObject({ code: 2, stdout: '' });
    expect(await readFile(join(scan, name))).toEqual(image);

    const beside = withTinyModel(scan, 'scan/seg.dcm', '--preview', work.out('scan/p.png'));
    expect(await runCli(beside)).toMatchObject({ code: 0 });
    expect(await runCli(beside)).toMatchObject({ code: 0 });
  });

  test('a model for another modality, unless it is forced', async () => {
    const forCt = await writeModelVariant(work.out('ct-model'), (manifest) => ({
      ...manifest,
      input: { ...(manifest['input'] as object), modality: ['CT'] },
    }));
    const args = ['segment', work.dicom, '--model', forCt, '--output', work.out('seg.dcm')];
    const refused = await runCli(args);
    expect(refused).toMatchObject({ code: 2, stdout: '' });
    expect(refused.stderr).toMatch(/MR.*CT.*\n.*--force/);
    expect(work.written()).toEqual(['ct-model']);
    const forced = await runCli([...args, '--force']);
    expect(forced.code).toBe(0);
    expect(forced.stderr).toMatch(/warning: .*MR/);
  });

  test('weights that are not the ones of the manifest', async () => {
    const damaged = await writeModelVariant(work.out('damaged'), (manifest) => manifest);
    await writeFile(join(damaged, 'model.onnx'), 'other weights');
    const run = await runCli(['segment', work.dicom, '--model', damaged, '--output', work.out('seg.dcm')]);
    expect(run).toMatchObject({ code: 2, stdout: '' });
    expect(run.stderr).toMatch(/not the file its manifest names: .*13 bytes/);
    expect(work.written()).toEqual(['damaged']);
  });

  test('the stack of an error is shown under DEBUG alone', async () => {
    const args = withTinyModel('/nonexistent', 'seg.dcm');
    expect((await runCli(args)).stderr).not.toContain('at ');
    expect((await runCli(args, { env: { DEBUG: '1' } })).stderr).toMatch(/\n\s+at .*openFiles/);
  });

  test('without onnxruntime-node WebAssembly runs, and the command says once how to get the native runtime', async () => {
    const bare = await installWithout('onnxruntime-node', work.out('bare'));
    const install = 'npm i onnxruntime-node --ignore-scripts';
    const refused = await runCli(withTinyModel(work.dicom, 'seg.dcm', '--backend', 'node'), { bin: bare });
    expect(refused).toMatchObject({ code: 3, stdout: '' });
    expect(refused.stderr).toContain('--backend wasm');
    expect(refused.stderr).toContain(install);
    expect(work.written()).toEqual(['bare']);
    const fallen = await runCli(withTinyModel(work.dicom, 'seg.dcm'), { bin: bare });
    expect(fallen.code).toBe(0);
    expect(fallen.stdout).toMatch(/ on wasm/);
    expect(fallen.stderr.split(install)).toHaveLength(2);
    const chosen = await runCli(withTinyModel(work.dicom, 'seg2.dcm', '--backend', 'wasm'), { bin: bare });
    expect(chosen.code).toBe(0);
    expect(chosen.stderr).not.toContain(install);
  });
});

describe('Ctrl-C', () => {
  const slow = (backend: string): string[] =>
    withTinyModel(work.out('long.nii'), 'seg.nii.gz', '--tta', '--backend', backend, '--preview', work.out('p.png'));

  test.each([
    ['node', 600],
    ['node', 1200],
    ['wasm', 600],
    ['wasm', 1200],
  ])('on %s after %d ms leaves nothing', async (backend, interruptAfterMs) => {
    await writeFile(work.out('long.nii'), longNifti(await readFile(work.nifti)));
    const run = await runCli(slow(backend), { interruptAfterMs });
    // Ended by the signal itself while a graph runs, which a shell shows as 130.
    expect([130, null]).toContain(run.code);
    expect(run.stdout).toBe('');
    if (run.code === 130) expect(run.stderr).toMatch(/Interrupted: nothing was written\.\n$/);
    expect(work.written()).toEqual(['long.nii']);
  });

  test.skipIf(!hasTerminal)('in the middle of the slices, on a terminal, leaves nothing', async () => {
    await writeFile(work.out('long.nii'), longNifti(await readFile(work.nifti)));
    const { code, screen } = await runCliOnTerminal(slow('node'), /[1-9]\d*\/\d+ slices/);
    expect(code).toBe(130);
    expect(screen).toMatch(/Interrupted: nothing was written/);
    expect(work.written()).toEqual(['long.nii']);
  });
});

test.skipIf(!hasTerminal)('a terminal shows slices, rate and time left on one line, and clears it', async () => {
  const { code, screen } = await runCliOnTerminal(withTinyModel(work.dicom, 'seg.dcm', '--tta'));
  expect(code).toBe(0);
  expect(screen).toMatch(/━─* \d+\/10 slices · [\d.]+ slices\/s · \d+ s left/);
  expect(screen.lastIndexOf('\u001B[K')).toBeGreaterThan(screen.lastIndexOf('slices/s'));
});

/** The same image with its slices as columns and its rows from the last to the first: the header turned with the
 * voxels. */
function turnedNifti(gzipped: Buffer): Buffer {
  const file = gunzipSync(gzipped);
  const [columns, rows, slices] = [42, 44, 46].map((at) => file.readInt16LE(at)) as [number, number, number];
  const bytes = file.readInt16LE(72) / 8;
  const turned = Buffer.from(file);
  for (let k = 0; k < slices; k++) {
    for (let j = 0; j < rows; j++) {
      for (let i = 0; i < columns; i++) {
        const from = 352 + ((k * rows + j) * columns + i) * bytes;
        const to = 352 + ((i * rows + rows - 1 - j) * slices + k) * bytes;
        file.copy(turned, to, from, from + bytes);
      }
    }
  }
  [slices, rows, columns].forEach((n, axis) => turned.writeInt16LE(n, 42 + 2 * axis));
  for (const row of [0, 1, 2]) {
    const at = 280 + 16 * row;
    const [perI, perJ, perK, offset] = [0, 4, 8, 12].map((column) => file.readFloatLE(at + column)) as [
      number,
      number,
      number,
      number,
    ];
    [perK, -perJ, perI, offset + perJ * (rows - 1)].forEach((value, column) =>
      turned.writeFloatLE(value, at + 4 * column),
    );
  }
  turned.writeInt16LE(0, 252); // the sform alone
  return gzipSync(turned);
}

/** The image's slices over and over, 2000 in all: half a minute of work. */
function longNifti(gzipped: Buffer): Buffer {
  const file = gunzipSync(gzipped);
  const header = Buffer.from(file.subarray(0, 352));
  header.writeInt16LE(2000, 46);
  return Buffer.concat([header, ...Array.from({ length: 200 }, () => file.subarray(352))]);
}

async function generateOtherSeries(folder: string): Promise<void> {
  const heart = createShortAxisHeart({ seed: 2, size: 32, slices: 3, phases: 1, supersampling: [1, 1, 1] });
  await writeDicomPhase(folder, heart, 0);
}

/** The built package in a folder of its own, as if one dependency had not been installed. */
async function installWithout(dependency: string, folder: string): Promise<string> {
  await cp(join(checkout, 'dist'), join(folder, 'dist'), { recursive: true });
  await cp(join(checkout, 'package.json'), join(folder, 'package.json'));
  await mkdir(join(folder, 'models'));
  const manifest = JSON.parse(await readFile(join(checkout, 'package.json'), 'utf8')) as { dependencies: object };
  for (const name of Object.keys(manifest.dependencies).filter((one) => one !== dependency)) {
    await mkdir(dirname(join(folder, 'node_modules', name)), { recursive: true });
    await symlink(join(checkout, 'node_modules', name), join(folder, 'node_modules', name));
  }
  return join(folder, 'dist/cli/main.js');
}
