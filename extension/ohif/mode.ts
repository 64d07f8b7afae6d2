import type { OhifManagers } from './host.ts';
import { hotkeys } from './hotkeys.ts';
import { MODE_ID, PANEL_MODULE_ID } from './id.ts';
import { texts } from './texts.ts';

/** What we read of OHIF's own modes; all else is handed on as it is. */
interface HostMode {
  readonly modeInstance: HostModeInstance;
}
interface HostModeInstance {
  readonly routes: readonly HostRoute[];
  readonly onModeEnter: (this: object, managers: OhifManagers) => unknown;
  readonly [property: string]: unknown;
}
interface HostRoute {
  readonly layoutInstance: { readonly id: string; readonly props: HostLayout };
  readonly [property: string]: unknown;
}
interface HostLayout {
  readonly rightPanels: readonly string[];
  readonly [property: string]: unknown;
}

interface ModeFactoryContext {
  /** OHIF's loader: names of built-in modes to their default exports, in the same order. */
  readonly loadModules: (names: readonly string[]) => Promise<readonly unknown[]>;
}

/** OHIF's segmentation mode with our panel first. Its tools (brush, eraser, threshold, scissors, interpolation, undo and
 * redo) are OHIF's, unchanged. */
export default {
  id: MODE_ID,
  async modeFactory({ loadModules }: ModeFactoryContext): Promise<object> {
    const [segmentation, basic] = (await loadModules(['@ohif/mode-segmentation', '@ohif/mode-basic'])).map(asHostMode);
    if (segmentation === undefined || basic === undefined) throw new Error('OHIF gave no segmentation mode.');
    return {
      ...segmentation,
      id: MODE_ID,
      routeName: MODE_ID,
      displayName: texts.modeName,
      // The segmentation mode's own onModeEnter opens its tab as soon as a segmentation appears and so takes ours away.
      onModeEnter(this: object, managers: OhifManagers) {
        basic.onModeEnter.call(this, managers);
        const { customizationService } = managers.servicesManager.services;
        customizationService.setCustomizations({ 'ohif.hotkeyBindings': { $push: hotkeys } }, 'mode');
      },
      routes: segmentation.routes.map(withPanelFirst),
    };
  },
};

function withPanelFirst(route: HostRoute): HostRoute {
  const { id, props } = route.layoutInstance;
  return {
    ...route,
    layoutInstance: { id, props: { ...props, rightPanels: [PANEL_MODULE_ID, ...props.rightPanels] } },
  };
}

/** @throws Error if OHIF's modes are no longer what 3.13 has */
function asHostMode(module: unknown): HostModeInstance {
  const instance = (module as Partial<HostMode> | undefined)?.modeInstance;
  if (typeof instance?.onModeEnter !== 'function' || !Array.isArray(instance.routes)) {
    throw new Error('This OHIF has other modes than 3.13: its mode instance has no onModeEnter or routes.');
  }
  return instance;
}
