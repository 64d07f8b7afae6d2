import { afterEach, describe, expect, test, vi } from 'vitest';
import { hostArchive, readSeriesIntoHost, type ArchiveHost } from '../../../../extension/ohif/store/host-archive.ts';

const path = { studyInstanceUID: '1.2', seriesInstanceUID: '1.3', sopInstanceUID: '1.4' };

/** OHIF with one data source, as its extension manager gives it. */
function hostWith(source: unknown, authorization?: Record<string, string>): ArchiveHost {
  return {
    extensionManager: { getActiveDataSource: () => [source] },
    servicesManager: {
      services: { userAuthenticationService: { getAuthorizationHeader: () => authorization } },
    },
  };
}

function dicomWebSource(config: object) {
  const calls: unknown[] = [];
  const source = {
    getConfig: () => config,
    deleteStudyMetadataPromise: (key: string) => calls.push(['forget', key]),
    retrieve: {
      series: {
        metadata: (query: unknown) => {
          calls.push(query);
          return Promise.resolve([]);
        },
      },
    },
  };
  return { source, calls };
}

afterEach(() => {
  vi.unstubAllGlobals();
});

describe('the PACS of a data source', () => {
  test('is at its wadoRoot, with the headers of the session at the time of each request', async () => {
    const asked: [string, string | null][] = [];
    vi.stubGlobal('fetch', (url: string, init: RequestInit) => {
      asked.push([url, new Headers(init.headers).get('Authorization')]);
      return Promise.resolve(new Response('DICM'));
    });
    const authorization = { Authorization: 'Bearer old' };
    const { source } = dicomWebSource({ wadoRoot: 'https://pacs.test/wado/' });
    const pacs = hostArchive(hostWith(source, authorization));
    await pacs.retrieve(path);
    authorization.Authorization = 'Bearer new';
    await pacs.retrieve(path);
    const url = 'https://pacs.test/wado/studies/1.2/series/1.3/instances/1.4';
    expect(asked).toEqual([
      [url, 'Bearer old'],
      [url, 'Bearer new'],
    ]);
  });

  test("with staticWado, as OHIF's own configuration has it, is asked: a server of fixed files refuses by itself", () => {
    const { source } = dicomWebSource({ wadoRoot: '/x', staticWado: true });
    expect(hostArchive(hostWith(source))).toBeDefined();
  });

  test.each([
    ['of files', { getConfig: () => ({}), retrieve: {} }, /not opened from a PACS/],
    ['that has no configuration', { retrieve: {} }, /not opened from a PACS/],
    ['that is none', undefined, /not opened from a PACS/],
  ])('of a data source %s is refused with the reason', (_, source, message) => {
    expect(() => hostArchive(hostWith(source))).toThrow(
      expect.objectContaining({
        code: 'pacs-unavailable',
        message: expect.stringMatching(message) as string,
        remedy: 'Download the segmentation.',
      }) as Error,
    );
  });
});

describe('a stored series is read into OHIF', () => {
  test('alone, and not from what OHIF remembers of the study; nor is it remembered as the whole study', async () => {
    const { source, calls } = dicomWebSource({ name: 'orthanc', wadoRoot: '/dicom-web' });
    await readSeriesIntoHost(hostWith(source), path);
    const forget = [
      ['forget', '1.2'],
      ['forget', 'orthanc:1.2'],
    ];
    expect(calls).toEqual([
      ...forget,
      { StudyInstanceUID: '1.2', filters: { seriesInstanceUID: ['1.3'] }, madeInClient: true },
      ...forget,
    ]);
  });

  test('and where that fails, what OHIF remembers is forgotten all the same', async () => {
    const { source, calls } = dicomWebSource({ wadoRoot: '/dicom-web' });
    source.retrieve.series.metadata = () => Promise.reject(new Error('no network'));
    await expect(readSeriesIntoHost(hostWith(source), path)).rejects.toThrow('no network');
    expect(calls).toHaveLength(4);
  });
});
