import type { Types } from '@cornerstonejs/core';
import type { CornerstoneHost } from '../extension/cornerstone/index.ts';

export type Layout = 'slices' | 'mpr';
export type LeftButton = 'window' | 'brush' | 'eraser';

/** The page's viewports of one series at a time. */
export interface Viewports {
  show(imageIds: readonly string[], layout: Layout): Promise<void>;
  /** Shows a segmentation in every viewport, with a colour for each segment. */
  overlay(segmentationId: string, colours: readonly Types.Color[]): void;
  /** The image that is looked at, by its place in `imageIds`. */
  currentImage(): number;
  goTo(image: number, point: readonly [number, number, number]): void;
  use(button: LeftButton): void;
}

const ENGINE = 'slicewise-example';
const TOOLS = 'slicewise-example';
const MPR = ['axial', 'sagittal', 'coronal'] as const;

/** @param place an element of the page that is filled with viewports */
export function createViewports({ core, tools }: CornerstoneHost, place: HTMLElement): Viewports {
  const engine = new core.RenderingEngine(ENGINE);
  const group = createTools(tools);
  let [shown, viewportIds]: [readonly string[], readonly string[]] = [[], []];
  let volumeCount = 0;

  const addElement = (viewportId: string): HTMLDivElement => {
    const element = document.createElement('div');
    element.dataset['viewport'] = viewportId;
    element.className = 'viewport';
    element.oncontextmenu = (event) => {
      event.preventDefault();
    };
    place.append(element);
    return element;
  };

  return {
    async show(imageIds, layout) {
      for (const viewportId of viewportIds) {
        for (const { segmentationId } of tools.segmentation.state.getSegmentationRepresentations(viewportId)) {
          tools.segmentation.removeSegmentationRepresentations(viewportId, { segmentationId });
        }
        engine.disableElement(viewportId);
      }
      place.replaceChildren();
      place.dataset['layout'] = layout;
      shown = imageIds;
      if (layout === 'slices') {
        viewportIds = ['slices'];
        const element = addElement('slices');
        engine.enableElement({ viewportId: 'slices', element, type: core.Enums.ViewportType.STACK });
        group.addViewport('slices', ENGINE);
        const viewport = engine.getViewport('slices');
        if (!(viewport instanceof core.StackViewport)) throw new Error('The viewport shows no stack.');
        await viewport.setStack([...imageIds], Math.floor(imageIds.length / 2));
      } else {
        viewportIds = MPR;
        const volumeId = `slicewise-example-volume:${++volumeCount}`;
        const volume = await core.volumeLoader.createAndCacheVolume(volumeId, { imageIds: [...imageIds] });
        volume.load();
        for (const orientation of MPR) {
          engine.enableElement({
            viewportId: orientation,
            element: addElement(orientation),
            type: core.Enums.ViewportType.ORTHOGRAPHIC,
            defaultOptions: { orientation: core.Enums.OrientationAxis[orientation.toUpperCase() as 'AXIAL'] },
          });
          group.addViewport(orientation, ENGINE);
        }
        await core.setVolumesForViewports(engine, [{ volumeId }], [...MPR]);
      }
      engine.renderViewports([...viewportIds]);
    },

    overlay(segmentationId, colours) {
      const { Labelmap } = tools.Enums.SegmentationRepresentations;
      for (const viewportId of viewportIds) {
        tools.segmentation.addSegmentationRepresentations(viewportId, [
          { segmentationId, type: Labelmap, config: { colorLUTOrIndex: [[0, 0, 0, 0], ...colours] } },
        ]);
        tools.segmentation.activeSegmentation.setActiveSegmentation(viewportId, segmentationId);
      }
      // A volume viewport shows a labelmap only after its data were announced.
      tools.segmentation.triggerSegmentationEvents.triggerSegmentationDataModified(segmentationId);
    },

    currentImage() {
      const viewport = engine.getViewport(viewportIds[0] ?? '');
      if (viewport instanceof core.StackViewport) return viewport.getCurrentImageIdIndex();
      if (!(viewport instanceof core.VolumeViewport)) return Math.floor(shown.length / 2);
      return nearestImage(core, shown, viewport.getCamera().focalPoint ?? [0, 0, 0]);
    },

    goTo(image, point) {
      for (const viewportId of viewportIds) {
        const viewport = engine.getViewport(viewportId);
        if (viewport instanceof core.StackViewport) void viewport.setImageIdIndex(image);
        else if (viewport instanceof core.VolumeViewport) viewport.jumpToWorld([...point]);
      }
    },

    use(button) {
      const { Primary } = tools.Enums.MouseBindings;
      for (const [name, toolName] of Object.entries(LEFT_BUTTON)) {
        if (name === button) group.setToolActive(toolName, { bindings: [{ mouseButton: Primary }] });
        else group.setToolPassive(toolName, { removeAllBindings: true });
      }
    },
  };
}

const LEFT_BUTTON: Readonly<Record<LeftButton, string>> = {
  window: 'WindowLevel',
  brush: 'CircularBrush',
  eraser: 'CircularEraser',
};

function createTools(tools: CornerstoneHost['tools']) {
  const { BrushTool, PanTool, StackScrollTool, WindowLevelTool, ZoomTool } = tools;
  for (const tool of [BrushTool, PanTool, StackScrollTool, WindowLevelTool, ZoomTool]) tools.addTool(tool);
  const group = tools.ToolGroupManager.createToolGroup(TOOLS);
  if (group === undefined) throw new Error('The page has its tools already.');
  const { Auxiliary, Secondary, Wheel } = tools.Enums.MouseBindings;
  const buttons = { StackScroll: Wheel, Pan: Auxiliary, Zoom: Secondary };
  for (const [name, mouseButton] of Object.entries(buttons)) {
    group.addTool(name);
    group.setToolActive(name, { bindings: [{ mouseButton }] });
  }
  group.addTool(LEFT_BUTTON.window);
  group.addToolInstance(LEFT_BUTTON.brush, 'Brush', { activeStrategy: 'FILL_INSIDE_CIRCLE' });
  group.addToolInstance(LEFT_BUTTON.eraser, 'Brush', { activeStrategy: 'ERASE_INSIDE_CIRCLE' });
  return group;
}

function nearestImage(
  core: CornerstoneHost['core'],
  imageIds: readonly string[],
  [x, y, z]: readonly [number, number, number],
): number {
  const distances = imageIds.map((imageId) => {
    const plane = core.metaData.get('imagePlaneModule', imageId) as {
      rowCosines: Types.Point3;
      columnCosines: Types.Point3;
      imagePositionPatient: Types.Point3;
    };
    const [[a, b, c], [d, e, f]] = [plane.rowCosines, plane.columnCosines];
    const [px, py, pz] = plane.imagePositionPatient;
    return Math.abs((b * f - c * e) * (x - px) + (c * d - a * f) * (y - py) + (a * e - b * d) * (z - pz));
  });
  return distances.indexOf(Math.min(...distances));
}
