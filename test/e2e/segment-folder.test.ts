import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { cp, mkdtemp, readFile, rm, symlink, truncate, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { Uint8ArrayReader, Uint8ArrayWriter, ZipWriter } from '@zip.js/zip.js';
import dcmjs from 'dcmjs';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { SegmentationBatchDocument } from '../../src/cli/documents.ts';
import { partialPath } from '../../src/node/write-file.ts';
import { parseCsv } from '../support/csv.ts';
import { textContaining } from '../support/matchers.ts';
import { buildCli, checkout, hasTerminal, runCli, runCliOnTerminal } from './run-cli.ts';
import { createWorkspace, parseBySchema, tinyModel, writeModelVariant, type Workspace } from './workspace.ts';

let work: Workspace;
/** Two phases in one series, a series that is cut off, a NIfTI image and its labels, a DICOM-SEG, a text. */
let scans: string;
let scansUid: string;

beforeAll(async () => {
  await buildCli();
  work = await createWorkspace();
  scans = await mkdtemp(join(tmpdir(), 'slicewise-scans-'));
  await cp(work.dicom, join(scans, 'heart/phase 1'), { recursive: true });
  await cp(work.otherPhase, join(scans, 'heart/phase 2'), { recursive: true });
  await cp(work.nifti, join(scans, 'converted/image.nii.gz'));
  await cp(work.truth, join(scans, 'converted/labels.nii.gz'));
  await writeFile(join(scans, 'notes.txt'), 'no image');
  await writeBrokenSeries(join(scans, 'broken'));
  const toSeg = ['convert', work.truth, join(scans, 'expert.dcm'), '--reference', work.dicom];
  expect(await runCli(toSeg)).toMatchObject({ code: 0 });
  scansUid = /series (\S+)/.exec((await runCli(['info', work.dicom])).stdout)?.[1] ?? '';
});
afterEach(() => work.clear());
afterAll(async () => {
  await work.remove();
  await rm(scans, { recursive: true });
});

/** The same images under another Series Instance UID, of which one has lost the end of its pixels. */
async function writeBrokenSeries(folder: string): Promise<void> {
  await cp(work.dicom, folder, { recursive: true });
  const [uid = ''] = /2\.25\.\d+/.exec((await runCli(['info', work.dicom])).stdout) ?? [];
  const other = `${uid.slice(0, -1)}${uid.endsWith('1') ? '2' : '1'}`;
  const names = readdirSync(folder);
  for (const name of names) {
    const text = await readFile(join(folder, name), 'latin1');
    await writeFile(join(folder, name), text.replaceAll(uid, other), 'latin1');
  }
  const last = join(folder, names.at(-1) ?? '');
  await truncate(last, statSync(last).size - 1000);
}

const batchArgs = (...more: string[]): string[] => [
  'segment',
  scans,
  '--model',
  tinyModel,
  '--output-dir',
  work.out('results'),
  ...more,
];

function parseDocument(stdout: string): SegmentationBatchDocument {
  return parseBySchema('segmentation-batch.schema.json', stdout) as unknown as SegmentationBatchDocument;
}

function readCsv(path: string): Record<string, string>[] {
  return parseCsv(readFileSync(path, 'utf8'));
}

/** Every file below the results, hidden ones included. */
function filesOf(name = 'results'): string[] {
  return readdirSync(work.out(name), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(work.out(name).length + 1))
    .sort();
}

/** By Instance Number: the files' names are those of an archive. */
function inAcquisitionOrder(folder: string): string[] {
  const numberOf = (name: string): number => {
    const { buffer, byteOffset, byteLength } = readFileSync(join(folder, name));
    const { dict } = dcmjs.data.DicomMessage.readFile(buffer.slice(byteOffset, byteOffset + byteLength));
    return Number(dcmjs.data.DicomMetaDictionary.naturalizeDataset(dict)['InstanceNumber']);
  };
  return readdirSync(folder).toSorted((a, b) => numberOf(a) - numberOf(b));
}

describe('slicewise segment --output-dir', () => {
  test('every series is segmented, skipped or failed, each with its reason, and one that fails stops no other', async () => {
    const run = await runCli(batchArgs('--csv', work.out('r.csv'), '--json'));
    expect(run.code).toBe(4);
    const { counts, series, ignoredFiles } = parseDocument(run.stdout);
    expect({ counts, ignoredFiles }).toEqual({
      counts: { done: 3, doneBefore: 0, changedSince: 0, incomplete: 0, failed: 1, skipped: 2 },
      ignoredFiles: 1,
    });
    expect(
      series.map(({ path, phase, status, output, problem }) => [path, phase, status, output, problem?.code]),
    ).toEqual([
      ['broken', undefined, 'failed', undefined, 'damaged-file'],
      ['converted/image.nii.gz', undefined, 'done', 'converted/image_labels.nii.gz', undefined],
      ['converted/labels.nii.gz', undefined, 'skipped', undefined, 'labelmap'],
      ['expert.dcm', undefined, 'skipped', undefined, 'no-pixel-data'],
      ['heart', 1, 'done', `${scansUid}_phase-01.dcm`, undefined],
      ['heart', 2, 'done', `${scansUid}_phase-02.dcm`, undefined],
    ]);
    expect(filesOf()).toEqual(
      [
        `${scansUid}_phase-01.dcm`,
        `${scansUid}_phase-01.json`,
        `${scansUid}_phase-02.dcm`,
        `${scansUid}_phase-02.json`,
        'converted/image_labels.json',
        'converted/image_labels.nii.gz',
      ].sort(),
    );
    const lines = readCsv(work.out('r.csv'));
    expect(lines).toHaveLength(3 * 3 + 3);
    expect(lines[0]).toMatchObject({
      status: 'failed',
      error_code: 'damaged-file',
      segment_label: '',
      model: 'tiny-heart',
    });
    expect(lines[1]).toMatchObject({
      path: 'converted/image.nii.gz',
      status: 'done',
      segment_number: '1',
      slices: '10',
    });
    for (const { status, volume_ml: ml, mean_uncertainty: mean } of lines.filter((line) => line['status'] === 'done')) {
      expect({ status, isPositive: Number(ml) > 0, isShare: Number(mean) > 0 && Number(mean) < 1 }).toEqual({
        status: 'done',
        isPositive: true,
        isShare: true,
      });
    }
    for (const text of [run.stdout, run.stderr, readFileSync(work.out('r.csv'), 'utf8')])
      expect(text).not.toContain('Synthetic');
  });

  test('what lies beside a series and cannot be read is named by every command, and the result is called incomplete', async () => {
    const folder = work.out('half fetched');
    await cp(work.dicom, folder, { recursive: true });
    const names = inAcquisitionOrder(folder);
    const [beforeLast = '', last = ''] = names.slice(-2).sort();
    await rm(join(folder, last));
    await symlink('../nowhere', join(folder, last)); // as git-annex leaves what it did not fetch
    await truncate(join(folder, beforeLast), 300);
    const named = `${beforeLast}, ${last}`;

    const info = await runCli(['info', folder]);
    expect(info).toMatchObject({ code: 4, stdout: textContaining(named) });
    expect(info.stdout).toContain('is a link to nothing');

    const single = [
      'segment',
      folder,
      '--model',
      tinyModel,
      '--output',
      work.out('s.dcm'),
      '--report',
      work.out('s.json'),
    ];
    const alone = await runCli(single);
    expect(alone).toMatchObject({ code: 0, stderr: textContaining(named) });
    expect(alone.stderr).toContain('incomplete');
    const report = parseBySchema('segmentation-report.schema.json', readFileSync(work.out('s.json'), 'utf8'));
    const leftOutFiles = [
      { name: beforeLast, code: 'damaged-file' },
      { name: last, code: 'file-not-found' },
    ];
    expect(report).toMatchObject({ input: { leftOutFiles } });
    expect(report['warnings']).toContainEqual(expect.objectContaining({ code: 'incomplete-series' }));

    const batch = ['segment', folder, '--model', tinyModel, '--output-dir', work.out('results')];
    const run = await runCli([...batch, '--csv', work.out('r.csv'), '--json']);
    expect(run.code).toBe(4);
    const { counts, series } = parseDocument(run.stdout);
    expect(counts).toMatchObject({ done: 1, incomplete: 1, failed: 2, skipped: 0 });
    expect(series.find(({ status }) => status === 'done')).toMatchObject({ path: '.', leftOutFiles });
    const failed = series.filter(({ status }) => status === 'failed');
    expect(failed.map(({ path }) => path).toSorted()).toEqual([beforeLast, last]);
    const done = readCsv(work.out('r.csv')).filter(({ status }) => status === 'done');
    expect(new Set(done.map((line) => line['left_out_files']))).toEqual(new Set([`${beforeLast}; ${last}`]));
    expect((await runCli(batch)).stdout).toContain('1 incomplete');

    const nifti = await runCli(['convert', folder, work.out('i.nii.gz')]);
    expect(nifti).toMatchObject({ code: 0, stderr: textContaining(named) });
  });

  test('a zip archive of series is segmented as the folder is, and so is one file of it', async () => {
    const writer = new ZipWriter(new Uint8ArrayWriter(), { useWebWorkers: false });
    for (const [folder, from] of [
      ['a', work.dicom],
      ['b', work.otherPhase],
    ] as const) {
      for (const name of readdirSync(from)) {
        await writer.add(`${folder}/${name}`, new Uint8ArrayReader(readFileSync(join(from, name))));
      }
    }
    await writer.add('c/image.nii.gz', new Uint8ArrayReader(readFileSync(work.nifti)));
    await writer.add('c/other.nii.gz', new Uint8ArrayReader(readFileSync(work.nifti)));
    await writeFile(work.out('scans.zip'), await writer.close());
    const batch = [
      'segment',
      work.out('scans.zip'),
      '--model',
      tinyModel,
      '--output-dir',
      work.out('results'),
      '--json',
    ];
    const run = await runCli(batch);
    expect(run).toMatchObject({ code: 0 });
    expect(parseDocument(run.stdout).series).toMatchObject([
      { path: 'scans.zip', phase: 1, status: 'done' },
      { path: 'scans.zip', phase: 2, status: 'done' },
      { path: 'scans.zip/c/image.nii.gz', status: 'done', output: 'scans.zip/c/image_labels.nii.gz' },
      { path: 'scans.zip/c/other.nii.gz', status: 'done' },
    ]);
    const single = ['segment', work.otherPhase, '--model', tinyModel, '--output', work.out('single.dcm')];
    expect(await runCli(single)).toMatchObject({ code: 0 });
    const compare = ['evaluate', work.out(`results/${scansUid}_phase-02.dcm`), work.out('single.dcm'), '--json'];
    expect(parseBySchema('evaluation.schema.json', (await runCli(compare)).stdout)).toMatchObject({ meanDice: 1 });
  });

  test('each output is the one that the series by itself has', async () => {
    expect(await runCli(batchArgs('--quiet'))).toMatchObject({ code: 4, stdout: '' });
    const single = ['segment', work.otherPhase, '--model', tinyModel, '--output', work.out('single.dcm')];
    expect(await runCli(single)).toMatchObject({ code: 0 });
    const compare = ['evaluate', work.out(`results/${scansUid}_phase-02.dcm`), work.out('single.dcm'), '--json'];
    expect(parseBySchema('evaluation.schema.json', (await runCli(compare)).stdout)).toMatchObject({ meanDice: 1 });
    const report = await readFile(work.out(`results/${scansUid}_phase-02.json`), 'utf8');
    expect(parseBySchema('segmentation-report.schema.json', report)).toMatchObject({
      input: { seriesInstanceUID: scansUid, geometry: { dimensions: [64, 64, 10] } },
    });
  });

  test('a person is told line by line and at the end', async () => {
    const { stdout, stderr } = await runCli(batchArgs());
    expect(stderr).toMatch(/^\[\d\/6\] skipped: expert\.dcm: /m);
    expect(stderr).toMatch(/^\[\d\/6\] done: heart, volume 2 → \S+_phase-02\.dcm, 10 slices, [\d.]+ s/m);
    expect(stdout).toMatch(/^6 series: 3 done, 1 failed, 2 skipped, 1 other file ignored\nfailed: broken: .+\n {2}\S/);
    expect(stdout).toContain('Research use only');
  });

  test('two jobs have the results of one, in the same order', async () => {
    expect(await runCli(batchArgs('--csv', work.out('1.csv'), '--quiet'))).toMatchObject({ code: 4 });
    await rm(work.out('results'), { recursive: true });
    expect(await runCli(batchArgs('--csv', work.out('2.csv'), '--quiet', '--jobs', '2'))).toMatchObject({ code: 4 });
    const [one, two] = ['1.csv', '2.csv'].map((name) =>
      readCsv(work.out(name)).map((line) => ({ ...line, seconds: '' })),
    );
    expect(two).toEqual(one);
  });

  test('one format for all; one phase where it is named', async () => {
    const { stdout } = await runCli(batchArgs('--format', 'nii', '--phase', '2', '--json'));
    const { series } = parseDocument(stdout);
    expect(series.filter(({ status }) => status === 'done').map(({ output }) => output)).toEqual([
      'converted/image_labels.nii',
      `${scansUid}_phase-02.nii`,
    ]);
  });

  test('series that a model is not for are skipped before they are read, unless it is forced', async () => {
    const forCt = await writeModelVariant(work.out('ct-model'), (manifest) => ({
      ...manifest,
      input: { ...(manifest['input'] as object), modality: ['CT'] },
    }));
    const heart = ['segment', join(scans, 'heart'), '--model', forCt, '--output-dir', work.out('results'), '--json'];
    const skipped = await runCli(heart);
    expect(skipped.code).toBe(0);
    const { counts, series } = parseDocument(skipped.stdout);
    expect(counts).toMatchObject({ done: 0, skipped: 2 });
    expect(series[0]?.problem).toMatchObject({ code: 'model-mismatch', option: 'force' });
    const forced = await runCli([...heart, '--force']);
    expect(parseDocument(forced.stdout).counts).toMatchObject({ done: 2, skipped: 0 });
  });
});

describe('the same command again', () => {
  const hashes = (): Record<string, string> =>
    Object.fromEntries(
      filesOf().map((name) => [
        name,
        createHash('sha256')
          .update(readFileSync(work.out(`results/${name}`)))
          .digest('hex'),
      ]),
    );

  test('does nothing that is done, and gives the same table', async () => {
    const args = batchArgs('--csv', work.out('r.csv'), '--json');
    expect(await runCli(args)).toMatchObject({ code: 4 });
    const [table, files] = [readFileSync(work.out('r.csv'), 'utf8'), hashes()];
    const again = await runCli([...args, '--jobs', '2']);
    expect(again.code).toBe(4);
    expect(parseDocument(again.stdout).counts).toEqual({
      done: 3,
      doneBefore: 3,
      incomplete: 0,
      changedSince: 0,
      failed: 1,
      skipped: 2,
    });
    expect(hashes()).toEqual(files);
    expect(readFileSync(work.out('r.csv'), 'utf8')).toBe(table);
  });

  test('does again what was made of other files or options, or is not there as it was', async () => {
    const own = work.out('own');
    await cp(scans, own, { recursive: true });
    const args = ['segment', own, '--model', tinyModel, '--output-dir', work.out('results'), '--json'];
    const doneBefore = async (...more: string[]): Promise<string[]> => {
      const { series } = parseDocument((await runCli([...args, ...more])).stdout);
      return series.filter((one) => one.doneBefore).map(({ path, phase }) => `${path} ${String(phase ?? '')}`.trim());
    };
    expect(await doneBefore()).toEqual([]);
    expect(await doneBefore('--tta')).toEqual([]);
    await utimes(join(own, 'converted/image.nii.gz'), new Date(), new Date(2020, 1, 1));
    expect(await doneBefore('--tta')).toEqual(['heart 1', 'heart 2']);
    await rm(work.out(`results/${scansUid}_phase-01.dcm`));
    await writeFile(work.out(`results/${scansUid}_phase-02.json`), '{');
    expect(await doneBefore('--tta')).toEqual(['converted/image.nii.gz']);
    await truncate(work.out('results/converted/image_labels.nii.gz'), 100);
    expect(await doneBefore('--tta')).toEqual(['heart 1', 'heart 2']);
    expect(await doneBefore('--tta')).toEqual(['converted/image.nii.gz', 'heart 1', 'heart 2']);
  });

  test('keeps what somebody corrected since, with its own figures, until --overwrite has it made again', async () => {
    const one = ['segment', work.nifti, '--model', tinyModel, '--output-dir', work.out('results')];
    const args = [...one, '--csv', work.out('r.csv'), '--json'];
    expect((await runCli(args)).code).toBe(0);
    const [name = ''] = filesOf().filter((file) => file.endsWith('.nii.gz'));
    const path = work.out(`results/${name}`);
    const [before] = readCsv(work.out('r.csv'));
    // By hand: one voxel of no segment becomes one of segment 1.
    const bytes = gunzipSync(await readFile(path));
    const offset = bytes.readFloatLE(108); // vox_offset
    bytes[bytes.indexOf(0, offset)] = 1;
    const corrected = gzipSync(bytes);
    await writeFile(path, corrected);
    for (const more of [[], ['--tta']]) {
      const { code, stdout, stderr } = await runCli([...args, ...more]);
      expect(code).toBe(0);
      expect(stderr).toContain('kept: ');
      expect(parseDocument(stdout)).toMatchObject({
        counts: { done: 1, doneBefore: 0, changedSince: 1 },
        series: [{ status: 'done', changedSince: true, warnings: [{ code: 'changed-since' }] }],
      });
      const [after] = readCsv(work.out('r.csv'));
      expect(after).toMatchObject({ status: 'done', warnings: 'changed-since', mean_uncertainty: '', seconds: '' });
      expect(after?.['segment_label']).toBe(before?.['segment_label']);
      expect(Number(after?.['voxels'])).toBe(Number(before?.['voxels']) + 1);
      expect(await readFile(path)).toEqual(corrected);
    }
    expect((await runCli(one)).stdout).toMatch(/1 done \(1 changed since and kept\)[^]*\nkept: /);
    expect(parseDocument((await runCli([...args, '--overwrite'])).stdout).counts).toMatchObject({ changedSince: 0 });
    expect(await readFile(path)).not.toEqual(corrected);
    expect(readCsv(work.out('r.csv'))[0]?.['voxels']).toBe(before?.['voxels']);
    await truncate(path, 0);
    expect(parseDocument((await runCli(args)).stdout).counts).toMatchObject({ doneBefore: 0, changedSince: 0 });
    expect(readCsv(work.out('r.csv'))[0]?.['voxels']).toBe(before?.['voxels']);
  });

  test.each([
    ['SIGINT', '1'],
    ['SIGINT', '2'],
    ['SIGKILL', '1'],
  ] as const)(
    'after %s of a run with %s jobs goes on where that ended, and no partial file is left',
    async (signal, jobs) => {
      const many = work.out('many');
      for (let n = 1; n <= 6; n++) await cp(work.nifti, join(many, `image-${n}.nii.gz`));
      const args = [
        'segment',
        many,
        '--model',
        tinyModel,
        '--output-dir',
        work.out('results'),
        '--tta',
        '--jobs',
        jobs,
      ];
      const { code, stderr } = await runUntilFirstOutput([...args, '--csv', work.out('r.csv')], signal);
      if (signal === 'SIGINT') {
        expect(code).toBe(130);
        expect(stderr).toMatch(/Interrupted: \d of 6 series are done/);
        expect(filesOf().filter((name) => name.startsWith('.'))).toEqual([]);
      }
      // What a process that is killed itself may leave.
      const { pid: ended } = spawnSync(process.execPath, ['-e', '0']);
      const leftover = partialPath(work.out('results/image-6_labels.nii.gz'));
      await writeFile(leftover.replace(`.${String(process.pid)}-`, `.${String(ended)}-`), 'half a labelmap');
      const before = filesOf().filter((name) => name.endsWith('.nii.gz') && !name.startsWith('.')).length;
      expect(before).toBeLessThan(6);
      const again = await runCli([...args, '--csv', work.out('r.csv'), '--json']);
      expect(again.code).toBe(0);
      const { counts } = parseDocument(again.stdout);
      expect(counts).toMatchObject({ done: 6, failed: 0 });
      expect(counts.doneBefore).toBeGreaterThanOrEqual(1);
      expect(filesOf().filter((name) => name.includes('.partial'))).toEqual([]);
      expect(new Set(readCsv(work.out('r.csv')).map(({ path }) => path)).size).toBe(6);
      // Six times one image: each output is that of a run which nothing ended.
      const whole = work.out('whole.nii.gz');
      await runCli(['segment', work.nifti, '--model', tinyModel, '--tta', '--output', whole]);
      for (let n = 1; n <= 6; n++) {
        expect(await readFile(work.out(`results/image-${n}_labels.nii.gz`))).toEqual(await readFile(whole));
      }
    },
  );
});

test.skipIf(!hasTerminal)('Ctrl-C on a terminal, which reaches every process, ends the run as well', async () => {
  const many = work.out('many');
  for (let n = 1; n <= 6; n++) await cp(work.nifti, join(many, `image-${String(n)}.nii.gz`));
  const args = ['segment', many, '--model', tinyModel, '--output-dir', work.out('results'), '--tta', '--jobs', '2'];
  const { code, screen } = await runCliOnTerminal(args, /\[1\/6\] done/);
  expect(code).toBe(130);
  expect(screen).toMatch(/Interrupted: \d of 6 series are done/);
  expect(screen).not.toContain('failed');
  expect(filesOf().filter((name) => name.includes('.partial'))).toEqual([]);
});

test.skipIf(process.platform !== 'linux')(
  'a process that is ended from outside takes only its series along',
  async () => {
    const many = work.out('many');
    for (let n = 1; n <= 4; n++) await cp(work.nifti, join(many, `image-${n}.nii.gz`));
    const args = ['segment', many, '--model', tinyModel, '--output-dir', work.out('results'), '--tta', '--json'];
    const child = spawn(process.execPath, [join(checkout, 'dist/cli/main.js'), ...args], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    let stdout = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    const closed = new Promise<number | null>((resolve) => child.once('close', resolve));
    await firstOutput();
    const [pid = ''] = readFileSync(`/proc/${String(child.pid)}/task/${String(child.pid)}/children`, 'utf8').split(' ');
    process.kill(Number(pid), 'SIGKILL');
    expect(await closed).toBe(4);
    const { counts, series } = parseDocument(stdout);
    expect(counts).toMatchObject({ done: 3, failed: 1 });
    expect(series.find(({ status }) => status === 'failed')?.problem).toMatchObject({
      code: 'inference-failed',
      message: expect.stringContaining('SIGKILL') as string,
    });
  },
);

describe('slicewise segment --output-dir refuses and writes nothing', () => {
  test.each<[string, () => string[], number, RegExp]>([
    [
      'a folder that holds the input',
      () => ['segment', scans, '--model', tinyModel, '--output-dir', join(scans, '..')],
      2,
      /holds the input/,
    ],
    ['the input itself', () => ['segment', scans, '--model', tinyModel, '--output-dir', scans], 2, /holds the input/],
    [
      'a folder without images',
      () => ['segment', join(checkout, 'schemas'), '--model', tinyModel, '--output-dir', work.out('r')],
      2,
      /no DICOM or NIfTI/,
    ],
    [
      'a folder that cannot be made',
      () => ['segment', scans, '--model', tinyModel, '--output-dir', join(scans, 'notes.txt/r')],
      3,
      /cannot be made/,
    ],
    ['a model that is not there', () => ['segment', scans, '--model', 'x', '--output-dir', work.out('r')], 2, /"x"/],
    [
      'a table that would replace an image',
      () => [...batchArgs(), '--csv', join(scans, 'no/r.csv')],
      3,
      /does not exist/,
    ],
    ['a preview', () => [...batchArgs(), '--preview', work.out('p.png')], 2, /one series/],
  ])('%s', async (_, args, code, message) => {
    const run = await runCli(args());
    expect(run).toMatchObject({ code, stdout: '' });
    expect(run.stderr).toMatch(message);
    expect(work.written().flatMap((name) => readdirSync(work.out(name)))).toEqual([]);
  });
});

/** Ends a run when its first output is there. */
async function runUntilFirstOutput(
  args: readonly string[],
  signal: 'SIGINT' | 'SIGKILL',
): Promise<{ code: number | null; stderr: string }> {
  const child = spawn(process.execPath, [join(checkout, 'dist/cli/main.js'), ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  // Its processes hold the pipe as long as they live.
  const closed = new Promise<number | null>((resolve) => child.once('close', resolve));
  await firstOutput();
  child.kill(signal);
  return { code: await closed, stderr };
}

async function firstOutput(): Promise<void> {
  const folder = work.out('results');
  while (!existsSync(folder) || !readdirSync(folder).some((name) => /^[^.].*\.nii\.gz$/.test(name))) await wait(10);
}
