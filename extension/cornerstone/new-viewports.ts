import type { Types } from '@cornerstonejs/core';
import type { CornerstoneHost } from './host.ts';

/** Calls the listener when a volume viewport has drawn a segmentation for the first time. A labelmap that was filled
 * before is then often not seen: the viewport uploads to the graphics card what is announced, not what is there.
 * @returns stops */
export function onNewVolumeViewport(
  { core, tools }: CornerstoneHost,
  segmentationId: string,
  listener: () => void,
): () => void {
  const known = new WeakSet<object>();
  const onRendered = (event: Event): void => {
    const detail: unknown = event instanceof CustomEvent ? event.detail : undefined;
    if (typeof detail !== 'object' || detail === null || Reflect.get(detail, 'segmentationId') !== segmentationId)
      return;
    // Undefined once the viewport is gone, whatever its type says.
    const enabled = core.getEnabledElementByViewportId(String(Reflect.get(detail, 'viewportId'))) as
      Types.IEnabledElement | undefined;
    const viewport = enabled?.viewport;
    if (!(viewport instanceof core.BaseVolumeViewport) || known.has(viewport)) return;
    known.add(viewport);
    listener();
  };
  const { SEGMENTATION_RENDERED } = tools.Enums.Events;
  core.eventTarget.addEventListener(SEGMENTATION_RENDERED, onRendered);
  return () => {
    core.eventTarget.removeEventListener(SEGMENTATION_RENDERED, onRendered);
  };
}
