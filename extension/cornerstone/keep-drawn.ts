import type { CornerstoneHost } from './host.ts';

/** What draws at once is drawn by then, in software too; asking for what comes anyway costs one frame. */
const FIRST_WAIT_MS = 400;
/** Each wait is twice the one before: a viewport that cannot draw, being of no size, is asked for 12 s. */
const WAITS = 5;

/** Sees to it that every viewport that is to show a segmentation draws it.
 *
 * Cornerstone3D queues what is to be drawn, and the queue stands still at an entry for a segmentation that no viewport
 * shows, until something else is to be drawn (SegmentationRenderingEngine, `_pendingRenderQueue`): a segmentation that
 * was added meanwhile would not be seen. So whatever was asked for and not drawn is asked for again.
 * @returns stops */
export function keepDrawn({ core, tools }: CornerstoneHost, segmentationId: string): () => void {
  const events = tools.Enums.Events;
  const requests = [
    events.SEGMENTATION_DATA_MODIFIED,
    events.SEGMENTATION_MODIFIED,
    events.SEGMENTATION_REPRESENTATION_ADDED,
    events.SEGMENTATION_REPRESENTATION_MODIFIED,
  ];
  const undrawn = new Set<string>();
  let waits = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isStopped = false;

  const showing = (): readonly string[] =>
    tools.segmentation.state
      .getViewportIdsWithSegmentation(segmentationId)
      .filter((viewportId) => core.getEnabledElementByViewportId(viewportId) as unknown);
  const wait = (): void => {
    // In a frame: a page in the background draws none, and is not to gather requests.
    timer = setTimeout(() => requestAnimationFrame(askAgain), FIRST_WAIT_MS * 2 ** waits++);
  };
  const askAgain = (): void => {
    timer = undefined;
    const shown = new Set(showing());
    for (const viewportId of undrawn) if (!shown.has(viewportId)) undrawn.delete(viewportId);
    if (isStopped || undrawn.size === 0 || waits >= WAITS) return;
    wait();
    for (const viewportId of undrawn) tools.utilities.segmentation.triggerSegmentationRender(viewportId);
  };
  const onRequest = (event: Event): void => {
    if (detailOf(event, 'segmentationId') !== segmentationId) return;
    for (const viewportId of showing()) undrawn.add(viewportId);
    if (undrawn.size === 0 || (timer !== undefined && waits === 1)) return;
    clearTimeout(timer);
    waits = 0;
    wait();
  };
  const onDrawn = (event: Event): void => {
    if (detailOf(event, 'segmentationId') === segmentationId) undrawn.delete(String(detailOf(event, 'viewportId')));
  };

  for (const name of requests) core.eventTarget.addEventListener(name, onRequest);
  core.eventTarget.addEventListener(events.SEGMENTATION_RENDERED, onDrawn);
  return () => {
    isStopped = true;
    clearTimeout(timer);
    for (const name of requests) core.eventTarget.removeEventListener(name, onRequest);
    core.eventTarget.removeEventListener(events.SEGMENTATION_RENDERED, onDrawn);
  };
}

function detailOf(event: Event, name: string): unknown {
  const detail: unknown = event instanceof CustomEvent ? event.detail : undefined;
  return typeof detail === 'object' && detail !== null ? Reflect.get(detail, name) : undefined;
}
