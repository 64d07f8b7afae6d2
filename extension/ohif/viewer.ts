import type { CornerstoneHost } from '../cornerstone/host.ts';
import { cornerstoneOf, type DisplaySet, type OhifManagers, type Rgba } from './host.ts';

/** A series that a model can be run on, as the viewer shows it. Slices are counted in the viewer's own order: that of
 * `imageIds`, whose first is slice 0. */
export interface Series {
  readonly id: string;
  readonly description: string;
  readonly modality?: string;
  readonly bodyPartExamined?: string;
  readonly imageIds: readonly string[];
}

/** A segment of a segmentation as the viewer has it now. */
export interface ViewerSegment {
  readonly segmentNumber: number;
  readonly label: string;
  readonly colour: Rgba;
  readonly isVisible: boolean;
  readonly isLocked: boolean;
  readonly isActive: boolean;
  /** 0…1. */
  readonly opacity: number;
}

/** A segmentation as the viewport shows it. */
export interface ViewerSegmentation {
  readonly segmentationId: string;
  readonly label: string;
  /** The one that tools edit. */
  readonly isActive: boolean;
  readonly segments: readonly ViewerSegment[];
}

/** What to make a segmentation with. */
export interface NewSegmentation {
  readonly segmentationId: string;
  readonly label: string;
  readonly segments: readonly { readonly segmentNumber: number; readonly label: string; readonly colour: Rgba }[];
  /** Filled areas without outlines, which keep their opacity while another segmentation is the active one. */
  readonly isBackdrop?: true;
}

/** The viewer as our state sees it: the one place that speaks to OHIF's services. */
export interface Viewer {
  readonly cornerstone: CornerstoneHost;
  /** The series in the active viewport; undefined where there is none that has images. */
  readonly seriesInView: () => Series | undefined;
  /** The slice that the viewport shows, or the one nearest to its centre where it cuts across the slices. */
  readonly sliceInView: (series: Series) => number;
  readonly showSlice: (series: Series, slice: number) => void;
  /** Shows a point (LPS mm) where a viewport can; a stack shows the slice. */
  readonly showPoint: (series: Series, slice: number, point: readonly [number, number, number]) => void;
  /** Calls the listener when another series, layout or viewport is shown. */
  readonly onViewChange: (listener: () => void) => () => void;

  readonly hasSegmentation: (segmentationId: string) => boolean;
  readonly createSegmentation: (series: Series, segmentation: NewSegmentation) => Promise<void>;
  /** Shows it in every viewport that shows the series; once it is there, it stays as it was left. */
  readonly showSegmentation: (series: Series, segmentation: NewSegmentation) => Promise<void>;
  /** Makes it the one that tools edit, and one of its segments the one they draw. */
  readonly activate: (segmentationId: string, segmentNumber?: number) => void;
  readonly removeSegmentation: (segmentationId: string) => void;
  /** Those shown over the series, ours and others'. */
  readonly segmentationsOf: (series: Series) => readonly ViewerSegmentation[];
  readonly onSegmentationChange: (listener: (segmentationId: string) => void) => () => void;
  readonly changeSegment: (segmentationId: string, segmentNumber: number, change: SegmentChange) => void;
  /** The tool of the main mouse button, if it is one that corrects. */
  readonly editTool: () => EditTool | undefined;
  /** @param tool undefined: back to window and level */
  readonly chooseEditTool: (tool: EditTool | undefined) => void;
  readonly onToolChange: (listener: () => void) => () => void;
}

export type EditTool = 'brush' | 'eraser' | 'threshold' | 'scissors';

export interface SegmentChange {
  readonly colour?: Rgba;
  readonly isVisible?: boolean;
  readonly isLocked?: boolean;
  readonly opacity?: number;
}

const LABELMAP = 'Labelmap';
const BACKDROP = { renderOutline: false, renderOutlineInactive: false, fillAlpha: 0.55, fillAlphaInactive: 0.55 };
const NO_COLOUR: Rgba = [0, 0, 0, 0];

export function createViewer(managers: OhifManagers): Viewer {
  const cornerstone = cornerstoneOf(managers);
  const { servicesManager, commandsManager } = managers;
  const { segmentationService, viewportGridService, displaySetService, cornerstoneViewportService } =
    servicesManager.services;

  const viewportsShowing = (seriesId: string): string[] =>
    [...viewportGridService.getState().viewports]
      .filter(([, { displaySetInstanceUIDs }]) => displaySetInstanceUIDs?.includes(seriesId))
      .map(([viewportId]) => viewportId);

  const viewportShowing = (seriesId: string): string | undefined => {
    const active = viewportGridService.getActiveViewportId();
    const showing = viewportsShowing(seriesId);
    return active && showing.includes(active) ? active : showing[0];
  };

  const isShownIn = (viewportId: string, segmentationId: string): boolean =>
    segmentationService.getSegmentationRepresentations(viewportId, { segmentationId }).length > 0;

  /** A viewport in 3D would have surfaces computed of a labelmap that is still growing. */
  const showsSlices = (viewportId: string): boolean => {
    const viewport = cornerstoneViewportService.getCornerstoneViewport(viewportId);
    const { StackViewport, VolumeViewport } = cornerstone.core;
    return viewport instanceof StackViewport || viewport instanceof VolumeViewport;
  };

  const opacityOf = (segmentationId: string, segmentIndex: number): number =>
    segmentationService.getStyle({ segmentationId, type: LABELMAP, segmentIndex }).fillAlpha ?? 1;

  function showPoint({ id }: Series, slice: number, point: readonly [number, number, number]): void {
    for (const viewportId of viewportsShowing(id)) {
      const viewport = cornerstoneViewportService.getCornerstoneViewport(viewportId);
      if (viewport instanceof cornerstone.core.StackViewport) void viewport.setImageIdIndex(slice);
      else if (viewport instanceof cornerstone.core.VolumeViewport) viewport.jumpToWorld([...point]);
    }
  }

  const seriesOf = (viewportId: string): Series | undefined => {
    const uids = viewportGridService.getState().viewports.get(viewportId)?.displaySetInstanceUIDs ?? [];
    return uids.map((uid) => displaySetService.getDisplaySetByUID(uid)).flatMap(asSeries)[0];
  };

  return {
    cornerstone,

    seriesInView() {
      const viewportId = viewportGridService.getActiveViewportId();
      return viewportId ? seriesOf(viewportId) : undefined;
    },

    sliceInView({ id, imageIds }) {
      const viewportId = viewportShowing(id);
      const viewport = viewportId && cornerstoneViewportService.getCornerstoneViewport(viewportId);
      if (!viewport) return Math.floor(imageIds.length / 2);
      return nearestSlice(cornerstone, imageIds, viewport.getCamera().focalPoint ?? [0, 0, 0]);
    },

    showSlice(series, slice) {
      const centre = sliceCentre(cornerstone, series.imageIds[slice]);
      if (centre) showPoint(series, slice, centre);
    },

    showPoint,

    onViewChange(listener) {
      const { EVENTS } = viewportGridService;
      const subscriptions = [
        ...[
          EVENTS.ACTIVE_VIEWPORT_ID_CHANGED,
          EVENTS.GRID_STATE_CHANGED,
          EVENTS.LAYOUT_CHANGED,
          EVENTS.VIEWPORTS_READY,
        ].map((event) => viewportGridService.subscribe(event, listener)),
        cornerstoneViewportService.subscribe(cornerstoneViewportService.EVENTS.VIEWPORT_DATA_CHANGED, listener),
      ];
      return () => {
        for (const subscription of subscriptions) subscription.unsubscribe();
      };
    },

    hasSegmentation: (segmentationId) => segmentationService.getSegmentation(segmentationId) !== undefined,

    async createSegmentation(series, { segmentationId, label, segments }) {
      const displaySet = displaySetService.getDisplaySetByUID(series.id);
      if (displaySet === undefined) throw new Error('The series is no longer open.');
      await segmentationService.createLabelmapForDisplaySet(displaySet, {
        segmentationId,
        label,
        segments: Object.fromEntries(
          segments.map(({ segmentNumber, label }, at) => [
            segmentNumber,
            { segmentIndex: segmentNumber, label, active: at === 0, locked: false, cachedStats: {} },
          ]),
        ),
      });
    },

    async showSegmentation(series, { segmentationId, segments, isBackdrop }) {
      if (isBackdrop) segmentationService.setStyle({ segmentationId, type: LABELMAP }, BACKDROP);
      for (const viewportId of viewportsShowing(series.id)) {
        if (isShownIn(viewportId, segmentationId) || !showsSlices(viewportId)) continue;
        await segmentationService.addSegmentationRepresentation(viewportId, { segmentationId, type: LABELMAP });
        if (!isShownIn(viewportId, segmentationId)) continue;
        for (const { segmentNumber, colour } of segments) {
          segmentationService.setSegmentColor(viewportId, segmentationId, segmentNumber, colour);
        }
      }
      // A viewport that changed from stack to volume has the overlay, but shows it only after its data were announced.
      cornerstone.tools.segmentation.triggerSegmentationEvents.triggerSegmentationDataModified(segmentationId);
    },

    activate(segmentationId, segmentNumber) {
      for (const viewportId of segmentationService.getViewportIdsWithSegmentation(segmentationId)) {
        segmentationService.setActiveSegmentation(viewportId, segmentationId);
      }
      if (segmentNumber !== undefined) segmentationService.setActiveSegment(segmentationId, segmentNumber);
    },

    removeSegmentation(segmentationId) {
      if (segmentationService.getSegmentation(segmentationId)) segmentationService.remove(segmentationId);
    },

    segmentationsOf({ id }) {
      const viewportId = viewportShowing(id);
      if (viewportId === undefined) return [];
      return segmentationService
        .getSegmentationRepresentations(viewportId)
        .filter(({ type }) => type === LABELMAP)
        .map(({ segmentationId, label, active, segments }) => ({
          segmentationId,
          label,
          isActive: active,
          segments: Object.values(segmentationService.getSegmentation(segmentationId)?.segments ?? {}).map(
            (segment) => ({
              segmentNumber: segment.segmentIndex,
              label: segment.label,
              colour: segments[segment.segmentIndex]?.color ?? NO_COLOUR,
              isVisible: segments[segment.segmentIndex]?.visible ?? true,
              isLocked: segment.locked ?? false,
              isActive: segment.active ?? false,
              opacity: opacityOf(segmentationId, segment.segmentIndex),
            }),
          ),
        }));
    },

    onSegmentationChange(listener) {
      const { EVENTS } = segmentationService;
      const subscriptions = Object.values({
        modified: EVENTS.SEGMENTATION_MODIFIED,
        removed: EVENTS.SEGMENTATION_REMOVED,
        shown: EVENTS.SEGMENTATION_REPRESENTATION_MODIFIED,
        styled: EVENTS.SEGMENTATION_STYLE_MODIFIED,
      }).map((event) =>
        segmentationService.subscribe(event, (detail) => {
          listener(segmentationIdIn(detail));
        }),
      );
      return () => {
        for (const subscription of subscriptions) subscription.unsubscribe();
      };
    },

    changeSegment(segmentationId, segmentNumber, { colour, isVisible, isLocked, opacity }) {
      const viewportIds = segmentationService.getViewportIdsWithSegmentation(segmentationId);
      if (isLocked !== undefined) segmentationService.setSegmentLocked(segmentationId, segmentNumber, isLocked);
      if (opacity !== undefined) {
        const specifier = { segmentationId, type: LABELMAP, segmentIndex: segmentNumber } as const;
        segmentationService.setStyle(specifier, { fillAlpha: opacity, fillAlphaInactive: opacity });
      }
      for (const viewportId of viewportIds) {
        if (colour) segmentationService.setSegmentColor(viewportId, segmentationId, segmentNumber, colour);
        if (isVisible !== undefined) {
          segmentationService.setSegmentVisibility(viewportId, segmentationId, segmentNumber, isVisible, LABELMAP);
        }
      }
    },

    editTool() {
      const toolName = cornerstone.tools.ToolGroupManager.getToolGroup('default')?.getActivePrimaryMouseButtonTool();
      return (Object.keys(TOOL_NAMES) as EditTool[]).find((tool) => TOOL_NAMES[tool] === toolName);
    },

    chooseEditTool(tool) {
      const toolName = tool === undefined ? 'WindowLevel' : TOOL_NAMES[tool];
      commandsManager.run('setToolActiveToolbar', { toolName, toolGroupIds: ['default', 'mpr'] });
    },

    onToolChange(listener) {
      const { TOOL_ACTIVATED } = cornerstone.tools.Enums.Events;
      cornerstone.core.eventTarget.addEventListener(TOOL_ACTIVATED, listener);
      return () => {
        cornerstone.core.eventTarget.removeEventListener(TOOL_ACTIVATED, listener);
      };
    },
  };
}

/** By OHIF's names; its own panel has more of each kind. */
const TOOL_NAMES: Readonly<Record<EditTool, string>> = {
  brush: 'CircularBrush',
  eraser: 'CircularEraser',
  threshold: 'ThresholdCircularBrush',
  scissors: 'CircleScissor',
};

/** A display set that has images of its own; SEG, SR and documents have none. */
function asSeries(displaySet: DisplaySet | undefined): Series[] {
  if (!displaySet?.imageIds?.length || displaySet.Modality === 'SEG') return [];
  const { displaySetInstanceUID, SeriesDescription, Modality, imageIds, instances } = displaySet;
  const bodyPart = instances?.[0]?.BodyPartExamined;
  return [
    {
      id: displaySetInstanceUID,
      description: SeriesDescription ?? '',
      imageIds,
      ...(Modality && { modality: Modality }),
      ...(typeof bodyPart === 'string' && bodyPart !== '' && { bodyPartExamined: bodyPart }),
    },
  ];
}

function segmentationIdIn(detail: unknown): string {
  const { segmentationId, specifier } = detail as { segmentationId?: string; specifier?: { segmentationId?: string } };
  return segmentationId ?? specifier?.segmentationId ?? '';
}

type Point = readonly [number, number, number] | readonly number[];

/** The image whose plane is nearest to a point, by its index in imageIds. */
function nearestSlice(host: CornerstoneHost, imageIds: readonly string[], point: Point): number {
  let nearest = 0;
  let nearestMm = Infinity;
  imageIds.forEach((imageId, slice) => {
    const plane = planeOf(host, imageId);
    if (plane === undefined) return;
    const { normal, origin } = plane;
    const distanceMm = Math.abs(dot(normal, point) - dot(normal, origin));
    if (distanceMm < nearestMm) [nearest, nearestMm] = [slice, distanceMm];
  });
  return nearest;
}

function sliceCentre(host: CornerstoneHost, imageId: string | undefined): [number, number, number] | undefined {
  const plane = imageId === undefined ? undefined : planeOf(host, imageId);
  if (plane === undefined) return undefined;
  const { origin, rowStep, columnStep, columns, rows } = plane;
  const at = (axis: number): number =>
    (origin[axis] ?? 0) + ((rowStep[axis] ?? 0) * (columns - 1) + (columnStep[axis] ?? 0) * (rows - 1)) / 2;
  return [at(0), at(1), at(2)];
}

interface Plane {
  readonly origin: readonly number[];
  readonly normal: readonly number[];
  /** From one column to the next, mm, LPS. */
  readonly rowStep: readonly number[];
  /** From one row to the next, mm, LPS. */
  readonly columnStep: readonly number[];
  readonly columns: number;
  readonly rows: number;
}

function planeOf({ core }: CornerstoneHost, imageId: string): Plane | undefined {
  const plane = core.metaData.get('imagePlaneModule', imageId) as
    | {
        imagePositionPatient?: readonly number[];
        rowCosines?: readonly number[];
        columnCosines?: readonly number[];
        rowPixelSpacing?: number;
        columnPixelSpacing?: number;
        rows?: number;
        columns?: number;
      }
    | undefined;
  if (!plane?.imagePositionPatient || !plane.rowCosines || !plane.columnCosines) return undefined;
  const { rowCosines: r, columnCosines: c } = plane;
  return {
    origin: plane.imagePositionPatient,
    normal: cross(r, c),
    rowStep: r.map((n) => n * (plane.columnPixelSpacing ?? 1)),
    columnStep: c.map((n) => n * (plane.rowPixelSpacing ?? 1)),
    columns: plane.columns ?? 1,
    rows: plane.rows ?? 1,
  };
}

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, n, axis) => sum + n * (b[axis] ?? 0), 0);
}

function cross(a: readonly number[], b: readonly number[]): number[] {
  const [ax = 0, ay = 0, az = 0] = a;
  const [bx = 0, by = 0, bz = 0] = b;
  return [ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx];
}
