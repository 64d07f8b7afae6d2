import { linkSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { encodeMultipart } from '../../server/dicom-web/multipart.ts';
import { createShortAxisHeart } from '../../sample-data/short-axis-heart.ts';
import { encodeDicomPhase } from '../../sample-data/write-dicom.ts';
import { describeWithSmallDisk, smallDisk } from '../support/small-disk.ts';
import { ask, serveFolder, temporaryFolder, type Answer } from './served.ts';

let original: Uint8Array;
let uid: string;
beforeAll(() => {
  const heart = createShortAxisHeart({ seed: 1, size: 16, slices: 1, phases: 1, supersampling: [1, 1, 1] });
  original = encodeDicomPhase(heart, 0)[0]?.bytes ?? new Uint8Array();
});

let folder: string;
let port: number;
beforeEach(async () => {
  folder = temporaryFolder();
  port = await serveFolder(folder);
  const { stored } = outcome(await store(port, [version(0)]));
  uid = stored[0] ?? '';
  rmSync(join(folder, 'stored'), { recursive: true });
  await ask(port, '/dicom-web/studies');
});

/** The same instance with another name in it, of the same length. */
function version(number: number): Buffer {
  const name = `Synthetic^${String(number).padStart(5, '0')}`;
  return Buffer.from(Buffer.from(original).toString('latin1').replace('Synthetic^Heart', name), 'latin1');
}

function store(to: number, files: readonly Uint8Array[]): Promise<Answer> {
  const { contentType, body } = encodeMultipart(
    files.map((file) => ({ contentType: 'application/dicom', body: file })),
    'application/dicom',
  );
  const headers = { 'content-type': contentType };
  return ask(to, '/dicom-web/studies', { method: 'POST', headers, body: Buffer.concat(body) });
}

type Row = Readonly<Record<string, { readonly Value?: readonly unknown[] }>>;

function outcome({ status, body }: Answer) {
  const answer = JSON.parse(body.toString()) as Row;
  const items = (tag: string): Row[] => (answer[tag]?.Value ?? []) as Row[];
  return {
    status,
    stored: items('00081199').map((item) => String(item['00081155']?.Value?.[0])),
    failed: items('00081198').map((item) => [item['00081155']?.Value?.[0], item['00081197']?.Value?.[0]]),
  };
}

const inFolder = (): Buffer => readFileSync(join(folder, 'stored', `${uid}.dcm`));
const names = (): string[] => readdirSync(join(folder, 'stored'));

describe('two objects of one SOP Instance UID: the first stays, and the other is told as failed', () => {
  test('in one request', async () => {
    const answer = outcome(await store(port, [version(1), version(2)]));
    expect(answer).toEqual({ status: 202, stored: [uid], failed: [[uid, 0x0111]] });
    expect(inFolder().equals(version(1))).toBe(true);
    expect(names()).toEqual([`${uid}.dcm`]);
  });

  test('in requests at once', async () => {
    const answers = (await Promise.all(Array.from({ length: 12 }, (_, at) => store(port, [version(at)])))).map(outcome);
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, ...Array.from({ length: 11 }, () => 409)]);
    const first = answers.findIndex(({ status }) => status === 200);
    expect(inFolder().equals(version(first))).toBe(true);
    expect(names()).toEqual([`${uid}.dcm`]);
  });

  test('by two servers over one folder', async () => {
    const ports = [port, await serveFolder(folder), await serveFolder(folder)];
    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, at) => store(ports[at % 3] ?? port, [version(at)])),
    );
    const statuses = answers.map(({ status }) => status);
    expect(statuses.toSorted()).toEqual([200, ...Array.from({ length: 11 }, () => 409)]);
    expect(inFolder().equals(version(statuses.indexOf(200)))).toBe(true);
    expect(names()).toEqual([`${uid}.dcm`]);
  });

  test('beside a file that was copied there by hand since', async () => {
    mkdirSync(join(folder, 'copied'));
    writeFileSync(join(folder, 'copied', 'a.dcm'), version(1));
    expect(outcome(await store(port, [version(2)]))).toEqual({ status: 409, stored: [], failed: [[uid, 0x0111]] });
    expect(outcome(await store(port, [version(1)])).status).toBe(200);
    expect(readdirSync(folder)).toEqual(['copied']);
  });

  test('beside a file of its name, whatever is in it', async () => {
    mkdirSync(join(folder, 'stored'));
    writeFileSync(join(folder, 'stored', `${uid}.dcm`), 'notes of somebody');
    expect(outcome(await store(port, [version(1)])).status).toBe(409);
    expect(inFolder().toString()).toBe('notes of somebody');
    expect(names()).toEqual([`${uid}.dcm`]);
  });

  test('beside a link of its name, which is not written through', async () => {
    const outside = join(temporaryFolder(), 'outside.dcm');
    mkdirSync(join(folder, 'stored'));
    symlinkSync(outside, join(folder, 'stored', `${uid}.dcm`));
    expect(outcome(await store(port, [version(1)])).status).toBe(409);
    expect(() => readFileSync(outside)).toThrow();
  });

  test('but the same bytes again are a success, for their sender may not have got the answer', async () => {
    expect(outcome(await store(port, [version(1), version(1)]))).toMatchObject({ status: 200, stored: [uid, uid] });
    expect(outcome(await store(port, [version(1)])).status).toBe(200);
  });
});

test('a folder for what is stored that is a link is not written into', async () => {
  const outside = temporaryFolder();
  symlinkSync(outside, join(folder, 'stored'));
  const { status, failed } = outcome(await store(port, [version(1)]));
  expect({ status, failed: failed.map(([, reason]) => reason) }).toEqual({ status: 409, failed: [0x0110] });
  expect(readdirSync(outside)).toEqual([]);
});

describeWithSmallDisk('a full disk', () => {
  test('is told as one, and leaves nothing half-written', async () => {
    const small = smallDisk(64);
    const full = await serveFolder(small);
    const large = Buffer.concat([version(1), Buffer.alloc(100_000)]);
    const { status, failed } = outcome(await store(full, [large]));
    expect({ status, reasons: failed.map(([, reason]) => reason) }).toEqual({ status: 409, reasons: [0xa700] });
    expect(readdirSync(small)).toEqual([]);
    expect(outcome(await store(full, [version(1)])).status).toBe(200);
  });

  test('keeps what a request brought before it was full, and tells the rest', async () => {
    const small = smallDisk(64);
    const full = await serveFolder(small);
    const large = Buffer.concat([version(2), Buffer.alloc(100_000)]);
    const answer = outcome(await store(full, [version(1), large, version(1)]));
    expect({ ...answer, failed: answer.failed.map(([, reason]) => reason) }).toEqual({
      status: 202,
      stored: [uid],
      failed: [0xa700, 0xa700],
    });
    expect(readdirSync(join(small, 'stored'))).toEqual([`${uid}.dcm`]);
    expect(readFileSync(join(small, 'stored', `${uid}.dcm`)).equals(version(1))).toBe(true);
  });
});

describe('what is half-written', () => {
  test('of a request that breaks off is taken away, and nothing of it is stored', async () => {
    const { contentType, body } = encodeMultipart(
      [{ contentType: 'application/dicom', body: version(1) }],
      'application/dicom',
    );
    const whole = Buffer.concat(body);
    await new Promise<void>((resolve) => {
      const outgoing = request({
        host: '127.0.0.1',
        port,
        path: '/dicom-web/studies',
        method: 'POST',
        headers: { host: 'localhost', 'content-type': contentType, 'content-length': whole.length },
      });
      outgoing.on('error', () => {
        resolve();
      });
      outgoing.write(whole.subarray(0, whole.length - 20));
      setTimeout(() => outgoing.destroy(), 200);
    });
    await expect.poll(() => readdirSync(folder)).toEqual([]);
    expect(outcome(await store(port, [version(1)])).status).toBe(200);
  });

  test('by a server that was ended is taken away by the next one; that of one which runs stays', async () => {
    const host = hostname()
      .replaceAll(/[^\w-]/g, '')
      .slice(0, 32);
    mkdirSync(join(folder, 'stored'));
    const mine = `.${host}.${process.pid}.0123456789abcdef.partial`;
    // Linux gives no process a number beyond 2^22.
    const ended = `.${host}.4194305.0123456789abcdef.partial`;
    const elsewhere = `.another-computer.4194305.0123456789abcdef.partial`;
    for (const name of [mine, ended, elsewhere]) writeFileSync(join(folder, 'stored', name), 'half');
    await store(await serveFolder(folder), [version(1)]);
    expect(names().toSorted()).toEqual([mine, elsewhere, `${uid}.dcm`].toSorted());
  });
});

test('a request is stored without being in memory: 600 MB in pieces', { timeout: 120_000 }, async () => {
  const megabyte = Buffer.alloc(2 ** 20, 0x20);
  const before = process.memoryUsage().rss;
  let largest = 0;
  const status = await new Promise<number>((resolve, reject) => {
    const outgoing = request({
      host: '127.0.0.1',
      port,
      path: '/dicom-web/studies',
      method: 'POST',
      headers: { host: 'localhost', 'content-type': 'multipart/related; type="application/dicom"; boundary=b' },
    });
    outgoing.on('error', reject);
    outgoing.on('response', (response) => {
      response.resume().on('end', () => {
        resolve(response.statusCode ?? 0);
      });
    });
    const send = async (): Promise<void> => {
      outgoing.write('--b\r\n\r\n');
      for (let at = 0; at < 600; at++) {
        largest = Math.max(largest, process.memoryUsage().rss);
        if (!outgoing.write(megabyte)) await new Promise((resolve) => outgoing.once('drain', resolve));
      }
      outgoing.end('\r\n--b--');
    };
    send().catch(reject);
  });
  expect(status).toBe(409);
  expect(largest - before).toBeLessThan(150 * 2 ** 20);
  expect(readdirSync(folder)).toEqual([]);
});

test('a file that two names lead to is one instance', async () => {
  await store(port, [version(1)]);
  linkSync(join(folder, 'stored', `${uid}.dcm`), join(folder, 'again.dcm'));
  const studies = JSON.parse((await ask(port, '/dicom-web/studies')).body.toString()) as Row[];
  expect(studies.map((row) => row['00201208']?.Value)).toEqual([[1]]);
});
