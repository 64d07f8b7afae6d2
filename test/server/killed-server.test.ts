import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { encodeMultipart, parseMultipart } from '../../server/dicom-web/multipart.ts';
import { createShortAxisHeart } from '../../sample-data/short-axis-heart.ts';
import { encodeDicomPhase } from '../../sample-data/write-dicom.ts';
import { ask, temporaryFolder, type Answer } from './served.ts';

/** Milliseconds from the first byte that is sent to the end of the server, one server each. */
const MOMENTS_MS = [1, 5, 12, 25, 45, 70, 110, 180];
const REQUESTS = 8;
const PARTS = 3;

/** An instance of 32 KB, and its UIDs. */
let original: Buffer;
let sopInstanceUID: string;
beforeAll(() => {
  const heart = createShortAxisHeart({ seed: 1, size: 128, slices: 1, phases: 1, supersampling: [1, 1, 1] });
  original = Buffer.from(encodeDicomPhase(heart, 0)[0]?.bytes ?? []);
  // The first UID of the file that is ours: Media Storage SOP Instance UID (0002,0003).
  [sopInstanceUID = ''] = /2\.25\.\d+/.exec(original.toString('latin1')) ?? [];
});

/** The same instance under another SOP Instance UID of the same length. */
function numbered(number: number): { readonly uid: string; readonly bytes: Buffer } {
  const uid = `${sopInstanceUID.slice(0, -5)}${String(10_000 + number)}`;
  return { uid, bytes: Buffer.from(original.toString('latin1').replaceAll(sopInstanceUID, uid), 'latin1') };
}

async function startServer(folder: string): Promise<{ readonly port: number; readonly child: ChildProcess }> {
  const child = spawn(process.execPath, ['--import', 'tsx', join(import.meta.dirname, 'folder-server.ts'), folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  for await (const line of createInterface(child.stdout)) return { port: Number(line), child };
  throw new Error('the server ended without a port');
}

async function kill(child: ChildProcess): Promise<void> {
  const closed = once(child, 'exit');
  child.kill('SIGKILL');
  await closed;
}

function store(port: number, files: readonly Uint8Array[]): Promise<Answer> {
  const parts = files.map((file) => ({ contentType: 'application/dicom', body: file }));
  const { contentType, body } = encodeMultipart(parts, 'application/dicom');
  const headers = { 'content-type': contentType };
  return ask(port, '/dicom-web/studies', { method: 'POST', headers, body: Buffer.concat(body) });
}

type Row = Readonly<Record<string, { readonly Value?: readonly unknown[] }>>;
const text = (row: Row, tag: string): string => String(row[tag]?.Value?.[0]);

/** Everything that a server lists, as it hands it out. */
async function listedFiles(port: number): Promise<Map<string, Buffer>> {
  const rows = JSON.parse((await ask(port, '/dicom-web/instances?limit=100000')).body.toString() || '[]') as Row[];
  const files = new Map<string, Buffer>();
  for (const row of rows) {
    const [study, series, uid] = ['0020000D', '0020000E', '00080018'].map((tag) => text(row, tag));
    const path = `/dicom-web/studies/${String(study)}/series/${String(series)}/instances/${String(uid)}`;
    const { status, headers, body } = await ask(port, path);
    expect(status).toBe(200);
    const [part] = parseMultipart(headers['content-type'] ?? '', body);
    files.set(String(uid), Buffer.from(part?.body ?? []));
  }
  return files;
}

test(
  'a server that is killed while it stores has stored what it answered, whole, and nothing by halves',
  { timeout: 240_000 },
  async () => {
    const folder = temporaryFolder();
    const sent = new Map<string, Buffer>();
    const promised = new Set<string>();
    let brokenOff = 0;
    let halves = 0;
    for (const [round, moment] of MOMENTS_MS.entries()) {
      const { port, child } = await startServer(folder);
      const requests = Array.from({ length: REQUESTS }, async (_, at) => {
        const instances = Array.from({ length: PARTS }, (__, part) => numbered((round * REQUESTS + at) * PARTS + part));
        for (const { uid, bytes } of instances) sent.set(uid, bytes);
        const answer = await store(
          port,
          instances.map(({ bytes }) => bytes),
        ).catch(() => undefined);
        if (answer === undefined) brokenOff += 1;
        else {
          expect(answer.status).toBe(200);
          for (const { uid } of instances) promised.add(uid);
        }
      });
      await wait(moment);
      await kill(child);
      await Promise.all(requests);
      const names = existsSync(join(folder, 'stored')) ? readdirSync(join(folder, 'stored')) : [];
      halves += names.filter((name) => name.endsWith('.partial')).length;
      for (const name of names.filter((each) => !each.endsWith('.partial'))) {
        const expected = sent.get(name.replace(/\.dcm$/, ''));
        expect(expected?.equals(readFileSync(join(folder, 'stored', name)))).toBe(true);
      }
    }
    // Else nothing was killed in the middle of anything, and the rest proves nothing.
    expect({ isBrokenOff: brokenOff > 0, isHalfWritten: halves > 0 }).toEqual({
      isBrokenOff: true,
      isHalfWritten: true,
    });

    const { port, child } = await startServer(folder);
    const last = numbered(90_000 - 10_000);
    expect((await store(port, [last.bytes])).status).toBe(200);
    sent.set(last.uid, last.bytes);
    promised.add(last.uid);
    const listed = await listedFiles(port);
    expect([...promised].filter((uid) => !listed.has(uid))).toEqual([]);
    for (const [uid, bytes] of listed) expect(sent.get(uid)?.equals(bytes)).toBe(true);
    expect(readdirSync(join(folder, 'stored')).toSorted()).toEqual(
      [...listed.keys()].map((uid) => `${uid}.dcm`).sort(),
    );
    await kill(child);
  },
);

test('what a killed server left is taken away by the start of the next, which stores nothing itself', async () => {
  const folder = temporaryFolder();
  const first = await startServer(folder);
  const { bytes } = numbered(1);
  mkdirSync(join(folder, 'other'));
  writeFileSync(join(folder, 'other', 'a.dcm'), bytes);
  // A request that never ends: its part is half-written for as long as the server lives.
  const { contentType, body } = encodeMultipart(
    [{ contentType: 'application/dicom', body: bytes }],
    'application/dicom',
  );
  const whole = Buffer.concat(body);
  const outgoing = request({
    host: '127.0.0.1',
    port: first.port,
    path: '/dicom-web/studies',
    method: 'POST',
    headers: { host: 'localhost', 'content-type': contentType, 'content-length': whole.length },
  });
  outgoing.on('error', () => undefined);
  outgoing.write(whole.subarray(0, whole.length - 1000));
  const partials = (): string[] => (existsSync(join(folder, 'stored')) ? readdirSync(join(folder, 'stored')) : []);
  await expect.poll(partials, { timeout: 20_000 }).toHaveLength(1);
  await kill(first.child);
  expect(partials()).toHaveLength(1);
  const second = await startServer(folder);
  expect([...(await listedFiles(second.port)).keys()]).toEqual([numbered(1).uid]);
  await expect.poll(partials, { timeout: 20_000 }).toEqual([]);
  await kill(second.child);
});
