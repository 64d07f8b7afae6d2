import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { createWasmBackend } from '../../src/inference/ort-web.ts';
import { assertSelfContained, sha256Hex } from '../../src/models/load-model.ts';
import { createNodeBackend } from '../../src/node/ort-threads.ts';
import { createManifest } from '../pipeline/fake-session.ts';
import { describeWithPython, runJudge } from '../support/python.ts';
import { temporaryFolder } from './judged-series.ts';

const page = readFileSync(resolve(import.meta.dirname, '../../docs/own-models.md'), 'utf8');
const judgement = z.object({ input: z.array(z.number()), output: z.array(z.number()) });

interface Settings {
  readonly channels: number;
  readonly mean: readonly number[];
  readonly sd: readonly number[];
  readonly nhwc: boolean;
  readonly softmax: boolean;
  readonly fp16: boolean;
}

/** As they stand in the page. */
const published: Settings = {
  channels: 3,
  mean: [0.485, 0.456, 0.406],
  sd: [0.229, 0.224, 0.225],
  nhwc: true,
  softmax: true,
  fp16: true,
};
const grey: Settings = { channels: 1, mean: [0.4], sd: [0.2], nhwc: false, softmax: false, fp16: false };

/** The one block of Python in the page, its settings replaced. */
function scriptOf(settings: Settings): string {
  const blocks = [...page.matchAll(/^```python\n(.*?)^```$/gms)].map(([, code]) => code ?? '');
  expect(blocks).toHaveLength(1);
  const list = (values: readonly number[]): string => `[${values.join(', ')}]`;
  const python = (value: boolean): string => (value ? 'True' : 'False');
  const lines: [RegExp, string][] = [
    [/^CHANNELS = \d+/m, `CHANNELS = ${settings.channels}`],
    [/^MEAN, SD = .*\](?=\s+#)/m, `MEAN, SD = ${list(settings.mean)}, ${list(settings.sd)}`],
    [/^NHWC = \w+/m, `NHWC = ${python(settings.nhwc)}`],
    [/^SOFTMAX = \w+/m, `SOFTMAX = ${python(settings.softmax)}`],
    [/^FP16 = \w+/m, `FP16 = ${python(settings.fp16)}`],
  ];
  return lines.reduce((script, [setting, line]) => {
    expect(script).toMatch(setting);
    return script.replace(setting, line);
  }, blocks[0] ?? '');
}

describeWithPython('the lines of docs/own-models.md', ['onnx', 'onnxruntime', 'numpy'], () => {
  test('stand there with the settings that are tested', () => {
    expect(page).toContain(scriptOf(published));
  });

  test.each<[string, Settings]>([
    ['as published', published],
    ['mean and SD alone', grey],
    ['channels repeated', { ...grey, channels: 3, mean: published.mean, sd: published.sd }],
    ['channels last', { ...grey, nhwc: true }],
    ['a softmax', { ...grey, softmax: true }],
    ['float16', { ...grey, fp16: true }],
  ])('make a graph that Slicewise runs to the same values: %s', async (_, settings) => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'wrap.py'), scriptOf(settings));
    const { input, output } = judgement.parse(await runJudge('wrap_network.py', [folder, JSON.stringify(settings)]));

    const bytes = new Uint8Array(readFileSync(join(folder, 'wrapped.onnx')));
    const valid = createManifest({
      segments: 2,
      input: { shape: [1, 1, 48, 48] },
      output: { kind: settings.softmax ? 'probabilities' : 'logits' },
    });
    const file = { path: 'model.onnx', sha256: await sha256Hex(bytes), byteLength: bytes.byteLength };
    assertSelfContained(bytes, file);
    for (const backend of [createNodeBackend({ threads: 1 }), createWasmBackend()]) {
      const session = await backend.openSession({ manifest: { ...valid, file }, bytes });
      const scores = await session.run({ shape: [1, 1, 48, 48], data: Float32Array.from(input) });
      await session.dispose();
      const largest = scores.data.reduce((most, value, at) => Math.max(most, Math.abs(value - (output[at] ?? NaN))), 0);
      // float16 has 11 bits: scores of up to some 30 are whole to 1/64, and runtimes round at other places.
      expect(largest, backend.id).toBeLessThan(settings.fp16 ? 0.05 : 1e-4);
    }
  });
});
