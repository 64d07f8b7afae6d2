import { createSegmentationClient } from '../../src/browser/client.ts';
import { commandsModule } from './commands.ts';
import { unifyFramesOfReference } from './frames-of-reference.ts';
import { cornerstoneOf, type OhifManagers } from './host.ts';
import { EXTENSION_ID, PANEL_NAME } from './id.ts';
import { createHostPanel } from './panel/mount.tsx';
import { createSlicewise, type Slicewise } from './slicewise.ts';
import { createOhifSegStore } from './store/ohif-seg-store.ts';
import { drawTabIcon, hostIcon } from './tab-icon.ts';
import { texts } from './texts.ts';
import { createViewer } from './viewer.ts';

/** Beside this file, as built. A variable: a literal would be taken for an asset to bundle. */
const MODELS_PATH = './models/';

let slicewise: Slicewise | undefined;

/** The extension that OHIF loads; it lives as long as the page does. */
export default {
  id: EXTENSION_ID,

  preRegistration(managers: OhifManagers): void {
    const { displaySetService, userAuthenticationService } = managers.servicesManager.services;
    const accessToken = managers.appConfig?.slicewise?.accessToken;
    if (accessToken !== undefined) {
      // OHIF puts this into every request of its data sources, of its image loader, and we into ours.
      userAuthenticationService?.setServiceImplementation({
        getAuthorizationHeader: () => ({ Authorization: `Bearer ${accessToken}` }),
      });
    }
    unifyFramesOfReference(cornerstoneOf(managers), displaySetService);
    drawTabIcon(document);
    slicewise = createSlicewise({
      viewer: createViewer(managers),
      modelsUrl: new URL(MODELS_PATH, import.meta.url).href,
      createClient: (onNotice) =>
        createSegmentationClient({
          createWorker: () =>
            new Worker(new URL('../../src/browser/worker.ts', import.meta.url), { type: 'module', name: 'slicewise' }),
          allowSoftwareAdapter: managers.appConfig?.slicewise?.allowSoftwareAdapter === true,
          onNotice,
        }),
      createStore: (labelmaps, softwareVersion) => createOhifSegStore(managers, { labelmaps, softwareVersion }),
    });
  },

  getPanelModule: () => [
    {
      name: PANEL_NAME,
      iconName: hostIcon,
      iconLabel: texts.panelName,
      label: texts.panelName,
      component: createHostPanel(started()),
    },
  ],

  getCommandsModule: () => commandsModule(started()),

  onModeExit(): void {
    started().leave();
  },
};

function started(): Slicewise {
  if (slicewise === undefined) throw new Error('OHIF did not register the extension before it asked for its parts.');
  return slicewise;
}
