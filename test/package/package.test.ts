/** The package as a stranger has it: packed, installed into an empty project, and used. The npm registry gives its
 * dependencies; everything else is on this machine. */
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import type { Browser } from 'playwright';
import { build, createServer } from 'vite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import webpack from 'webpack';
import { launchChromium } from '../ohif/chromium.ts';
import { serveFolder } from '../support/served-folder.ts';

const run = promisify(execFile);
const checkout = resolve(import.meta.dirname, '../..');
const MOST_PACKED_BYTES = 12e6;

let work: string;
let tarball: string;
let app: string;
let installed: string;
let browser: Browser | undefined;

beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), 'slicewise-package-'));
  await run('npm', ['pack', '--pack-destination', work], { cwd: checkout });
  const [name = ''] = (await readdir(work)).filter((each) => each.endsWith('.tgz'));
  tarball = join(work, name);
  app = join(work, 'app');
  await cp(join(import.meta.dirname, 'app'), app, { recursive: true });
  await writeFile(join(app, 'package.json'), '{ "name": "app", "private": true, "type": "module" }');
  const quick = ['--no-audit', '--no-fund', '--prefer-offline', '--loglevel', 'error'];
  await run('npm', ['install', tarball, '--ignore-scripts', ...quick], { cwd: app });
  installed = join(app, 'node_modules', 'slicewise');
  // What its author has beside it: types of Node and of Cornerstone3D, which his bundler and compiler ask for.
  await mkdir(join(app, 'node_modules', '@types'), { recursive: true });
  for (const each of ['@types/node', 'undici-types', '@cornerstonejs/core', '@cornerstonejs/tools']) {
    await symlink(join(checkout, 'node_modules', each), join(app, 'node_modules', each)).catch(() => undefined);
  }
  await mkdir(join(app, 'public'));
  await symlink(join(installed, 'models'), join(app, 'public', 'models'));
}, 400_000);
afterAll(async () => {
  await browser?.close();
  await rm(work, { recursive: true, force: true });
});

test('it is small, and has one model with its golden arrays and its licence', async () => {
  expect((await stat(tarball)).size).toBeLessThan(MOST_PACKED_BYTES);
  expect(await readdir(join(installed, 'models'))).toEqual(['cardiac-mr-fast']);
  const files = await readdir(join(installed, 'models', 'cardiac-mr-fast'), { recursive: true });
  expect(files).toEqual(expect.arrayContaining(['LICENSE', 'golden/input.f32', 'golden/output.f32', 'model.onnx']));
});

test('every file that exports and bin name is there, and nothing of an earlier build is', async () => {
  const { exports, bin } = JSON.parse(await readFile(join(installed, 'package.json'), 'utf8')) as {
    exports: Record<string, string | Record<string, string>>;
    bin: Record<string, string>;
  };
  const named = [...Object.values(exports).flatMap((door) => Object.values(door)), ...Object.values(bin)];
  for (const name of named.filter((each) => each.length > 1 && !each.includes('*'))) {
    expect((await stat(join(installed, name))).isFile(), name).toBe(true);
  }
  const sources = new Set(await readdir(join(checkout, 'src'), { recursive: true }));
  const built = (await readdir(join(installed, 'dist'), { recursive: true })).filter((name) => name.endsWith('.js'));
  const ours = built.filter((name) => !/^(ohif|cornerstone)\//.test(name));
  expect(ours.filter((name) => !sources.has(name) && !sources.has(name.replace(/js$/, 'ts')))).toEqual([]);
});

test('publint and are-the-types-wrong find nothing', async () => {
  const bin = join(checkout, 'node_modules', '.bin');
  await run(join(bin, 'publint'), [tarball, '--strict']);
  await run(join(bin, 'attw'), [tarball, '--profile', 'esm-only', '--no-emoji']);
});

test.each(['vite.config.js', 'webpack.config.js', 'slicewise-worker.js'])(
  'docs/in-a-page.md gives %s as it is used here',
  async (name) => {
    const page = await readFile(join(checkout, 'docs', 'in-a-page.md'), 'utf8');
    const used = await readFile(join(import.meta.dirname, 'app', name), 'utf8');
    expect(page).toContain('```js\n' + used.trim() + '\n```');
  },
);

describe('in Node', () => {
  test.each([
    ['NodeNext', 'NodeNext'],
    ['ESNext', 'Bundler'],
  ])('its types hold with module %s and resolution %s', async (module, resolution) => {
    await compile('--noEmit', '--allowJs', '--checkJs', '--module', module, '--moduleResolution', resolution);
  });

  test('a program runs its model on WebAssembly, without onnxruntime-node', async () => {
    await compile('--module', 'NodeNext', '--outDir', 'out');
    const { stdout } = await run(process.execPath, ['out/node.js'], { cwd: app });
    expect(JSON.parse(stdout)).toEqual({ ok: true, ids: ['cardiac-mr-fast'], isNative: false, functions: true });
  });

  test('the command verifies the model, and says once how to get the native runtime', async () => {
    const { stdout, stderr } = await slicewise('models', 'verify', 'cardiac-mr-fast');
    expect(stdout).toContain('computes on wasm what it should');
    expect(stderr.split('npm i onnxruntime-node --ignore-scripts')).toHaveLength(2);
  });

  test('the command adds a model of the checkout and writes the files for OHIF with it', async () => {
    await slicewise('models', 'add', 'abdomen-ct-fast', '--from', join(checkout, 'models'));
    const folder = join(work, 'slicewise-files');
    await slicewise('ohif-files', folder, '--models', 'abdomen-ct-fast,cardiac-mr-fast');
    const index: unknown = JSON.parse(await readFile(join(folder, 'models', 'index.json'), 'utf8'));
    expect(index).toEqual(['abdomen-ct-fast', 'cardiac-mr-fast']);
    expect(await readFile(join(folder, 'app-config.snippet.js'), 'utf8')).toContain('/slicewise-files/extension.js');
    const { files } = JSON.parse(await readFile(join(installed, 'dist', 'ohif', 'files.json'), 'utf8')) as {
      files: { path: string; byteLength: number }[];
    };
    expect(files.filter(({ path }) => path.endsWith('.wasm')).length).toBeGreaterThan(0);
    for (const { path, byteLength } of files) expect((await stat(join(folder, path))).size, path).toBe(byteLength);
    await expect(slicewise('ohif-files', folder)).rejects.toMatchObject({ code: 3 });
    const { default: mode } = (await import(pathToFileURL(join(folder, 'mode.js')).href)) as { default: object };
    expect(mode).toMatchObject({ id: expect.stringContaining('slicewise') as string });
  });
});

describe('in a page, in Chromium', () => {
  test('built by Vite, the worker runs the model', async () => {
    await build({ root: app, logLevel: 'error' });
    expect(await outcomeOf(join(app, 'dist'))).toEqual(RAN);
  });

  test('served by Vite in development, too', async () => {
    const server = await createServer({ root: app, logLevel: 'error', server: { host: '127.0.0.1', port: 0 } });
    await server.listen();
    try {
      expect(await titleOf(server.resolvedUrls?.local[0] ?? '')).toEqual(RAN);
    } finally {
      await server.close();
    }
  });

  test('built by webpack with the settings of the docs, too', async () => {
    const settings = (await import(pathToFileURL(join(app, 'webpack.config.js')).href)) as {
      default: webpack.Configuration;
    };
    const config = settings.default;
    const path = join(work, 'webpack');
    await new Promise<void>((fulfil, reject) => {
      webpack({ ...config, context: app, output: { ...config.output, path } }, (error, stats) => {
        if (error !== null || stats?.hasErrors() !== false) reject(error ?? new Error(stats?.toString('errors-only')));
        else fulfil();
      });
    });
    await writeFile(join(path, 'index.html'), '<!doctype html><meta charset="utf-8"><script src="./page.js"></script>');
    await symlink(join(installed, 'models'), join(path, 'models'));
    expect(await outcomeOf(path)).toEqual(RAN);
  });
});

const RAN = { labels: 96 * 96 * 2, id: 'cardiac-mr-fast', backend: 'wasm', bridge: 'function' };

async function compile(...options: string[]): Promise<void> {
  const fixed = ['--strict', '--skipLibCheck', '--target', 'ES2023', '--lib', 'ES2023,DOM,DOM.Iterable'];
  const files = options.includes('--allowJs') ? ['node.ts', 'page.js', 'slicewise-worker.js'] : ['node.ts'];
  const tsc = join(checkout, 'node_modules', 'typescript', 'bin', 'tsc');
  await run(process.execPath, [tsc, ...fixed, '--types', 'node', ...options, ...files], { cwd: app });
}

function slicewise(...argv: string[]): Promise<{ stdout: string; stderr: string }> {
  const env = { ...process.env, XDG_DATA_HOME: join(work, 'data') };
  return run(process.execPath, [join(installed, 'dist', 'cli', 'main.js'), ...argv], { cwd: work, env });
}

async function outcomeOf(folder: string): Promise<unknown> {
  const server = await serveFolder(folder);
  try {
    return await titleOf(`${server.url}index.html`);
  } finally {
    await server.close();
  }
}

/** What the page says in its title when it is done. */
async function titleOf(address: string): Promise<unknown> {
  browser ??= await launchChromium();
  const page = await browser.newPage();
  try {
    await page.goto(address);
    await page.waitForFunction(() => document.title.startsWith('{'), undefined, { timeout: 120_000 });
    return JSON.parse(await page.title()) as unknown;
  } finally {
    await page.close();
  }
}
