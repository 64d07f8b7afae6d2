import { createHash } from 'node:crypto';
import { readdirSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, join, relative } from 'node:path';
import { expect, test } from 'vitest';
import { datasetToJson } from '../../server/dicom-web/dataset-json.ts';
import { withDataset } from '../../server/dicom-web/dicom-file.ts';
import { inMemory, type ObjectFile } from '../../server/dicom-web/object-file.ts';
import type { JsonAttribute, JsonDataset } from '../../server/dicom-web/dicom-json.ts';
import { openFrameSource } from '../../server/dicom-web/frame-source.ts';
import { allFrames } from '../server/whole-frames.ts';
import { EXPLICIT_BIG_ENDIAN } from '../../src/dicom/transfer-syntaxes.ts';
import { temporaryFolder } from '../server/served.ts';
import { dataPath, describeWithData } from '../support/data.ts';
import { describeWithPython, runJudge } from '../support/python.ts';

/** What pydicom says of a file: archive_answers.py. */
interface Judgement {
  readonly json?: JsonDataset;
  /** SHA-256 of each. */
  readonly frames?: readonly string[] | null;
  readonly error?: string;
}

/** Files that are not judged, and why. */
const NOT_JUDGED: readonly (readonly [name: RegExp, reason: string])[] = [
  [/^(badVR|im00\d)\.dcm$/, 'pydicom refuses to make numbers of text that is none; the archive passes the text on'],
  [/^(rtplan_truncated\.dcm|DICOMDIR-nooffset)$/, 'cut off within an attribute: damaged, where pydicom gives the rest'],
  [
    /^(meta_missing_tsyntax|no_meta|ExplVR_(Big|Lit)EndNoMeta|rtstruct)\.dcm$/,
    'names no transfer syntax: pydicom cannot cut its frames',
  ],
];

async function withFile<T>(path: string, use: (file: ObjectFile) => Promise<T>): Promise<T> {
  return use(inMemory(await readFile(path)));
}

const sha = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

async function differences(path: string, { json, frames }: Judgement): Promise<string[]> {
  const { dataset, transferSyntaxUID } = await withFile(path, (file) => withDataset(file, (read) => read));
  const found: string[] = [];
  compare(
    datasetToJson(dataset, () => 'bulk'),
    json ?? {},
    { path: '', isBigEndian: transferSyntaxUID === EXPLICIT_BIG_ENDIAN, found },
  );
  if (frames === undefined || frames === null || frames.length === 0) return found;
  const own = await withFile(path, async (file) => (await allFrames(await openFrameSource(file), file)).map(sha));
  if (JSON.stringify(own) !== JSON.stringify(frames)) found.push(`${own.length} frames for ${frames.length}`);
  return found;
}

interface Comparison {
  readonly path: string;
  readonly isBigEndian: boolean;
  readonly found: string[];
}

const PIXEL_DATA = new Set(['7FE00008', '7FE00009', '7FE00010']);

function compare(own: JsonDataset, theirs: JsonDataset, comparison: Comparison): void {
  for (const tag of new Set([...Object.keys(own), ...Object.keys(theirs)])) {
    const [one, other] = [own[tag], theirs[tag]];
    // The archive speaks UTF-8 and says so; pydicom names the file's character set.
    if (tag === '00080005' && one?.Value?.[0] === 'ISO_IR 192') continue;
    if (comparison.path === '' && PIXEL_DATA.has(tag)) continue;
    if (one?.vr === 'SQ' && other?.vr === 'SQ')
      compareItems(one, other, { ...comparison, path: `${comparison.path}${tag}/` });
    else if (one?.BulkDataURI === undefined || other?.BulkDataURI === undefined) {
      if (isPrivateExcepted(tag, one, other, comparison)) continue;
      const [a, b] = [one, other].map((each) => JSON.stringify(normalised(each)));
      if (a !== b) comparison.found.push(`${comparison.path}${tag}: ${String(a)} for ${String(b)}`);
    }
  }
}

function compareItems(one: JsonAttribute, other: JsonAttribute, comparison: Comparison): void {
  const [own, theirs] = [one.Value ?? [], other.Value ?? []];
  if (own.length !== theirs.length)
    comparison.found.push(`${comparison.path}: ${own.length} items for ${theirs.length}`);
  own.forEach((item, at) => {
    const path = `${comparison.path}${at + 1}/`;
    compare(item as JsonDataset, (theirs[at] ?? {}) as JsonDataset, { ...comparison, path });
  });
}

/** pydicom knows more private attributes than dcmjs's dictionary: what it does not know the archive gives as UN, the
 * bytes as they are. And pydicom reads UN in big endian as big endian; it is little endian (PS3.5 6.2.2). */
function isPrivateExcepted(
  tag: string,
  own: JsonAttribute | undefined,
  theirs: JsonAttribute | undefined,
  { isBigEndian }: Comparison,
): boolean {
  if (parseInt(tag.slice(0, 4), 16) % 2 === 0 || own === undefined || theirs === undefined) return false;
  return (own.vr === 'UN' && theirs.vr !== 'UN') || (isBigEndian && own.vr === theirs.vr);
}

/** An empty value among others is null (PS3.18 F.2.5), which pydicom writes as empty text; spaces that pad a value, not
 * the whole, are no part of it (PS3.5 6.2), and pydicom keeps them. */
function normalised(attribute: JsonAttribute | undefined): unknown {
  if (attribute === undefined) return undefined;
  const values = (attribute.Value ?? []).map((value): unknown => {
    if (value === '' || value === null) return null;
    if (typeof value === 'string') return value.trimEnd();
    if (typeof value !== 'object') return value;
    const groups = Object.entries(value).filter(([, group]) => group !== '');
    return groups.length === 0 ? null : Object.fromEntries(groups.toSorted(([a], [b]) => (a < b ? -1 : 1)));
  });
  const { vr, InlineBinary, BulkDataURI } = attribute;
  const Value = values.every((value) => value === null) ? undefined : values;
  return { vr, Value, InlineBinary, BulkDataURI };
}

async function judge(judgements: Readonly<Record<string, Judgement>>): Promise<{ wrong: unknown; judged: number }> {
  const wrong: Record<string, readonly string[]> = {};
  let judged = 0;
  for (const [path, judgement] of Object.entries(judgements)) {
    const isJudged = !NOT_JUDGED.some(([name]) => name.test(basename(path)));
    if (!isJudged || judgement.json === undefined) {
      if (isJudged && (await isRead(path))) wrong[path] = [`pydicom: ${judgement.error ?? 'no model'}`];
      continue;
    }
    const found = await differences(path, judgement).catch((error: unknown) => [String(error)]);
    if (found.length > 0) wrong[path] = found.slice(0, 5);
    judged++;
  }
  return { wrong, judged };
}

async function isRead(path: string): Promise<boolean> {
  return withFile(path, (file) => withDataset(file, (read) => read)).then(
    () => true,
    () => false,
  );
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && !/\.(md|txt|json|nii|gz|csv|raw)$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name));
}

async function judgedByPydicom(paths: readonly string[]): Promise<Record<string, Judgement>> {
  const list = join(temporaryFolder(), 'list.json');
  writeFileSync(list, JSON.stringify(paths));
  return (await runJudge('archive_answers.py', [list])) as Record<string, Judgement>;
}

describeWithPython('what the archive answers is what pydicom reads', ['pydicom', 'numpy'], () => {
  test("in pydicom's own test files", async () => {
    const judgements = (await runJudge('archive_answers.py', ['bundled'])) as Record<string, Judgement>;
    const { wrong, judged } = await judge(judgements);
    expect(wrong).toEqual({});
    expect(judged).toBeGreaterThan(150);
  });

  describeWithData('in public scans', () => {
    test('of every transfer syntax, and in segmentations', async () => {
      const folder = dataPath('dicom');
      const { wrong, judged } = await judge(await judgedByPydicom(filesBelow(folder)));
      expect(wrong).toEqual({});
      expect(judged).toBeGreaterThan(300);
    });

    test('in the cases of the archive', async () => {
      const folder = dataPath('..', 'cases', 'archive');
      const paths = filesBelow(folder).filter((path) => !relative(folder, path).startsWith('evaluate'));
      const { wrong, judged } = await judge(await judgedByPydicom(paths));
      expect(wrong).toEqual({});
      expect(judged).toBeGreaterThan(20);
    });
  });
});
