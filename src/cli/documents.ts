import { z } from 'zod';
import { REMEDY_OPTIONS } from '../errors.ts';
import { evaluationSchema as evaluationFigures } from '../evaluate/evaluation.ts';
import type { VolumeGeometry } from '../volume/geometry.ts';
import { visibleText } from '../visible-text.ts';

// What `--report` writes and each `--json` prints. schemas/*.schema.json is generated from here.

const count = z.number().int().nonnegative();
const milliseconds = z.number().nonnegative();
const fraction = z.number().min(0).max(1);
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const vector = z.tuple([z.number(), z.number(), z.number()]);
const schemaVersion = z.literal(1);

const notice = z.strictObject({ code: z.string(), message: z.string() });
const problem = z.strictObject({
  code: z.string(),
  message: z.string(),
  remedy: z.string(),
  option: z
    .enum(REMEDY_OPTIONS)
    .optional()
    .describe('of the command line, without its hyphens: with it the remedy is carried out'),
  choices: z
    .array(z.union([z.string(), z.number()]))
    .readonly()
    .optional()
    .describe('what the option may be set to'),
});

const geometry = z
  .strictObject({
    dimensions: z.tuple([count, count, count]).describe('voxels along i, j, k; i is the fastest axis'),
    spacing: vector.describe('mm along i, j, k'),
    origin: vector.describe('centre of voxel (0, 0, 0), LPS mm'),
    direction: z.tuple([vector, vector, vector]).describe('unit LPS vector of one step along i, j, k'),
    frameOfReferenceUID: z.string().optional(),
  })
  .describe('the voxel grid in the patient: LPS, millimetres, voxel centres');

const codedConcept = z.strictObject({
  codeValue: z.string(),
  codingSchemeDesignator: z.string(),
  codeMeaning: z.string(),
});

const leftOutFiles = z
  .array(z.strictObject({ name: z.string(), code: z.string(), message: z.string() }))
  .describe('files beside the series that could not be read and may belong to it: the volume may be incomplete');

const patientSide = z.enum(['left', 'right', 'posterior', 'anterior', 'superior', 'inferior']);

const isLowerBound = z
  .boolean()
  .describe('the structure may go on: at a border, in slices that were not run or not read, beside a single slice');

const touchesBorder = z
  .array(patientSide)
  .describe('sides on which it touches the border of the images or of the slices that were run');

const writtenFile = z.strictObject({ path: z.string(), byteLength: count, sha256 });

/** What `slicewise segment --report` writes. */
export const segmentationReportSchema = z.strictObject({
  schemaVersion,
  notice: z.literal('Research use only: not a medical device.'),
  software: z.strictObject({ name: z.literal('slicewise'), version: z.string() }),
  startedAt: z.iso.datetime(),
  input: z.strictObject({
    seriesInstanceUID: z.string().optional().describe('absent for NIfTI'),
    modality: z.string().optional(),
    bodyPartExamined: z.string().optional(),
    geometry,
    ignoredFiles: count.describe('files of the input that belong to no image series'),
    leftOutFiles,
  }),
  model: z.strictObject({
    id: z.string(),
    version: z.string(),
    title: z.string(),
    licence: z.string(),
    sha256: sha256.describe('of the ONNX file'),
    manifestSha256: sha256.describe("of the manifest's canonical JSON (RFC 8785)"),
  }),
  backend: z.strictObject({
    id: z.string(),
    threads: count.optional().describe('absent: chosen by onnxruntime'),
    perSlice: z.array(z.string()),
    viewsPerSlice: count.describe('1, or the views averaged with --tta'),
  }),
  segments: z.array(
    z.strictObject({
      segmentNumber: count,
      segmentLabel: z.string(),
      segmentedPropertyType: codedConcept,
      voxelCount: count,
      volumeMl: z.number().nonnegative(),
      isLowerBound,
      touchesBorder,
      centroid: vector.optional().describe('LPS mm; absent where the segment is empty'),
      meanUncertainty: fraction
        .optional()
        .describe('mean entropy of its voxels, 1 is the most; absent where it is empty'),
    }),
  ),
  uncertaintyPerSlice: z
    .array(fraction.nullable())
    .describe('of each slice: what its uncertainty lets expect to be missing from a Dice of 1; null if it was not run'),
  warnings: z.array(notice),
  durationsMs: z
    .strictObject({
      total: milliseconds.describe('from the start of the process, or of the series among others'),
      read: milliseconds,
      load: milliseconds.describe('model and backend, at the same time as read'),
      segment: milliseconds.describe('from the first slice to the finished labelmap, inference included'),
      inference: milliseconds.describe('inside session.run'),
      write: milliseconds.describe('encoding, reading back, comparing and writing'),
      outside: milliseconds.describe('total − inference'),
    })
    .describe('wall time; the parts overlap and do not add up'),
  peakMemoryBytes: count.describe('largest resident set of the process'),
  outputs: z.strictObject({ segmentation: writtenFile, preview: writtenFile.optional() }),
  fingerprint: sha256
    .optional()
    .describe(
      'with --output-dir: of the input files, the model and the options, by which a later run knows what is done',
    ),
});

/** What `slicewise segment --output-dir --json` prints. */
export const segmentationBatchSchema = z.strictObject({
  schemaVersion,
  notice: z.literal('Research use only: not a medical device.'),
  model: z.strictObject({ id: z.string(), version: z.string(), sha256 }),
  outputDir: z.string(),
  counts: z.strictObject({
    done: count,
    doneBefore: count.describe('of the done ones'),
    changedSince: count.describe('of the done ones: changed since they were written, and kept'),
    incomplete: count.describe('of the done ones: files beside them were left out'),
    failed: count,
    skipped: count,
  }),
  ignoredFiles: count.describe('files of the input that are neither DICOM nor NIfTI'),
  series: z.array(
    z.strictObject({
      seriesInstanceUID: z.string().optional().describe('absent for NIfTI'),
      path: z.string().describe('of its files, relative to the input'),
      phase: count.optional().describe('of several volumes in one series or file, from 1'),
      status: z.enum(['done', 'failed', 'skipped']),
      doneBefore: z.literal(true).optional().describe('an earlier run made it of the same files, model and options'),
      changedSince: z
        .literal(true)
        .optional()
        .describe('the output is not the one that was written: it was kept, and the segments are measured in it'),
      output: z.string().optional().describe('below outputDir'),
      report: z.string().optional().describe('below outputDir; by segmentation-report.schema.json'),
      segments: z
        .array(
          z.strictObject({
            segmentNumber: count,
            segmentLabel: z.string(),
            voxelCount: count,
            volumeMl: z.number().nonnegative(),
            isLowerBound: isLowerBound
              .optional()
              .describe('absent for an output that was changed since and lies on another grid'),
            touchesBorder: touchesBorder
              .optional()
              .describe('absent for an output that was changed since and lies on another grid'),
            meanUncertainty: fraction.optional(),
          }),
        )
        .optional(),
      durationMs: milliseconds.optional(),
      leftOutFiles: leftOutFiles.optional(),
      warnings: z.array(notice),
      problem: problem.optional().describe('why the series failed or was skipped'),
    }),
  ),
});

/** What `slicewise info --json` prints. */
export const infoSchema = z.strictObject({
  schemaVersion,
  series: z.array(
    z.strictObject({
      format: z.string(),
      path: z.string().describe('of the one file, or of the folder that holds all; . for the folder of the input'),
      contents: z
        .enum(['image', 'labelmap', 'other', 'unreadable'])
        .describe('other: reports, segmentations; labelmap: by its own word; unreadable: of no series that is known'),
      studyInstanceUID: z.string().optional(),
      seriesInstanceUID: z.string().optional().describe('absent for NIfTI'),
      modality: z.string().optional(),
      bodyPartExamined: z.string().optional(),
      seriesNumber: z.string().optional(),
      seriesDescription: z.string().optional(),
      transferSyntaxUIDs: z.array(z.string()).optional(),
      fileCount: count,
      hasIdentity: z.boolean().describe('whether a DICOM-SEG can refer to the images'),
      volumes: z
        .array(z.strictObject({ phase: count, label: z.string(), images: count }))
        .optional()
        .describe('where the series holds several: what tells each apart'),
      geometry: geometry.optional().describe('absent where the series is no volume'),
      problem: problem.optional().describe('why the series cannot be read as a volume'),
      warnings: z.array(notice),
    }),
  ),
  ignoredFiles: count,
});

/** What `slicewise models list --json` prints. */
export const modelListSchema = z.strictObject({
  schemaVersion,
  models: z.array(
    z.strictObject({
      id: z.string(),
      version: z.string(),
      title: z.string(),
      licence: z.string(),
      intendedUse: z.string(),
      byteLength: count.describe('of the ONNX file'),
      modality: z.array(z.string()),
      bodyPart: z.array(z.string()),
      segments: z.array(z.strictObject({ segmentNumber: count, segmentLabel: z.string() })),
    }),
  ),
});

/** What `slicewise models verify --json` prints. */
export const modelVerificationSchema = z.strictObject({
  schemaVersion,
  id: z.string(),
  version: z.string(),
  sha256,
  backend: z.string(),
  ok: z.boolean(),
  maxDifference: z.number().nonnegative().describe('largest difference from the golden output'),
  tolerance: z.number().positive(),
  durationMs: milliseconds,
});

/** What `slicewise evaluate --json` prints. */
export const evaluationDocumentSchema = z.strictObject({ schemaVersion, ...evaluationFigures.shape });

export type EvaluationDocument = z.infer<typeof evaluationDocumentSchema>;
export type SegmentationReport = z.infer<typeof segmentationReportSchema>;
export type SegmentationBatchDocument = z.infer<typeof segmentationBatchSchema>;
export type InfoDocument = z.infer<typeof infoSchema>;
export type ModelListDocument = z.infer<typeof modelListSchema>;
export type ModelVerificationDocument = z.infer<typeof modelVerificationSchema>;
export type GeometryDocument = z.infer<typeof geometry>;

/** A geometry as the published schemas have it. */
export function toGeometryDocument(geometry: VolumeGeometry): GeometryDocument {
  const { dimensions, spacing, origin, direction, frameOfReferenceUID } = geometry;
  return {
    dimensions: [...dimensions],
    spacing: [...spacing],
    origin: [origin[0], origin[1], origin[2]],
    direction: [[...direction[0]], [...direction[1]], [...direction[2]]],
    ...(frameOfReferenceUID !== undefined && { frameOfReferenceUID }),
  };
}

/** A table as RFC 4180 has it, with a line of column names; null and undefined are empty fields. Texts are of others (paths,
 * labels, messages): their control characters are made visible, so that a row is a line, and none of them is a formula to
 * a spreadsheet. Numbers stay as they are. */
export function formatCsv<Column extends string>(
  columns: readonly Column[],
  rows: readonly Readonly<Partial<Record<Column, string | number | null | undefined>>>[],
): string {
  const lines = [columns, ...rows.map((row) => columns.map((column) => field(row[column])))];
  return lines.map((line) => `${line.join(',')}\r\n`).join('');
}

function field(value: string | number | null | undefined): string {
  if (typeof value === 'number') return String(value);
  const text = defused(visibleText(value ?? ''));
  return /[",]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** What spreadsheets take for the beginning of a formula, behind white space too (OWASP, CSV Injection): the wide forms of
 * East Asian keyboards count. Tab and return are visible text by now. */
const FORMULA = /^\s*[=+\-@\uFF1D\uFF0B\uFF0D\uFF20]/;

/** With the apostrophe before it that makes it text to a spreadsheet. */
function defused(text: string): string {
  return FORMULA.test(text) ? `'${text}` : text;
}
