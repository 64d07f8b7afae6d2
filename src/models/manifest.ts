import en from 'zod/v4/locales/en.js';
import * as z from 'zod/mini';
import { ModelError } from '../errors.ts';
import { outputLength, outputShape, sidesExchanged } from './manifest-facts.ts';

/** Text for a terminal and for DICOM's LO and SH (PS3.5 6.2): neither control characters, nor invisible ones that turn
 * the text around, nor a backslash. Written as ranges, which every language's JSON Schema validator understands. */
const text = (longest: number, description?: string) =>
  z
    .string()
    .check(
      z.minLength(1),
      z.maxLength(longest),
      z.regex(
        /^(?! )[ -[\]-~\u00a0-\u200a\u2010-\u2027\u202f-\u205f\u2070-\ufefe\uff00-\uffff]*(?<! )$/,
        'must have no control character, no backslash and no space at its ends',
      ),
      ...described(description),
    );
const sha256 = z.string().check(z.regex(/^[0-9a-f]{64}$/, 'must be 64 lower-case hexadecimal digits'));
/** A file beside the manifest: no folder up, no absolute path, no hidden file. */
const filePath = (description?: string) =>
  z
    .string()
    .check(
      z.maxLength(255),
      z.regex(/^(?!\.)[A-Za-z0-9._-]+(\/(?!\.)[A-Za-z0-9._-]+)*$/, 'must be a path inside the model folder'),
      ...described(description),
    );
const number = (description: string) => z.number().check(z.describe(description));
const positive = (description?: string) => z.number().check(z.positive(), ...described(description));
const length = z.int().check(z.minimum(1), z.maximum(4096));
/** DICOM's Code String (PS3.5 6.2). */
const codeString = z
  .string()
  .check(z.regex(/^(?! )[A-Z0-9_ ]{1,16}(?<! )$/, 'must be capitals, digits, _ or spaces, 16 at most'));

const codedConcept = z.strictObject({
  codeValue: text(16),
  codingSchemeDesignator: text(16),
  codeMeaning: text(64),
});

const cielab = z.int().check(z.minimum(0), z.maximum(65535));

const segment = z.strictObject({
  segmentNumber: z
    .int()
    .check(z.minimum(1), z.maximum(65535), z.describe("the model's class index, which is the label value")),
  segmentLabel: text(64),
  segmentedPropertyCategory: codedConcept,
  segmentedPropertyType: codedConcept,
  segmentedPropertyTypeModifier: z
    .optional(codedConcept)
    .check(z.describe('laterality, or what else narrows the type')),
  anatomicRegion: z.optional(codedConcept),
  recommendedDisplayCIELab: z.tuple([cielab, cielab, cielab]).check(z.describe('16-bit encoding of PS3.3 C.10.7.1.1')),
});

const goldenArray = z.strictObject({
  path: filePath('little-endian float32, slowest axis first, no header'),
  shape: z.array(length).check(z.length(4)),
  sha256,
});

const figure = z.strictObject({
  data: text(256, 'which data, which part of it'),
  metric: text(64),
  value: z.number(),
  perSegment: z.optional(z.record(text(64), z.number())).check(z.describe('by segmentLabel')),
});

/** The normative description of a model folder's manifest.json. In zod's mini dialect, which pages load a third of. */
export const manifestSchema = z.strictObject({
  $schema: z.optional(z.string()).check(z.describe('for editors; ignored')),
  schemaVersion: z.literal(1, 'must be 1, the only version that this release reads'),
  id: z
    .string()
    .check(z.maxLength(64), z.regex(/^[a-z0-9][a-z0-9-]*$/, 'must be lower-case letters, digits and hyphens')),
  version: z.string().check(z.maxLength(16), z.regex(/^\d+\.\d+\.\d+$/, 'must be like 1.0.0')),
  title: text(64),
  licence: text(64, 'SPDX identifier of the weights, or the name of their licence'),
  intendedUse: text(1024),
  // ONNX is protobuf, of which no file can be larger than 2 GB.
  file: z.strictObject({ path: filePath(), sha256, byteLength: z.int().check(z.positive(), z.maximum(2 ** 31)) }),
  input: z.strictObject({
    name: text(256),
    shape: z.tuple([z.literal(1), length, length, length]).check(z.describe('[batch, channels, rows, columns]')),
    modality: z.array(codeString).check(z.minLength(1), z.describe('accepted DICOM Modality values')),
    bodyPart: z
      .array(codeString)
      .check(z.minLength(1), z.describe('regions, as Body Part Examined defined terms, that the model covers')),
    sliceAxis: z
      .enum(['acquired', 'axial', 'sagittal', 'coronal'])
      .check(z.describe("what a slice is; acquired: along the stacking axis, NIfTI's k")),
    orientation: z
      .enum(['LPS', 'any'])
      .check(z.describe('LPS: the volume is flipped and permuted to it, and the result back')),
    channels: z.strictObject({
      offsetsInSlices: z
        .array(z.int().check(z.minimum(-64), z.maximum(64)))
        .check(z.minLength(1), z.describe('from low to high, one may repeat; along +k after reorientation')),
      edge: z.literal('replicate').check(z.describe('beyond the first and last slice')),
    }),
    spacing: positive('mm a pixel, in plane'),
    fieldOfView: z
      .optional(z.strictObject({ low: positive(), high: positive() }))
      .check(z.describe('mm: between which the longer side of a slice should be; others are warned of')),
    intensity: z.strictObject({
      kind: z.enum(['window', 'percentile']),
      scope: z.enum(['volume', 'slice']),
      low: number('modality value or percentile that becomes 0'),
      high: number('modality value or percentile that becomes 1'),
    }),
    padValue: number('normalised value outside the image'),
  }),
  output: z.strictObject({
    name: text(256),
    kind: z.enum(['logits', 'probabilities']),
    stride: z
      .int()
      .check(
        z.positive(),
        z.describe('input pixels for one output pixel; with alignCorners, for one step between output pixels'),
      ),
    alignCorners: z.boolean(),
    temperature: positive('logits are divided by it before the softmax'),
    neighbourWeight: z
      .optional(z.number().check(z.minimum(0), z.maximum(1 / 3)))
      .check(z.describe("share that each neighbouring slice's scores get in a slice's own; 0 unless given")),
  }),
  tta: z
    .strictObject({
      flips: z.array(z.enum(['i', 'j'])),
      rotations: z.array(z.union([z.literal(90), z.literal(180), z.literal(270)])).check(z.describe('degrees')),
      scales: z.array(z.number().check(z.minimum(0.25), z.maximum(4))),
    })
    .check(z.describe('the views that test-time augmentation may average')),
  segments: z.array(segment).check(z.minLength(1), z.maxLength(65535)),
  postProcess: z.array(
    z.strictObject({
      segmentNumber: z.int().check(z.minimum(1)),
      keepLargestComponent: z.boolean(),
      fillHoles: z.boolean(),
      minimumVolumeMl: z.number().check(z.nonnegative()),
    }),
  ),
  evaluation: z.array(figure),
  golden: z.strictObject({
    input: goldenArray,
    output: goldenArray,
    tolerance: positive('largest difference of an output value that another backend may show'),
  }),
});

export type ModelManifest = z.infer<typeof manifestSchema>;
export type GoldenArray = z.infer<typeof goldenArray>;

/** Reads a manifest from parsed JSON: the schema first, then what a schema cannot say.
 * @throws ModelError `invalid-manifest` naming every wrong place */
export function parseManifest(value: unknown): ModelManifest {
  const parsed = manifestSchema.safeParse(value, { error: describeIssue });
  if (!parsed.success) {
    throw invalidManifest(
      parsed.error.issues.map((issue) => `${issue.path.join('.') || 'document'}: ${issue.message}`),
    );
  }
  const contradictions = findContradictions(parsed.data);
  if (contradictions.length > 0) throw invalidManifest(contradictions);
  return parsed.data;
}

/** The mini dialect has no messages of its own, and would not say more than that an input is invalid. */
const describeIssue = en().localeError;

function described<T>(description: string | undefined) {
  return description === undefined ? [] : [z.describe<T>(description)];
}

/** LO, the DICOM type of Segment Algorithm Name, holds this many characters. */
const MAX_ALGORITHM_NAME = 64;

function findContradictions(manifest: ModelManifest): string[] {
  const { input, output, segments, postProcess, golden, tta } = manifest;
  const [, channels, rows, columns] = input.shape;
  const offsets = input.channels.offsetsInSlices;
  const labels = segments.map((s) => s.segmentLabel);
  const paths = [manifest.file.path, golden.input.path, golden.output.path];
  const strideDivides = [rows, columns].every((pixels) => Number.isInteger(outputLength(pixels, output)));
  const claims: [holds: boolean, what: string][] = [
    [
      `${manifest.title} ${manifest.version}`.length <= MAX_ALGORITHM_NAME,
      `title: with the version it must have ${MAX_ALGORITHM_NAME} characters at most`,
    ],
    [
      isDistinct([...paths, 'manifest.json'].map((path) => path.toLowerCase())),
      'file.path, golden.input.path, golden.output.path: must be three files beside manifest.json',
    ],
    [channels === offsets.length, `input.shape: ${channels} channels, but ${offsets.length} slice offsets`],
    [
      offsets.every((n, at) => at === 0 || n >= (offsets[at - 1] ?? n)),
      'input.channels.offsetsInSlices: must not descend',
    ],
    [offsets.includes(0), 'input.channels.offsetsInSlices: must contain 0, the slice itself'],
    [input.intensity.low < input.intensity.high, 'input.intensity: low must be below high'],
    [
      input.intensity.kind === 'window' || (input.intensity.low >= 0 && input.intensity.high <= 100),
      'input.intensity: percentiles are 0 to 100',
    ],
    [
      strideDivides,
      `output.stride: ${output.stride} must divide the rows and columns of input.shape` +
        (output.alignCorners ? ', or one less than them' : '; with alignCorners it may divide one less than them'),
    ],
    [
      output.kind === 'logits' || output.temperature === 1,
      'output.temperature: must be 1 for probabilities, which have had their softmax',
    ],
    [
      isDistinct(tta.flips) && isDistinct(tta.rotations) && isDistinct(tta.scales),
      'tta: names a flip, rotation or scale twice',
    ],
    [
      rows === columns || tta.rotations.every((degrees) => degrees === 180),
      'tta.rotations: 90 and 270 need a square input',
    ],
    [
      segments.every((s, at) => s.segmentNumber === at + 1),
      'segments: segmentNumber must be 1, 2, 3 … in order: it is the class index of the model',
    ],
    [isDistinct(labels), 'segments: two have the same segmentLabel'],
    [
      postProcess.every((p) => p.segmentNumber <= segments.length),
      'postProcess: names a segmentNumber that is not there',
    ],
    [isDistinct(postProcess.map((p) => p.segmentNumber)), 'postProcess: names a segmentNumber twice'],
    [
      manifest.evaluation.every((f) => Object.keys(f.perSegment ?? {}).every((label) => labels.includes(label))),
      'evaluation.perSegment: names a segmentLabel that is not there',
    ],
    [isSameShape(golden.input.shape, input.shape), 'golden.input.shape: must equal input.shape'],
    [
      !strideDivides || isSameShape(golden.output.shape, outputShape(manifest)),
      `golden.output.shape: must be [${outputShape(manifest).join(', ')}]`,
    ],
  ];
  return [...claims.filter(([holds]) => !holds).map(([, what]) => what), ...sidesExchanged(manifest)];
}

function isDistinct(values: readonly unknown[]): boolean {
  return new Set(values).size === values.length;
}

function isSameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((length, axis) => length === b[axis]);
}

/** How many problems the message has; details.problems has them all. */
const PROBLEMS_TOLD = 8;

function invalidManifest(problems: string[]): ModelError {
  const untold = problems.length - PROBLEMS_TOLD;
  const told = problems.slice(0, PROBLEMS_TOLD).join('; ') + (untold > 0 ? `; and ${untold} more` : '');
  return new ModelError('invalid-manifest', `The model's manifest is not valid: ${told}.`, {
    remedy: 'Correct manifest.json; schemas/model-manifest.schema.json describes it.',
    details: { problems },
  });
}
