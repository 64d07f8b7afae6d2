import { z } from 'zod';
import { ModelError } from '../errors.ts';

const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'must be 64 lower-case hexadecimal digits');
/** A file beside the manifest: no folders up, no absolute path. */
const fileName = z
  .string()
  .regex(/^(?!\.)[A-Za-z0-9._-]+(\/(?!\.)[A-Za-z0-9._-]+)*$/, 'must be a path inside the model folder');
const positive = z.number().positive();

const codedConcept = z.strictObject({
  codeValue: z.string().min(1).max(16),
  codingSchemeDesignator: z.string().min(1).max(16),
  codeMeaning: z.string().min(1).max(64),
});

const cielab = z.number().int().min(0).max(65535);

const segment = z.strictObject({
  segmentNumber: z.number().int().min(1).max(65535),
  segmentLabel: z.string().min(1).max(64),
  segmentedPropertyCategory: codedConcept,
  segmentedPropertyType: codedConcept,
  segmentedPropertyTypeModifier: codedConcept.optional(),
  anatomicRegion: codedConcept.optional(),
  recommendedDisplayCIELab: z.tuple([cielab, cielab, cielab]),
});

const goldenArray = z.strictObject({
  path: fileName,
  shape: z.array(z.number().int().positive()).length(4),
  sha256,
});

const figure = z.strictObject({
  data: z.string(),
  metric: z.string(),
  value: z.number(),
  perSegment: z.record(z.string(), z.number()).optional(),
});

/** The normative description of a model folder's manifest.json. */
export const manifestSchema = z.strictObject({
  schemaVersion: z.literal(1),
  id: z.string().regex(/^[a-z0-9][a-z0-9-]*$/, 'must be lower-case letters, digits and hyphens'),
  version: z.string().regex(/^\d+\.\d+\.\d+$/, 'must be like 1.0.0'),
  title: z.string().min(1).max(64),
  licence: z.string().min(1).describe('SPDX identifier of the weights, or the name of their licence'),
  intendedUse: z.string().min(1),
  file: z.strictObject({ path: fileName, sha256, byteLength: z.number().int().positive() }),
  input: z.strictObject({
    name: z.string().min(1),
    shape: z
      .tuple([z.literal(1), z.number().int().positive(), z.number().int().positive(), z.number().int().positive()])
      .describe('[batch, channels, rows, columns]'),
    modality: z.array(z.string().min(1)).min(1).describe('accepted DICOM Modality values'),
    bodyPart: z
      .array(z.string().min(1))
      .min(1)
      .describe('regions, as Body Part Examined defined terms, that the model covers'),
    sliceAxis: z.enum(['acquired', 'axial', 'sagittal', 'coronal']),
    orientation: z.enum(['LPS', 'any']),
    channels: z.strictObject({
      offsetsInSlices: z.array(z.number().int()).min(1).describe('ascending, along +k after reorientation'),
      edge: z.literal('replicate'),
    }),
    spacing: positive.describe('mm a pixel, in plane'),
    intensity: z.strictObject({
      kind: z.enum(['window', 'percentile']),
      scope: z.enum(['volume', 'slice']),
      low: z.number().describe('modality value or percentile that becomes 0'),
      high: z.number().describe('modality value or percentile that becomes 1'),
    }),
    padValue: z.number().describe('normalised value outside the image'),
  }),
  output: z.strictObject({
    name: z.string().min(1),
    kind: z.enum(['logits', 'probabilities']),
    stride: z.number().int().positive().describe('input pixels for one output pixel'),
    alignCorners: z.boolean(),
    temperature: positive.describe('logits are divided by it before the softmax'),
  }),
  tta: z.strictObject({
    flips: z.array(z.enum(['i', 'j'])),
    rotations: z.array(z.union([z.literal(90), z.literal(180), z.literal(270)])).describe('degrees'),
    scales: z.array(positive),
  }),
  segments: z.array(segment).min(1),
  postProcess: z.array(
    z.strictObject({
      segmentNumber: z.number().int().min(1),
      keepLargestComponent: z.boolean(),
      fillHoles: z.boolean(),
      minimumVolumeMl: z.number().nonnegative(),
    }),
  ),
  evaluation: z.array(figure),
  golden: z.strictObject({
    input: goldenArray,
    output: goldenArray,
    tolerance: positive.describe('largest difference of an output value that another backend may show'),
  }),
});

export type ModelManifest = z.infer<typeof manifestSchema>;
export type GoldenArray = z.infer<typeof goldenArray>;

/** Reads a manifest from parsed JSON: the schema first, then what a schema cannot say.
 * @throws ModelError `invalid-manifest` naming every wrong place */
export function parseManifest(value: unknown): ModelManifest {
  const parsed = manifestSchema.safeParse(value);
  if (!parsed.success) {
    throw invalidManifest(
      parsed.error.issues.map((issue) => `${issue.path.join('.') || 'document'}: ${issue.message}`),
    );
  }
  const contradictions = findContradictions(parsed.data);
  if (contradictions.length > 0) throw invalidManifest(contradictions);
  return parsed.data;
}

/** Classes of the model's output: background and the segments. */
export function classCount(manifest: Pick<ModelManifest, 'segments'>): number {
  return manifest.segments.length + 1;
}

/** [1, classes, rows, columns] of the model's output. */
export function outputShape({
  input,
  output,
  segments,
}: Pick<ModelManifest, 'input' | 'output' | 'segments'>): number[] {
  const [, , rows, columns] = input.shape;
  return [1, classCount({ segments }), rows / output.stride, columns / output.stride];
}

function findContradictions(manifest: ModelManifest): string[] {
  const { input, output, segments, postProcess, golden, tta } = manifest;
  const [, channels, rows, columns] = input.shape;
  const offsets = input.channels.offsetsInSlices;
  const found: string[] = [];
  const claim = (holds: boolean, what: string): void => {
    if (!holds) found.push(what);
  };
  claim(
    channels === offsets.length,
    `input.shape: ${String(channels)} channels, but ${String(offsets.length)} slice offsets`,
  );
  claim(
    offsets.every((n, at) => at === 0 || n > (offsets[at - 1] ?? n)),
    'input.channels.offsetsInSlices: must ascend',
  );
  claim(offsets.includes(0), 'input.channels.offsetsInSlices: must contain 0, the slice itself');
  claim(rows % output.stride === 0 && columns % output.stride === 0, 'output.stride: must divide input.shape');
  claim(input.intensity.low < input.intensity.high, 'input.intensity: low must be below high');
  if (input.intensity.kind === 'percentile') {
    claim(input.intensity.low >= 0 && input.intensity.high <= 100, 'input.intensity: percentiles are 0 to 100');
  }
  claim(!tta.rotations.some((r) => r !== 180) || rows === columns, 'tta.rotations: 90 and 270 need a square input');
  claim(
    segments.every((s, at) => s.segmentNumber === at + 1),
    'segments: segmentNumber must be 1, 2, 3 … in order: it is the class index of the model',
  );
  const numbers = new Set(segments.map((s) => s.segmentNumber));
  claim(
    postProcess.every((p) => numbers.has(p.segmentNumber)),
    'postProcess: names a segmentNumber that is not there',
  );
  claim(
    new Set(postProcess.map((p) => p.segmentNumber)).size === postProcess.length,
    'postProcess: names a segmentNumber twice',
  );
  claim(String(golden.input.shape) === String(input.shape), 'golden.input.shape: must equal input.shape');
  claim(
    String(golden.output.shape) === String(outputShape(manifest)),
    `golden.output.shape: must be [${outputShape(manifest).join(', ')}]`,
  );
  return found;
}

function invalidManifest(problems: string[]): ModelError {
  return new ModelError('invalid-manifest', `The model's manifest is not valid: ${problems.join('; ')}.`, {
    remedy: 'Correct manifest.json; schemas/model-manifest.schema.json describes it.',
    details: { problems },
  });
}
