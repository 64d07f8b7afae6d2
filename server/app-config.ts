import { ACCESS_SCRIPT } from './access-token.ts';
import { DICOM_WEB_ROOT } from './dicom-web/folder-archive.ts';

export interface AppConfigOptions {
  /** Our own settings. */
  readonly slicewise?: object | undefined;
  /** Whether the archive wants a token, which the page then has from its address or its storage. */
  readonly isGuarded?: boolean;
  /** The built `without-eval.js`, for the policy of our pages has no 'unsafe-eval'. It is in this script, which runs before
   * OHIF does: a module of its own might come too late. */
  readonly withoutEval: string;
}

/** The `app-config.js` of OHIF 3.13: our extension and mode, loaded by the browser's own `import()`, and one data source. */
export function appConfigScript({ slicewise = {}, isGuarded = false, withoutEval }: AppConfigOptions): string {
  const config = {
    slicewise,
    name: 'slicewise',
    routerBasename: null,
    extensions: ['/slicewise/extension.js'],
    modes: ['/slicewise/mode.js'],
    showStudyList: true,
    // The panel says so where it matters; the host's own banner covers a part of it.
    investigationalUseDialog: { option: 'never' },
    showLoadingIndicator: true,
    showWarningMessageForCrossOrigin: true,
    showCPUFallbackMessage: true,
    showErrorDetails: 'always',
    strictZSpacingForVolumeViewport: true,
    groupEnabledModesFirst: true,
    maxNumberOfWebWorkers: 3,
    maxNumRequests: { interaction: 100, thumbnail: 5, prefetch: 25 },
    defaultDataSourceName: 'dicomweb',
    dataSources: [
      {
        namespace: '@ohif/extension-default.dataSourcesModule.dicomweb',
        sourceName: 'dicomweb',
        configuration: {
          friendlyName: 'Slicewise',
          name: 'slicewise',
          qidoRoot: DICOM_WEB_ROOT,
          wadoRoot: DICOM_WEB_ROOT,
          wadoUriRoot: '/wado',
          qidoSupportsIncludeField: false,
          supportsFuzzyMatching: false,
          supportsWildcard: true,
          imageRendering: 'wadors',
          thumbnailRendering: 'wadors',
          enableStudyLazyLoad: true,
          omitQuotationForMultipartRequest: true,
          bulkDataURI: { enabled: true },
          dicomUploadEnabled: false,
        },
      },
    ],
  };
  const script = `(() => {\n${withoutEval}\n})();\nwindow.config = ${JSON.stringify(config, null, 2)};\n`;
  return isGuarded ? `${ACCESS_SCRIPT}${script}window.config.slicewise.accessToken = accessToken;\n` : script;
}
