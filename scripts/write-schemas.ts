/** Writes schemas/ from the zod schemas: `npm run schemas`. */
import { writeFile } from 'node:fs/promises';
import { publishedSchemas, schemaText } from './published-schemas.ts';

for (const published of publishedSchemas) {
  await writeFile(new URL(`../schemas/${published.file}`, import.meta.url), schemaText(published));
}
