import { z } from 'zod';
import {
  evaluationDocumentSchema,
  infoSchema,
  modelListSchema,
  modelVerificationSchema,
  segmentationBatchSchema,
  segmentationReportSchema,
} from '../src/cli/documents.ts';
import { manifestSchema } from '../src/models/manifest.ts';

export interface PublishedSchema {
  /** In schemas/. */
  readonly file: string;
  readonly title: string;
  /** What the code itself parses with. */
  readonly schema: z.core.$ZodType;
}

/** Every document that Slicewise reads or writes as JSON; add one here, then `npm run schemas`. */
export const publishedSchemas: readonly PublishedSchema[] = [
  { file: 'model-manifest.schema.json', title: 'Manifest of a Slicewise model folder', schema: manifestSchema },
  { file: 'segmentation-report.schema.json', title: 'slicewise segment --report', schema: segmentationReportSchema },
  {
    file: 'segmentation-batch.schema.json',
    title: 'slicewise segment --output-dir --json',
    schema: segmentationBatchSchema,
  },
  { file: 'info.schema.json', title: 'slicewise info --json', schema: infoSchema },
  { file: 'model-list.schema.json', title: 'slicewise models list --json', schema: modelListSchema },
  { file: 'model-verification.schema.json', title: 'slicewise models verify --json', schema: modelVerificationSchema },
  { file: 'evaluation.schema.json', title: 'slicewise evaluate --json', schema: evaluationDocumentSchema },
];

/** The text of one schema file: JSON Schema 2020-12. */
export function schemaText({ title, schema }: PublishedSchema): string {
  const { $schema, ...rest } = z.toJSONSchema(schema, { io: 'input' });
  return `${JSON.stringify({ $schema, title, ...rest }, null, 2)}\n`;
}
