import type { CornerstoneHost } from './host.ts';

/** Answers the page with one frame of reference for a series whose images name one each, as old cardiac MR does, though
 * they form one regular grid: else the page makes no volume of them, and finds no image for a stored segmentation.
 *
 * The first slice's is taken, as in what is exported. Series with one frame of reference are left as they are.
 * @param imageIds of one series that forms a regular grid
 * @param sliceOfImage the slice k of each
 * @returns stops answering */
export function provideOneFrameOfReference(
  { core }: CornerstoneHost,
  imageIds: readonly string[],
  sliceOfImage: readonly number[],
): () => void {
  const { metaData } = core;
  const frameOf = (imageId: string | undefined): unknown => {
    const plane = metaData.get('imagePlaneModule', imageId ?? '') as { frameOfReferenceUID?: unknown } | undefined;
    return plane?.frameOfReferenceUID;
  };
  const first = imageIds[sliceOfImage.indexOf(0)];
  const frame = frameOf(first);
  if (typeof frame !== 'string' || imageIds.every((imageId) => frameOf(imageId) === frame)) return () => undefined;

  const answered = new Set(imageIds);
  let isAsking = false;
  const provider = (type: string, imageId: unknown): unknown => {
    const keyword = KEYWORDS[type];
    if (isAsking || keyword === undefined || typeof imageId !== 'string' || !answered.has(imageId)) return undefined;
    isAsking = true;
    try {
      const others: unknown = metaData.get(type, imageId);
      return typeof others === 'object' && others !== null ? withValue(others, keyword, frame) : undefined;
    } finally {
      isAsking = false;
    }
  };
  metaData.addProvider(provider, PRIORITY);
  return () => {
    metaData.removeProvider(provider);
  };
}

/** Before all providers of the page: OHIF's come with 9999 and 10000. */
const PRIORITY = 100_000;

/** What carries the frame of reference in each of the page's modules. */
const KEYWORDS: Readonly<Record<string, string | undefined>> = {
  instance: 'FrameOfReferenceUID',
  imagePlaneModule: 'frameOfReferenceUID',
  frameModule: 'frameOfReferenceUID',
  frameOfReferenceModule: 'frameOfReferenceUID',
};

/** A copy with another value, which inherits what the object inherits: of a multi-frame image, what its frames share. */
function withValue(object: object, keyword: string, value: string): object {
  const own = Object.getOwnPropertyDescriptors(object);
  const changed = { value, enumerable: true, configurable: true, writable: true };
  return Object.create(Object.getPrototypeOf(object) as object | null, { ...own, [keyword]: changed }) as object;
}
