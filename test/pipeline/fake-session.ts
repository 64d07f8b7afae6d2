import type { InferenceSession, Tensor } from '../../src/inference/backend.ts';
import { parseManifest, type ModelManifest } from '../../src/models/manifest.ts';
import { outputShape } from '../../src/models/manifest-facts.ts';

export interface ManifestParts {
  readonly input?: Partial<ModelManifest['input']>;
  readonly output?: Partial<ModelManifest['output']>;
  readonly tta?: Partial<ModelManifest['tta']>;
  readonly postProcess?: ModelManifest['postProcess'];
  /** Segments; classes are one more. */
  readonly segments?: number;
}

/** A valid manifest of a model that sees a slice as it is: 16 × 12 pixels of 1 mm, one channel, values 0…1. */
export function createManifest({ input, output, tta, postProcess, segments = 3 }: ManifestParts = {}): ModelManifest {
  const shape = input?.shape ?? [1, 1, 12, 16];
  const stride = output?.stride ?? 1;
  const hash = '0'.repeat(64);
  const concept = { codeValue: '1', codingSchemeDesignator: '99TEST', codeMeaning: 'Test' };
  return parseManifest({
    schemaVersion: 1,
    id: 'fake',
    version: '1.2.3',
    title: 'Fake model',
    licence: 'MIT',
    intendedUse: 'Tests.',
    file: { path: 'model.onnx', sha256: hash, byteLength: 1 },
    input: {
      name: 'image',
      shape,
      modality: ['MR'],
      bodyPart: ['HEART'],
      sliceAxis: 'acquired',
      orientation: 'any',
      channels: { offsetsInSlices: [0], edge: 'replicate' },
      spacing: 1,
      intensity: { kind: 'window', scope: 'volume', low: 0, high: 1 },
      padValue: 0,
      ...input,
    },
    output: { name: 'scores', kind: 'logits', stride, alignCorners: false, temperature: 1, ...output },
    tta: { flips: [], rotations: [], scales: [], ...tta },
    segments: Array.from({ length: segments }, (_, n) => ({
      segmentNumber: n + 1,
      segmentLabel: `Part ${n + 1}`,
      segmentedPropertyCategory: concept,
      segmentedPropertyType: concept,
      recommendedDisplayCIELab: [0, 0, 0],
    })),
    postProcess: postProcess ?? [],
    evaluation: [],
    golden: {
      input: { path: 'golden/input.f32', shape, sha256: hash },
      output: {
        path: 'golden/output.f32',
        shape: outputShape({
          input: { shape },
          output: { stride, alignCorners: output?.alignCorners ?? false },
          segments: Array(segments).fill(0),
        }),
        sha256: hash,
      },
      tolerance: 1e-3,
    },
  });
}

/** A session that answers with a function of its input; like a real one it takes the input's buffer away.
 * @param score [1, channels, rows, columns] → [classes × rows / stride × columns / stride] */
export function createFakeSession(
  manifest: ModelManifest,
  score: (input: Tensor) => Float32Array | Promise<Float32Array>,
): InferenceSession {
  const [, , rows, columns] = manifest.input.shape;
  const { stride } = manifest.output;
  return {
    backendId: 'fake',
    model: { manifest },
    async run(input, { signal } = {}) {
      signal?.throwIfAborted();
      const { buffer } = input.data;
      if (!(buffer instanceof ArrayBuffer)) throw new TypeError('A shared buffer cannot be transferred.');
      const taken = { shape: input.shape, data: structuredClone(input.data, { transfer: [buffer] }) };
      const data = await score(taken);
      return { shape: [1, manifest.segments.length + 1, rows / stride, columns / stride], data };
    },
    dispose: () => Promise.resolve(),
  };
}

/** Scores of a model that labels a pixel by its value: v goes to the class nearest to v · (classes − 1). One channel. */
export function scoreByValue(classes: number, sharpness = 40): (input: Tensor) => Float32Array {
  return ({ data }) => {
    const scores = new Float32Array(classes * data.length);
    data.forEach((value, pixel) => {
      for (let c = 0; c < classes; c++)
        scores[c * data.length + pixel] = -sharpness * Math.abs(value * (classes - 1) - c);
    });
    return scores;
  };
}
