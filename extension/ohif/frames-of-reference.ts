import { provideOneFrameOfReference, readGrid, type CornerstoneHost } from '../cornerstone/index.ts';
import type { DisplaySetService } from './host.ts';

/** Gives every series that OHIF opens one frame of reference, so that MPR and stored segmentations work where each slice
 * names its own. Series that form no regular grid are left as they are. */
export function unifyFramesOfReference(host: CornerstoneHost, displaySets: DisplaySetService): void {
  const unify = async (imageIds: readonly string[]): Promise<void> => {
    const { sliceOfImage } = await readGrid(host, imageIds);
    provideOneFrameOfReference(host, imageIds, sliceOfImage);
  };
  displaySets.subscribe(displaySets.EVENTS.DISPLAY_SETS_ADDED, (detail) => {
    const { displaySetsAdded } = detail as { displaySetsAdded: readonly { imageIds?: readonly string[] }[] };
    for (const { imageIds } of displaySetsAdded) {
      // A series without a grid is refused with its reason when a model is to be run on it.
      if (imageIds && imageIds.length > 1) void unify(imageIds).catch(() => undefined);
    }
  });
}
