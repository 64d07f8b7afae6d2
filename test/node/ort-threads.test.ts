import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { createNodeBackend, createWasmThreadBackend } from '../../src/node/ort-threads.ts';
import { describeBackendContract } from '../contracts/backend-contract.ts';
import { loadTinyModel, slowModelFile, tinyModelFolder } from '../support/models.ts';

const workerFile = fileURLToPath(new URL('../../src/node/ort-thread.js', import.meta.url));

describeBackendContract('node', createNodeBackend({ threads: 1 }));
describeBackendContract('WASM in a thread', createWasmThreadBackend());

describe('without onnxruntime-node', () => {
  let folder: string;
  beforeEach(async () => {
    // The worker's own script where no node_modules is above it.
    folder = await mkdtemp(join(tmpdir(), 'slicewise-worker-'));
    await copyFile(workerFile, join(folder, 'ort-thread.js'));
    await writeFile(join(folder, 'package.json'), '{ "type": "module" }');
  });
  afterEach(() => rm(folder, { recursive: true }));

  test('the backend is not available, for a reason that names the package', async () => {
    expect(await backendWithoutBinding().probe()).toEqual({
      available: false,
      reason: expect.stringMatching(/onnxruntime-node does not load here: Cannot find package/) as string,
    });
  });

  test('opening a model is an EnvironmentError that tells of the wasm backend', async () => {
    await expect(backendWithoutBinding().openSession(await loadTinyModel())).rejects.toMatchObject({
      name: 'EnvironmentError',
      code: 'backend-unavailable',
      remedy: expect.stringContaining('the WebAssembly backend') as string,
      details: expect.objectContaining({ option: 'backend', choices: ['wasm'] }) as object,
    });
  });

  function backendWithoutBinding() {
    return createNodeBackend({ workerUrl: pathToFileURL(join(folder, 'ort-thread.js')) });
  }
});

describe('when the thread ends in a run', () => {
  const workerUrl = new URL('../fixtures/workers/dies-in-run.js', import.meta.url);
  const input = () => ({ shape: [1, 3, 48, 48], data: new Float32Array(3 * 48 * 48) });

  test('that run and the later ones fail with the reason, and dispose still works', async () => {
    const session = await createNodeBackend({ workerUrl }).openSession(await loadTinyModel());
    const runs = await Promise.allSettled([session.run(input()), session.run(input())]);
    for (const run of [...runs, ...(await Promise.allSettled([session.run(input())]))]) {
      expect(run).toMatchObject({
        status: 'rejected',
        reason: {
          name: 'InternalError',
          code: 'inference-failed',
          message: "onnxruntime's thread has ended (exit code 7); the session is lost.",
        },
      });
    }
    await session.dispose();
  });
});

test('a worker script that is not there fails the opening, and nothing hangs', async () => {
  const workerUrl = new URL('../fixtures/workers/none.js', import.meta.url);
  await expect(createNodeBackend({ workerUrl }).openSession(await loadTinyModel())).rejects.toMatchObject({
    name: 'InternalError',
    message: expect.stringContaining('Cannot find module') as string,
  });
});

test('opening takes the bytes of the model where it may, so that they are in memory once', async () => {
  const model = await loadTinyModel();
  const session = await createNodeBackend({ threads: 1 }).openSession(model, { takesBytes: true });
  expect(model.bytes.byteLength).toBe(0);
  await session.dispose();
});

test('opening leaves the neighbours of bytes that are a part of a larger buffer', async () => {
  const { manifest, bytes } = await loadTinyModel();
  const buffer = new Uint8Array(bytes.byteLength + 8).fill(9);
  buffer.set(bytes, 8);
  const session = await createNodeBackend({ threads: 1 }).openSession(
    { manifest, bytes: buffer.subarray(8) },
    { takesBytes: true },
  );
  expect(buffer[0]).toBe(9);
  await session.dispose();
});

describe('a process', { timeout: 60_000 }, () => {
  test.each([
    ['that disposes its session', 'await session.dispose();'],
    ['that forgets to', ''],
    ['that leaves a run unawaited', 'void session.run(input());'],
  ])('%s ends by itself', async (_, ending) => {
    expect(await runScript(`${ending} console.log(output.shape.join());`)).toEqual({
      code: 0,
      stdout: '1,4,12,12\n',
      stderr: '',
    });
  });

  test.each([
    ['node', 'createNodeBackend({ threads: 1 })'],
    ['wasm', 'createWasmThreadBackend()'],
  ])('that calls process.exit in the middle of a run on %s ends with that exit code', async (_, backend) => {
    const exitInRun = `
      const bytes = await readFile(${JSON.stringify(slowModelFile)});
      const file = { ...model.manifest.file, sha256: await sha256Hex(bytes), byteLength: bytes.byteLength };
      const slow = await ${backend}.openSession({ manifest: { ...model.manifest, file }, bytes });
      void slow.run(input());
      setTimeout(() => process.exit(130), 100);
    `;
    expect(await runScript(exitInRun)).toEqual({ code: 130, stdout: '', stderr: '' });
  });
});

/** Runs a script in a process of its own, after a first `output` of a `session`. */
async function runScript(ending: string): Promise<{ code: number; stdout: string; stderr: string }> {
  const script = `
    import { readFile } from 'node:fs/promises';
    import { loadModel, sha256Hex } from ${quotedUrl('../../src/models/load-model.ts')};
    import { createNodeBackend, createWasmThreadBackend } from ${quotedUrl('../../src/node/ort-threads.ts')};
    const model = await loadModel((path) => readFile(${JSON.stringify(tinyModelFolder)} + path));
    const session = await createNodeBackend({ threads: 1 }).openSession(model);
    const input = () => ({ shape: [1, 3, 48, 48], data: new Float32Array(3 * 48 * 48) });
    const output = await session.run(input());
    ${ending}
  `;
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', script]);
  const [stdout, stderr, exit] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
  return { code: z.number().parse(exit[0]), stdout, stderr };
}

function quotedUrl(path: string): string {
  return JSON.stringify(new URL(path, import.meta.url).href);
}
