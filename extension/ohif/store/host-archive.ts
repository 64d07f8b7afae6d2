import { EnvironmentError } from '../../../src/index.ts';
import { createDicomWeb, type DicomWeb, type InstancePath } from './dicom-web.ts';

/** What we use of an OHIF data source. */
interface DataSource {
  getConfig?(): DataSourceConfig | undefined;
  deleteStudyMetadataPromise?(key: string): void;
  readonly retrieve: {
    readonly series: {
      metadata(query: {
        readonly StudyInstanceUID: string;
        readonly filters: { readonly seriesInstanceUID: readonly string[] };
        readonly madeInClient: boolean;
      }): Promise<unknown>;
    };
  };
}

interface DataSourceConfig {
  readonly name?: string;
  readonly wadoRoot?: string;
}

/** The services of OHIF that know where a study is from. */
export interface ArchiveHost {
  readonly extensionManager: { getActiveDataSource(): readonly unknown[] };
  readonly servicesManager: {
    readonly services: {
      readonly userAuthenticationService?: {
        getAuthorizationHeader(): Readonly<Record<string, string>> | undefined;
      };
    };
  };
}

/** A large segmentation over a slow line takes a while; a dead one is not waited for longer. */
const TIMEOUT_MS = 120_000;

/** The PACS of OHIF's active data source.
 * @throws EnvironmentError `pacs-unavailable` if the data source has none that stores */
export function hostArchive(host: ArchiveHost): DicomWeb {
  const { wadoRoot } = activeDataSource(host)?.getConfig?.() ?? {};
  if (wadoRoot === undefined) throw unavailable('This study was not opened from a PACS that can store');
  return createDicomWeb({
    root: withoutSlash(wadoRoot),
    headers: () => host.servicesManager.services.userAuthenticationService?.getAuthorizationHeader() ?? {},
    fetch: (url, init) => fetch(url, init),
    timeoutMs: TIMEOUT_MS,
  });
}

/** Makes OHIF read one series of a study from its PACS, so that it is listed with the others. */
export async function readSeriesIntoHost(host: ArchiveHost, path: InstancePath): Promise<void> {
  const source = activeDataSource(host);
  if (source === undefined) return;
  const { studyInstanceUID: StudyInstanceUID, seriesInstanceUID } = path;
  // OHIF keeps the first answer for a study, under a key that its own removal of 3.13 does not form; it is removed
  // again afterwards, for it would be taken for the whole study.
  const keys = [StudyInstanceUID, `${String(source.getConfig?.()?.name)}:${StudyInstanceUID}`];
  const forgetStudy = (): void => {
    for (const key of keys) source.deleteStudyMetadataPromise?.(key);
  };
  forgetStudy();
  try {
    await source.retrieve.series.metadata({
      StudyInstanceUID,
      filters: { seriesInstanceUID: [seriesInstanceUID] },
      madeInClient: true,
    });
  } finally {
    forgetStudy();
  }
}

function activeDataSource({ extensionManager }: ArchiveHost): DataSource | undefined {
  const [source] = extensionManager.getActiveDataSource();
  return typeof source === 'object' && source !== null && 'retrieve' in source ? (source as DataSource) : undefined;
}

function unavailable(why: string): EnvironmentError {
  return new EnvironmentError('pacs-unavailable', `${why}.`, { remedy: 'Download the segmentation.' });
}

/** A loop, as an expression for the slashes at the end starts anew at each run of them. */
function withoutSlash(root: string): string {
  let end = root.length;
  while (root.charAt(end - 1) === '/') end--;
  return root.slice(0, end);
}
