import { checkModel } from '../../src/index.ts';
import type { ModelEntry } from './state.ts';
import type { Series } from './viewer.ts';

/** Whether nothing is known that keeps a model from a series. */
export function isFor({ manifest }: ModelEntry, series: Series): boolean {
  return checkModel(manifest, series).mismatches.length === 0;
}

/** The model to propose for a series: the one that is chosen if it is for such a series, else the first that is.
 * @returns undefined where there are no models */
export function proposeModel(
  models: readonly ModelEntry[],
  series: Series | undefined,
  chosenId: string | undefined,
): ModelEntry | undefined {
  const chosen = models.find(({ manifest }) => manifest.id === chosenId) ?? models[0];
  if (chosen === undefined || series === undefined || isFor(chosen, series)) return chosen;
  return models.find((model) => isFor(model, series)) ?? chosen;
}
