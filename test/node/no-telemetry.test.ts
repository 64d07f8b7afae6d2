import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { tinyModelFolder } from '../support/models.ts';
import { describeWithProgram } from '../support/python.ts';

const execute = promisify(execFile);
const checkout = resolve(import.meta.dirname, '../..');

interface Traced {
  /** Below the home folder, afterwards. */
  readonly filesAtHome: readonly string[];
  /** System calls that opened a socket of the internet, or connected one. */
  readonly connections: readonly string[];
  /** Opened files by which a machine can be told, and by which names are looked up. */
  readonly telling: readonly string[];
  readonly stdout: string;
}

// A bare library on Linux writes to the home folder, which is how it is known that the trace would see it.
describeWithProgram('onnxruntime, traced', 'strace', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'slicewise-trace-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  test('by itself it keeps files about the machine: the trace sees them', async () => {
    const { filesAtHome, telling } = await traced(
      `const { InferenceSession } = await import('onnxruntime-node');
       await InferenceSession.create(${JSON.stringify(join(tinyModelFolder, 'model.onnx'))});`,
    );
    expect(filesAtHome).toContain('.cache/Microsoft/DeveloperTools/.onnxruntime/deviceid');
    expect(telling).toContainEqual(expect.stringContaining('/etc/machine-id'));
  });

  test.each([
    ['as a library', `await session.run({ shape, data });`, ''],
    ['in a worker thread whose main thread set the variable', `await session.run({ shape, data });`, 'thread'],
  ])('%s, nothing is kept, looked up or connected', async (_, run, where) => {
    const script = `
      import { readFile } from 'node:fs/promises';
      import { loadModel } from ${moduleUrl('src/models/load-model.ts')};
      import { createNodeBackend } from ${moduleUrl('src/node/ort-threads.ts')};
      const model = await loadModel((path) => readFile(${JSON.stringify(tinyModelFolder)} + path));
      const session = await createNodeBackend({ threads: 1 }).openSession(model);
      const [shape, data] = [[1, 3, 48, 48], new Float32Array(3 * 48 * 48)];
      ${run}
      await session.dispose();
      console.log('ran');
    `;
    expect(await traced(where === '' ? script : inThread(script, true))).toEqual(NOTHING);
  });

  test('the command line keeps, looks up and connects nothing', async () => {
    const script = `
      process.argv.splice(1, 2, 'slicewise', 'models', 'verify', ${JSON.stringify(tinyModelFolder)});
      await import(${moduleUrl('src/cli/main.ts')});
      console.log('ran');
    `;
    expect(await traced(script)).toEqual({ ...NOTHING, stdout: expect.stringMatching(/computes on node/) as string });
  });

  test('in a worker thread of a process without the variable, the backend is not available, and says why', async () => {
    const script = `
      import { createNodeBackend } from ${moduleUrl('src/node/ort-threads.ts')};
      process.env.ORT_DISABLE_TELEMETRY = '1'; // the thread's own copy
      console.log((await createNodeBackend().probe()).reason);
    `;
    const { stdout, ...left } = await traced(inThread(script, false));
    expect(stdout).toMatch(/would report to its maker/);
    expect(left).toMatchObject({ filesAtHome: [], connections: [], telling: [] });
  });

  /** Runs a module where nothing but HOME and PATH is set, and waits a second for what the library does afterwards. */
  async function traced(script: string): Promise<Traced> {
    const [home, log] = [join(folder, 'home'), join(folder, 'trace')];
    await execute('mkdir', [home]);
    const waiting = `${script}\nawait new Promise((resolve) => setTimeout(resolve, 1000));`;
    const node = [process.execPath, '--import', 'tsx', '--input-type=module', '--eval', waiting];
    const { stdout } = await execute(
      'strace',
      ['-f', '-qq', '-s', '256', '-e', 'trace=socket,connect,open,openat,creat', '-o', log, ...node],
      { cwd: checkout, env: { PATH: process.env['PATH'], HOME: home } },
    );
    const calls = (await readFile(log, 'utf8')).split('\n');
    const found = await readdir(home, { recursive: true, withFileTypes: true });
    return {
      stdout,
      filesAtHome: found
        .filter((one) => one.isFile())
        .map((one) => join(one.parentPath, one.name).slice(home.length + 1)),
      connections: calls.filter((call) => /socket\(AF_INET|connect\(.*AF_INET/.test(call)),
      telling: calls.filter((call) => /machine-id|\/etc\/(resolv\.conf|hosts|nsswitch\.conf)|Microsoft/.test(call)),
    };
  }
});

const NOTHING = { filesAtHome: [], connections: [], telling: [], stdout: 'ran\n' };

/** A module that runs another in a worker thread. */
function inThread(script: string, isSet: boolean): string {
  const url = `data:text/javascript,${encodeURIComponent(script)}`;
  // A thread does not inherit the TypeScript loader.
  const loader = `import('tsx/esm/api').then(({ register }) => (register(), import(${JSON.stringify(url)})))`;
  return `
    import { Worker } from 'node:worker_threads';
    ${isSet ? "process.env.ORT_DISABLE_TELEMETRY = '1';" : ''}
    const worker = new Worker(${JSON.stringify(loader)}, { eval: true });
    await new Promise((resolve) => worker.on('exit', resolve));
  `;
}

function moduleUrl(path: string): string {
  return JSON.stringify(new URL(`../../${path}`, import.meta.url).href);
}
