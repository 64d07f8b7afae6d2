/** Runs for every item, so many at once; results in the order of the items. */
export async function inBatches<T, R>(items: readonly T[], batch: number, run: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (let start = 0; start < items.length; start += batch) {
    results.push(...(await Promise.all(items.slice(start, start + batch).map(run))));
  }
  return results;
}
