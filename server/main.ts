import { statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { EnvironmentError, InputError } from '../src/index.ts';
import { findModels } from '../src/node/index.ts';
import { generateStudies } from '../sample-data/studies.ts';
import { createAccessToken } from './access-token.ts';
import { buildExtension } from './build-extension.ts';
import { createFolderArchive, type DicomWebHandler } from './dicom-web/folder-archive.ts';
import { openStudyIndex } from './dicom-web/study-index.ts';
import { hasNeighbour, listenOnLoopback } from './listen.ts';
import { openOhifApp } from './ohif-app.ts';
import { startOrthanc } from './orthanc.ts';
import { createPacsProxy, parsePacs, sendsCredentialsInTheClear } from './pacs-proxy.ts';
import { createSlicewiseHandler } from './server.ts';
import { print, printError, printFault } from './terminal.ts';

const HELP = `npm start -- [options]

Opens OHIF with Slicewise on this computer. Research use only: not a medical device.

  --data <folder>   a folder of DICOM files; segmentations are stored in its folder "stored"
  --pacs <url>      a PACS instead: the root of its DICOMweb, http://host:port/dicom-web
                    (SLICEWISE_PACS_USER and SLICEWISE_PACS_PASSWORD, or SLICEWISE_PACS_TOKEN)
  --orthanc         an installed Orthanc with the samples: the same as npm run start:orthanc
  --credentials-file <file>
                    with --orthanc: where its address, user and password are written for your other programs
  --no-token        no token in the address; for those who put a guard of their own before it
  --port <number>   default 3000; 0 takes a free one
`;

interface Arguments {
  readonly data: string | undefined;
  readonly pacs: string | undefined;
  readonly orthanc: boolean;
  readonly credentialsFile: string | undefined;
  readonly isOpen: boolean;
  readonly port: number;
}

interface Archive {
  readonly dicomWeb: DicomWebHandler;
  /** What is in it and where, for the user. */
  readonly description: string;
  readonly close: () => Promise<void>;
}

async function main(): Promise<void> {
  const given = parseArguments(process.argv.slice(2));
  if (given === 'help') {
    process.stdout.write(HELP);
    return;
  }
  assertNode();
  const pacs = given.pacs === undefined ? undefined : parsePacs(given.pacs, process.env);
  assertFolder(given.data);
  const listening = await listenOnLoopback(given.port);
  let archive: Archive | undefined;
  const stop = async (): Promise<void> => {
    listening.server.close();
    listening.server.closeAllConnections();
    await archive?.close();
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      // Before there is an archive, nothing is open that another end would leave behind.
      if (archive === undefined) process.exit(1);
      void stop();
    });
  }
  try {
    const ohif = await openOhifApp(() => {
      print('Fetching OHIF (once, 50 MB) …');
    });
    const extension = await buildExtension(() => {
      print('Building the extension …');
    });
    const models = new Map((await findModels()).map(({ manifest, folder }) => [manifest.id, folder]));
    archive = await openArchive(given, pacs);
    // The samples are nobody's; everything else may be somebody's, and every user of the computer reaches the port.
    const isSample = given.data === undefined && given.pacs === undefined && !given.orthanc;
    const token = isSample || given.isOpen ? undefined : createAccessToken();
    listening.answerWith(
      createSlicewiseHandler({
        ohif,
        extension,
        models,
        dicomWeb: archive.dicomWeb,
        ...(token !== undefined && { token }),
      }),
    );
    const address = `${listening.url}/${token === undefined ? '' : `?token=${token}`}`;
    print('', `  OHIF with Slicewise   ${address}`, '', archive.description);
    print('Research use only: not a medical device. Stop with Ctrl-C.');
    if (await hasNeighbour(listening.port)) {
      printError(
        `Another program listens on [::1]:${listening.port}, and "localhost" may lead there: use the address above.`,
      );
    }
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The bundler that builds the extension is newer than what the package itself needs.
 * @throws EnvironmentError `node-too-old` */
function assertNode(): void {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return;
  throw new EnvironmentError('node-too-old', `npm start needs Node 20.19 or later; this is ${process.version}.`, {
    remedy: 'Install a later Node; the command line and the library run on this one.',
  });
}

/** @throws InputError `file-not-found` */
function assertFolder(path: string | undefined): void {
  if (path === undefined || statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) return;
  throw new InputError('file-not-found', `There is no folder ${path}.`, { remedy: 'Check the path.' });
}

async function openArchive(
  { data, orthanc, credentialsFile }: Arguments,
  pacs: ReturnType<typeof parsePacs> | undefined,
): Promise<Archive> {
  if (pacs !== undefined) {
    if (sendsCredentialsInTheClear(pacs)) {
      printError(
        `The credentials go to ${pacs.root.host} over http, where others on the way can read them: use https.`,
      );
    }
    return { dicomWeb: createPacsProxy(pacs), description: `Studies of the PACS at ${pacs.root.host}.`, close };
  }
  const samples = (): Promise<string> =>
    generateStudies(() => {
      print('Making two synthetic hearts (once, a few seconds) …');
    });
  if (orthanc) {
    const folder = data ?? (await samples());
    const started = await startOrthanc(resolve('out', 'orthanc'), [folder], {
      ...(credentialsFile !== undefined && { credentialsFile }),
    });
    return {
      dicomWeb: createPacsProxy(started.pacs),
      description: `Studies of Orthanc at ${started.pacs.root.href}.`,
      close: started.stop,
    };
  }
  const index = await openStudyIndex(data ?? (await samples()));
  const ignored = index.ignoredFiles();
  const reasons = [...ignored].map(([reason, files]) => `${files} ${reason}`).join(', ');
  const count = `${index.instances().length} DICOM objects${reasons === '' ? '' : `; files ignored: ${reasons}`}`;
  return {
    dicomWeb: createFolderArchive(index),
    description: `${index.folder}: ${count}. Segmentations are stored in ${join(index.folder, 'stored')}.`,
    close,
  };
}

function parseArguments(args: readonly string[]): Arguments | 'help' {
  const options = {
    data: { type: 'string' },
    pacs: { type: 'string' },
    orthanc: { type: 'boolean', default: false },
    'credentials-file': { type: 'string' },
    'no-token': { type: 'boolean', default: false },
    port: { type: 'string', default: '3000' },
    help: { type: 'boolean', default: false },
  } as const;
  const { values } = attempt(() => parseArgs({ args: [...args], options }));
  if (values.help) return 'help';
  const port = /^\d{1,5}$/.test(values.port) ? Number(values.port) : NaN;
  if (!(port <= 65535)) throw invalid(`--port is a number up to 65535, not "${values.port}"`);
  if (values.pacs !== undefined && (values.data !== undefined || values.orthanc)) {
    throw invalid('--pacs stands alone: studies come from one place');
  }
  const credentialsFile = values['credentials-file'];
  if (credentialsFile !== undefined && !values.orthanc) {
    throw invalid('--credentials-file is for the credentials of --orthanc');
  }
  const { data, pacs, orthanc } = values;
  return { data, pacs, orthanc, credentialsFile, isOpen: values['no-token'], port };
}

function attempt<T>(parse: () => T): T {
  try {
    return parse();
  } catch (cause) {
    throw invalid(cause instanceof Error ? cause.message : String(cause));
  }
}

function invalid(reason: string): InputError {
  return new InputError('invalid-arguments', `${reason}.`, { remedy: 'npm start -- --help lists the options.' });
}

const close = (): Promise<void> => Promise.resolve();

try {
  await main();
} catch (error) {
  printFault(error);
  process.exitCode = error instanceof EnvironmentError ? 3 : error instanceof InputError ? 2 : 1;
}
