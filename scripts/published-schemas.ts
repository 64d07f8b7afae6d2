import { z } from 'zod';
import { manifestSchema } from '../src/models/manifest.ts';

export interface PublishedSchema {
  /** In schemas/. */
  readonly file: string;
  readonly title: string;
  /** What the code itself parses with. */
  readonly schema: z.ZodType;
}

/** Every document that Slicewise reads or writes as JSON; add one here, then `npm run schemas`. */
export const publishedSchemas: readonly PublishedSchema[] = [
  { file: 'model-manifest.schema.json', title: 'Manifest of a Slicewise model folder', schema: manifestSchema },
];

/** The text of one schema file: JSON Schema 2020-12. */
export function schemaText({ title, schema }: PublishedSchema): string {
  const { $schema, ...rest } = z.toJSONSchema(schema, { io: 'input' });
  return `${JSON.stringify({ $schema, title, ...rest }, null, 2)}\n`;
}
