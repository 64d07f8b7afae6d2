/** The few parts of dcmjs that Slicewise uses; the package has no types of its own. */
declare module 'dcmjs' {
  interface DataElement {
    vr: string;
    Value: unknown;
  }

  interface Dcmjs {
    data: {
      DicomDict: new (meta: Record<string, DataElement>) => {
        dict: Record<string, DataElement>;
        write(options?: { fragmentMultiframe?: boolean }): ArrayBuffer;
      };
      DicomMessage: {
        readFile(
          buffer: ArrayBuffer,
          options?: { untilTag?: string; includeUntilTagValue?: boolean; ignoreErrors?: boolean },
        ): { meta: Record<string, DataElement | undefined>; dict: Record<string, DataElement | undefined> };
      };
      DicomMetaDictionary: {
        naturalizeDataset(dataset: object): Record<string, unknown>;
        denaturalizeDataset(dataset: object): Record<string, DataElement>;
        /** By tag, `(GGGG,EEEE)`; groups and elements that repeat as ranges, private ones with their creator. */
        dictionary: Readonly<Record<string, { name?: string; vr?: string } | undefined>>;
        nameMap: Readonly<Record<string, { tag: string; vr: string } | undefined>>;
      };
    };
    log: { setLevel(level: 'error' | 'silent' | 'warn'): void };
  }

  const dcmjs: Dcmjs;
  export default dcmjs;
}
