/** One attribute of the DICOM JSON Model (PS3.18 F.2). */
export interface JsonAttribute {
  readonly vr: string;
  readonly Value?: readonly unknown[];
  /** Base64. */
  readonly InlineBinary?: string;
  /** Where the value is, in place of it. */
  readonly BulkDataURI?: string;
}

/** A data set of the DICOM JSON Model, by tag in eight upper-case hexadecimal digits. */
export type JsonDataset = Readonly<Record<string, JsonAttribute>>;

/** The first value as text; undefined if absent or empty. */
export function textOf(dataset: JsonDataset, tag: string): string | undefined {
  const value = dataset[tag]?.Value?.[0];
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return String(value);
  if (typeof value === 'object' && value !== null && 'Alphabetic' in value) return String(value.Alphabetic);
  return undefined;
}

/** An attribute with one value, or without any. */
export function attribute(vr: string, ...values: readonly (string | number)[]): JsonAttribute {
  return values.length === 0 ? { vr } : { vr, Value: values };
}

/** Some attributes of a data set.
 * @param tags with the representations of absent ones, which have no value
 * @param optional are left out where they are absent */
export function pick(
  dataset: JsonDataset,
  tags: Readonly<Record<string, string>>,
  optional: ReadonlySet<string>,
): JsonDataset {
  return Object.fromEntries(
    Object.entries(tags).flatMap(([tag, vr]) => {
      const found = dataset[tag] ?? (optional.has(tag) ? undefined : { vr });
      return found === undefined ? [] : [[tag, found] as const];
    }),
  );
}

/** A data set in ascending order of its tags (PS3.18 F.2.2). */
export function inOrder(dataset: JsonDataset): JsonDataset {
  return Object.fromEntries(Object.entries(dataset).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
