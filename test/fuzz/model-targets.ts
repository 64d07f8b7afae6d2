import { readFileSync } from 'node:fs';
import { mutateBytes } from '../support/mutations.ts';
import { tinyModelFolder } from '../support/models.ts';
import { mutateJson, mutateText } from './mutate-text.ts';
import { pick, type FuzzTarget } from './target.ts';

// What a stranger's model folder and a command line hold.

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

export const modelTargets: readonly FuzzTarget[] = [
  {
    name: 'manifest',
    share: 30,
    async open() {
      const { loadManifest } = await import('../../src/models/load-model.ts');
      const seeds = ['models/cardiac-mr/manifest.json', `${tinyModelFolder}manifest.json`].map((path) =>
        readFileSync(path, 'utf8'),
      );
      return {
        make: (random) => {
          const seed = pick(random, seeds);
          const whole: unknown = JSON.parse(seed);
          const changed =
            random() < 0.7
              ? JSON.stringify(mutateJson(whole, random, 0.0005 + 0.1 * random() ** 3))
              : mutateText(seed, random, ['{', '}', '[', ']', ',', ':', '"', 'null', '1e999', '\\u0000']);
          return { name: 'manifest.json', bytes: text(changed) };
        },
        run: ({ bytes }) => loadManifest(() => Promise.resolve(bytes)),
      };
    },
  },
  {
    name: 'onnx-weights',
    share: 12,
    async open() {
      const { assertSelfContained } = await import('../../src/models/load-model.ts');
      const seeds = ['model.onnx'].map((name) => new Uint8Array(readFileSync(`${tinyModelFolder}${name}`)));
      return {
        make: (random) => ({ name: 'model.onnx', bytes: mutateBytes(pick(random, seeds), random) }),
        run: ({ bytes }) => {
          assertSelfContained(bytes, { path: 'model.onnx', byteLength: bytes.length, sha256: '' });
        },
      };
    },
  },
  {
    name: 'canonical-json',
    share: 20,
    async open() {
      const { canonicalJson } = await import('../../src/models/load-model.ts');
      const seed: unknown = JSON.parse(readFileSync(`${tinyModelFolder}manifest.json`, 'utf8'));
      return {
        make: (random) => ({ name: 'json', bytes: text(JSON.stringify(mutateJson(seed, random, 0.05))) }),
        run: ({ bytes }) => {
          const value: unknown = JSON.parse(new TextDecoder().decode(bytes));
          const canonical = canonicalJson(value);
          if (canonicalJson(JSON.parse(canonical)) !== canonical) throw new Error('not canonical');
        },
      };
    },
  },
  {
    name: 'arguments',
    share: 30,
    async open() {
      const { commandSpecs } = await import('../../src/cli/commands.ts');
      const { parseArguments } = await import('../../src/cli/parse-arguments.ts');
      const { parseImageOptions } = await import('../../src/cli/read-options.ts');
      const words = ['--phase', '--limit', 'voxels=2e9,', '--', '-', '=', '--series=', '--output', '\n', '1e999', '-0'];
      return {
        make: (random) => ({
          name: pick(random, commandSpecs).name,
          bytes: text(mutateText('in\n--model\nheart\n--phase\n2\n--limit\nvoxels=10\nout.dcm', random, words)),
        }),
        run: ({ name, bytes }) => {
          const spec = commandSpecs.find((one) => one.name === name);
          if (spec === undefined) throw new RangeError(name);
          const argv = new TextDecoder().decode(bytes).split('\n');
          const { options } = parseArguments(spec, argv);
          parseImageOptions(spec, options);
        },
      };
    },
  },
  {
    name: 'csv-and-print',
    share: 30,
    async open() {
      const { formatCsv } = await import('../../src/cli/documents.ts');
      const { visibleText } = await import('../../src/visible-text.ts');
      const { parseCsv } = await import('../support/csv.ts');
      const words = ['=', '+', '-', '@', ',', '"', '\t', '\r', '\n', "'"];
      return {
        make: (random) => ({ name: 'cell', bytes: text(mutateText('=HYPERLINK("a";"b")', random, words)) }),
        run: ({ bytes }) => {
          const cell = new TextDecoder().decode(bytes);
          const visible = visibleText(cell);
          // eslint-disable-next-line no-control-regex -- control characters are what must be gone
          if (/[\u0000-\u0008\u000A-\u001F\u007F-\u009F\u202A-\u202E\u2066-\u2069]/.test(visible))
            throw new Error('not visible');
          const rows = parseCsv(formatCsv(['a', 'b'], [{ a: cell, b: 'x' }]));
          if (rows.length !== 1 || rows[0]?.['b'] !== 'x') throw new Error('a cell became several');
        },
      };
    },
  },
];
