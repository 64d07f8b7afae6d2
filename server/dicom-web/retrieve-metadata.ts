import { HttpError } from '../http-error.ts';
import { jsonRows, warningHeader, type Answer } from './answer.ts';
import { datasetToJson } from './dataset-json.ts';
import { withDataset } from './dicom-file.ts';
import { inOrder, type JsonDataset } from './dicom-json.ts';
import type { StoredInstance } from './known-file.ts';
import { gone, notFound } from './not-found.ts';
import type { QueryResult } from './query.ts';
import type { StudyIndex } from './study-index.ts';
import { createTurns } from './turns.ts';

/** Files whose attributes are read at once, for all answers together. */
const READ_AT_ONCE = 8;
/** Answers that wait for that; more are told to come back. */
const MAX_WAITING = 256;
/** Rows that get attributes which the index does not keep: a file is read for each. */
const MAX_READ_ROWS = 500;

/** The address of a study, a series or an instance. */
export type UrlOf = (study: string, series?: string, instance?: string) => string;

/** Attributes of instances in the DICOM JSON model, read one after another with no more of them in memory than the client
 * takes. */
export interface MetadataRetrieval {
  /** Of several instances, those that can be read: one damaged file does not take a series away.
   * @throws HttpError 404 if none can; 503
   * @see DICOM PS3.18 10.4.1.3 */
  readonly metadata: (instances: readonly StoredInstance[], contentType: string, urlOf: UrlOf) => Promise<Answer>;
  /** Rows of a query, with the attributes that are asked for and the index does not keep. */
  readonly rows: (result: QueryResult, contentType: string, urlOf: UrlOf) => Promise<Answer>;
}

export function createMetadataRetrieval(index: StudyIndex): MetadataRetrieval {
  const inTurn = createTurns(READ_AT_ONCE, MAX_WAITING);

  /** @param use turns the attributes of a file into text, while no other long one is in memory */
  const read = (instance: StoredInstance, urlOf: UrlOf, use: (dataset: JsonDataset) => string): Promise<string> =>
    inTurn(() =>
      index.read(instance, (file) =>
        withDataset(file, ({ dataset }) => {
          const url = urlOf(instance.studyInstanceUID, instance.seriesInstanceUID, instance.sopInstanceUID);
          return use(datasetToJson(dataset, (path) => `${url}/bulkdata/${path}`));
        }),
      ),
    );

  return {
    async metadata(instances, contentType, urlOf) {
      let missing = 0;
      async function* rows(): AsyncGenerator<string, void> {
        for (const instance of instances) {
          try {
            yield await read(instance, urlOf, (dataset) => JSON.stringify(dataset));
          } catch (error) {
            if (error instanceof HttpError) throw error;
            if (instances.length === 1) throw notFound(error);
            missing++;
          }
        }
      }
      const warnings = (): string[] =>
        missing === 0 ? [] : [`${missing} instances cannot be read, and are not listed`];
      const answer = await jsonRows(rows(), contentType, warnings);
      if (answer === undefined) throw gone();
      return answer;
    },

    async rows({ rows, warnings, missingFields }, contentType, urlOf) {
      const isRead = missingFields.size > 0 && rows.length <= MAX_READ_ROWS;
      const isNotHeeded = missingFields.size > 0 && !isRead;
      async function* texts(): AsyncGenerator<string, void> {
        for (const { dataset, instance } of rows) {
          const withMore = (all: JsonDataset): string => {
            const more = Object.entries(all).filter(([tag]) => missingFields.has(tag));
            return JSON.stringify(inOrder({ ...dataset, ...Object.fromEntries(more) }));
          };
          if (isRead) {
            yield await read(instance, urlOf, withMore).catch((error: unknown) => {
              if (error instanceof HttpError) throw error;
              return JSON.stringify(dataset);
            });
          } else yield JSON.stringify(dataset);
        }
      }
      const told = [
        ...warnings,
        ...(isNotHeeded ? [`includefield was not heeded for more than ${MAX_READ_ROWS} rows`] : []),
      ];
      const headers = told.length === 0 ? {} : warningHeader(told);
      const answer = await jsonRows(texts(), contentType);
      return { ...(answer ?? { status: 200, contentType, pieces: [Buffer.from('[]')] }), headers };
    },
  };
}
