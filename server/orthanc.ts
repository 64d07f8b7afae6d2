import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { delimiter, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { EnvironmentError } from '../src/index.ts';
import { openFiles } from '../src/node/index.ts';
import { basicAuthorization, type Pacs } from './pacs-proxy.ts';
import { assertReplaceable, writePrivately, type OrthancCredentials } from './private-file.ts';

export interface Orthanc {
  /** `http://127.0.0.1:<port>/dicom-web`, with the credentials that it wants. */
  readonly pacs: Pacs;
  readonly stop: () => Promise<void>;
}

/** Starts an installed Orthanc on loopback and stores the files of some folders in it. It answers requests with a user and
 * a password that are made anew each time: every user and every page of this computer reaches its port.
 * @param storage where it keeps its database; what was stored there before is there again
 * @param options.credentialsFile where address, user and password are written while it runs, for this user alone
 * @throws EnvironmentError `orthanc-unavailable`, `file-not-writable` */
export async function startOrthanc(
  storage: string,
  folders: readonly string[],
  { credentialsFile }: { readonly credentialsFile?: string } = {},
): Promise<Orthanc> {
  const program = findProgram();
  const plugin = DICOM_WEB_PLUGINS.find((path) => existsSync(path));
  if (program === undefined || plugin === undefined) {
    const missing = program === undefined ? 'Orthanc is not installed' : "Orthanc's DICOMweb plugin is not installed";
    throw new EnvironmentError('orthanc-unavailable', `${missing}.`, {
      remedy: 'On Debian or Ubuntu: sudo apt-get install orthanc orthanc-dicomweb',
    });
  }
  if (credentialsFile !== undefined) await assertReplaceable(credentialsFile);
  const port = await freePort();
  await mkdir(storage, { recursive: true, mode: 0o700 });
  const configuration = join(storage, 'configuration.json');
  const root = `http://127.0.0.1:${port}`;
  const user = 'slicewise';
  const password = randomBytes(32).toString('base64url');
  const credentials: OrthancCredentials = { url: root, dicomWeb: `${root}/dicom-web`, user, password };
  await writePrivately(configuration, configurationOf(credentials, port, join(storage, 'database'), plugin));

  const child = spawn(program, [configuration], { stdio: ['ignore', 'ignore', 'pipe'] });
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (log = (log + text).slice(-4000)));
  const exited = new Promise<void>((resolve) =>
    child.once('exit', () => {
      resolve();
    }),
  );
  const kill = (): void => void child.kill();
  process.once('exit', kill);
  const stop = async (): Promise<void> => {
    process.removeListener('exit', kill);
    child.kill();
    await exited;
    // They open nothing any more.
    await Promise.all(
      [configuration, ...(credentialsFile === undefined ? [] : [credentialsFile])].map((file) =>
        rm(file, { force: true }),
      ),
    );
  };
  const authorization = basicAuthorization(user, password);
  try {
    await waitUntilUp(`${root}/system`, authorization, () => child.exitCode !== null);
    for (const { realPath } of openFiles(folders)) await upload(root, authorization, realPath);
    if (credentialsFile !== undefined) await writePrivately(credentialsFile, credentials);
  } catch (cause) {
    await stop();
    throw new EnvironmentError('orthanc-unavailable', `Orthanc did not start: ${lastLine(log) ?? String(cause)}.`, {
      remedy: `See that ${program} runs, and that ${storage} is its user's own folder and has room.`,
      cause,
    });
  }
  return { pacs: { root: new URL(`${root}/dicom-web`), authorization }, stop };
}

const DICOM_WEB_PLUGINS = [
  '/usr/share/orthanc/plugins/libOrthancDicomWeb.so',
  '/usr/local/share/orthanc/plugins/libOrthancDicomWeb.so',
];

/** Debian puts it where the paths of plain users do not look. */
function findProgram(): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin'];
  return folders.map((folder) => join(folder, 'Orthanc')).find((path) => existsSync(path));
}

function configurationOf(
  { user, password }: OrthancCredentials,
  port: number,
  database: string,
  plugin: string,
): object {
  return {
    Name: 'Slicewise sample',
    HttpPort: port,
    RemoteAccessAllowed: false,
    AuthenticationEnabled: true,
    RegisteredUsers: { [user]: password },
    DicomServerEnabled: false,
    StorageDirectory: database,
    IndexDirectory: database,
    Plugins: [plugin],
    // An instance that is sent again stays as it is: nothing stored is ever replaced.
    OverwriteInstances: false,
    DicomWeb: {
      Enable: true,
      Root: '/dicom-web/',
      EnableWado: false,
      Ssl: false,
      StudiesMetadata: 'Full',
      SeriesMetadata: 'Full',
    },
  };
}

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const address = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  if (typeof address !== 'object' || address === null) throw new Error('there is no free port');
  return address.port;
}

async function waitUntilUp(url: string, authorization: string, hasExited: () => boolean): Promise<void> {
  for (let attempt = 0; attempt < 240 && !hasExited(); attempt++) {
    const isUp = await fetch(url, { headers: { authorization } }).then(
      ({ ok }) => ok,
      () => false,
    );
    if (isUp) return;
    await wait(250);
  }
  throw new Error('it does not answer');
}

/** What is not a DICOM file is left out, as in the folder. */
async function upload(root: string, authorization: string, path: string): Promise<void> {
  const response = await fetch(`${root}/instances`, {
    method: 'POST',
    headers: { authorization },
    body: await readFile(path),
  });
  await response.arrayBuffer();
  if (!response.ok && response.status !== 400) throw new Error(`it answered ${response.status} to a file`);
}

/** Of Orthanc's own log: `E1121 21:40:12.123456 main.cpp:1234] reason`. */
function lastLine(log: string): string | undefined {
  return log
    .split('\n')
    .findLast((line) => line.startsWith('E'))
    ?.replace(/^[^\]]*\]\s*/, '');
}
