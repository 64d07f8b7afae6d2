import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { walkFolder } from '../../server/dicom-web/folder-walk.ts';
import { openStudyIndex } from '../../server/dicom-web/study-index.ts';
import { createShortAxisHeart } from '../../sample-data/short-axis-heart.ts';
import { encodeDicomPhase } from '../../sample-data/write-dicom.ts';
import { ask, serveFolder, temporaryFolder, type Answer } from './served.ts';

interface Study {
  readonly patient: string;
  readonly files: readonly Uint8Array[];
}

/** Two studies of three instances, whose files are of one length. */
let studies: readonly [Study, Study];
beforeAll(() => {
  const study = (seed: number): Study => ({
    patient: `SYNTHETIC-${seed}`,
    files: encodeDicomPhase(
      createShortAxisHeart({ seed, size: 16, slices: 3, phases: 1, supersampling: [1, 1, 1] }),
      0,
    ).map(({ bytes }) => bytes),
  });
  studies = [study(1), study(2)];
});

let folder: string;
beforeEach(() => {
  folder = temporaryFolder();
  for (const { patient, files } of studies) {
    mkdirSync(join(folder, patient));
    for (const [at, bytes] of files.entries()) writeFileSync(join(folder, patient, `${at}.dcm`), bytes);
  }
});

type Row = Readonly<Record<string, { readonly Value?: readonly unknown[] }>>;
const rowsOf = ({ body }: Answer): Row[] => JSON.parse(body.toString()) as Row[];
const value = (row: Row | undefined, tag: string): string => String(row?.[tag]?.Value?.[0]);

async function pathsOf(port: number, { patient }: Study) {
  const [row] = rowsOf(await ask(port, `/dicom-web/studies?PatientID=${patient}`));
  const study = value(row, '0020000D');
  const [seriesRow] = rowsOf(await ask(port, `/dicom-web/studies/${study}/series`));
  const series = `/dicom-web/studies/${study}/series/${value(seriesRow, '0020000E')}`;
  const instances = rowsOf(await ask(port, `${series}/instances`)).map((each) => value(each, '00080018'));
  return { study, series, instances: instances.map((uid) => `${series}/instances/${uid}`) };
}

describe('a file that was indexed', () => {
  const changes: [string, (path: string, other: string, at: number) => void][] = [
    [
      'has gone',
      (path) => {
        unlinkSync(path);
      },
    ],
    [
      'is a link to a file elsewhere',
      (path, other) => {
        linkTo(other, path);
      },
    ],
    [
      'is a link to another file of the folder',
      (path) => {
        linkTo(join(folder, 'SYNTHETIC-2/0.dcm'), path);
      },
    ],
    [
      'is a link to nothing',
      (path) => {
        linkTo('nowhere', path);
      },
    ],
    [
      'is a folder',
      (path) => {
        unlinkSync(path);
        mkdirSync(path);
      },
    ],
    [
      'is a pipe, which never answers',
      (path) => {
        unlinkSync(path);
        execFileSync('mkfifo', [path]);
      },
    ],
    [
      'is in a folder that is a link by now',
      (path, other, at) => {
        if (at > 0) return;
        const parent = join(path, '..');
        renameSync(parent, `${other}.moved`);
        symlinkSync(`${other}.moved`, parent);
      },
    ],
    [
      'was replaced by a file of another study',
      (path, _, at) => {
        renameSync(join(folder, `SYNTHETIC-2/${at}.dcm`), path);
      },
    ],
    [
      'was overwritten by one of another study, with its times kept',
      (path) => {
        const { atime, mtime } = statSync(path);
        writeFileSync(path, studies[1].files[0] ?? '');
        utimesSync(path, atime, mtime);
      },
    ],
    [
      'is cut off',
      (path) => {
        writeFileSync(path, (studies[0].files[0] ?? new Uint8Array()).subarray(0, 200));
      },
    ],
    [
      'is empty',
      (path) => {
        writeFileSync(path, '');
      },
    ],
  ];

  test.each(changes)('and %s is not there any more, and nothing of another is given for it', async (_, change) => {
    const port = await serveFolder(folder);
    const { study, series, instances } = await pathsOf(port, studies[0]);
    const outside = join(temporaryFolder(), 'outside.dcm');
    writeFileSync(outside, studies[1].files[1] ?? '');
    for (const at of [0, 1, 2]) change(join(folder, `SYNTHETIC-1/${at}.dcm`), outside, at);
    for (const path of [
      `${series}/metadata`,
      series,
      ...instances,
      ...instances.map((each) => `${each}/metadata`),
      ...instances.map((each) => `${each}/frames/1`),
    ]) {
      const answer = await ask(port, path);
      expect(answer.status).toBe(404);
      expect(answer.body.toString('latin1')).not.toContain('SYNTHETIC');
    }
    expect((await ask(port, `/dicom-web/studies/${study}/metadata`)).status).toBe(404);
    for (const row of rowsOf(await ask(port, '/dicom-web/studies')))
      expect(value(row, '00100020')).not.toBe('SYNTHETIC-1');
  });

  function linkTo(target: string, path: string): void {
    unlinkSync(path);
    symlinkSync(target, path);
  }

  test('and is one of several that are there does not take the others away', async () => {
    const port = await serveFolder(folder);
    const { series } = await pathsOf(port, studies[0]);
    unlinkSync(join(folder, 'SYNTHETIC-1/0.dcm'));
    expect(rowsOf(await ask(port, `${series}/metadata`))).toHaveLength(2);
    expect((await ask(port, series)).status).toBe(200);
  });

  test('and was written anew with the same instance is given as it is now', async () => {
    const port = await serveFolder(folder);
    const { instances } = await pathsOf(port, studies[0]);
    for (const [at, bytes] of studies[0].files.entries()) {
      const text = Buffer.from(bytes).toString('latin1').replace('Synthetic^Heart', 'Synthetic^Other');
      writeFileSync(join(folder, `SYNTHETIC-1/${at}.dcm`), text, 'latin1');
    }
    for (const path of instances) {
      const [row] = rowsOf(await ask(port, `${path}/metadata`));
      expect(row?.['00100010']?.Value).toEqual([{ Alphabetic: 'Synthetic^Other' }]);
    }
  });

  test('lives on while it is asked for: no answer is a fault, none is of another study', async () => {
    const port = await serveFolder(folder);
    const paths = [await pathsOf(port, studies[0]), await pathsOf(port, studies[1])] as const;
    let isOver = false;
    const spare = temporaryFolder();
    cpSync(folder, join(spare, 'all'), { recursive: true });
    const file = (study: number, at: number): string => join(`SYNTHETIC-${study + 1}`, `${at}.dcm`);
    const change = async (): Promise<void> => {
      for (let step = 0; !isOver; step++) {
        const target = join(folder, file(step % 2, step % 3));
        const sources = [file(step % 2, step % 3), file((step + 1) % 2, step % 3)];
        rmSync(target, { force: true });
        if (step % 4 === 1) symlinkSync(join(spare, 'all', sources[1] ?? ''), target);
        else if (step % 4 !== 3) copyFileSync(join(spare, 'all', sources[step % 8 < 4 ? 0 : 1] ?? ''), target);
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
    };
    const changing = change();
    const statuses = new Map<number, number>();
    for (let at = 0; at < 60; at++) {
      const own = at % 2;
      const { study, series, instances } = paths[own as 0 | 1];
      const asked = [
        '/dicom-web/studies',
        `/dicom-web/studies/${study}/series`,
        `${series}/metadata`,
        series,
        `${instances[at % 3] ?? ''}/frames/1`,
      ];
      const answers = await Promise.all(asked.map((path) => ask(port, path)));
      for (const [which, { status, body }] of answers.entries()) {
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
        expect([200, 404, 406]).toContain(status);
        if (status === 200 && (which === 2 || which === 3)) {
          expect(body.toString('latin1')).toContain(study);
          expect(body.toString('latin1')).not.toContain(paths[own === 0 ? 1 : 0].study);
        }
      }
    }
    isOver = true;
    await changing;
    expect(statuses.get(200)).toBeGreaterThan(50);
  });
});

describe('a folder', () => {
  test('is gone through with what may not be listed as one entry with its reason', async () => {
    const open = mkdtempSync(join(tmpdir(), 'slicewise-denied-'));
    onTestFinished(() => {
      chmodSync(join(open, 'lost+found'), 0o700);
      rmSync(open, { recursive: true });
    });
    chmodSync(open, 0o755);
    for (const name of ['lost+found', 'seen']) {
      mkdirSync(join(open, name));
      writeFileSync(join(open, name, '1.dcm'), '');
    }
    chmodSync(join(open, 'lost+found'), 0o000);
    // The superuser may list everything, and becomes nobody for a moment.
    const isSuperuser = process.geteuid?.() === 0;
    if (isSuperuser) process.seteuid?.('nobody');
    const { files, unreadable } = await walkFolder(open).finally(() => {
      if (isSuperuser) process.seteuid?.('root');
    });
    expect(files.map(({ path }) => path)).toEqual([join(open, 'seen', '1.dcm')]);
    expect([...unreadable]).toEqual([[join(open, 'lost+found'), 'not readable for this user']]);
  });

  test('is gone through with a path that is too long as one entry with its reason', async () => {
    // Two halves of a path that the system takes, one moved to the end of the other.
    const half = join(...Array.from({ length: 14 }, () => 'd'.repeat(200)));
    const lower = temporaryFolder();
    mkdirSync(join(folder, half), { recursive: true });
    mkdirSync(join(lower, 'moved', half), { recursive: true });
    writeFileSync(join(lower, 'moved', half, 'deep.dcm'), '');
    renameSync(join(lower, 'moved'), join(folder, half, 'moved'));
    onTestFinished(() => {
      renameSync(join(folder, half, 'moved'), join(lower, 'moved'));
    });
    const { files, unreadable } = await walkFolder(folder);
    expect(files).toHaveLength(6);
    expect([...unreadable.values()]).toEqual(['with a path that is too long']);
    const index = await openStudyIndex(folder);
    expect(index.instances()).toHaveLength(6);
    expect(index.ignoredFiles()).toEqual(new Map([['with a path that is too long', 1]]));
  });

  test('that goes away has nothing in it, and is seen again when it comes back', async () => {
    const port = await serveFolder(folder);
    renameSync(folder, `${folder}.away`);
    expect(rowsOf(await ask(port, '/dicom-web/studies'))).toEqual([]);
    renameSync(`${folder}.away`, folder);
    expect(rowsOf(await ask(port, '/dicom-web/studies'))).toHaveLength(2);
  });

  test('may be named by a link; links in it are not followed', async () => {
    const link = join(temporaryFolder(), 'link');
    symlinkSync(folder, link);
    symlinkSync(join(folder, 'SYNTHETIC-1'), join(folder, 'again'));
    const index = await openStudyIndex(link);
    expect(index.instances()).toHaveLength(6);
    expect(index.ignoredFiles()).toEqual(new Map());
  });

  test('is seen as it is after the question, however many ask', async () => {
    const index = await openStudyIndex(folder);
    for (const round of [0, 1, 2]) {
      const first = index.refresh();
      const path = join(folder, 'SYNTHETIC-1', `${round}.dcm`);
      rmSync(path);
      const refreshes = [index.refresh(), index.refresh()];
      await Promise.all([first, ...refreshes]);
      expect(index.instances().map((each) => each.path)).not.toContain(path);
    }
  });
});
