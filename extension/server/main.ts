import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { findModels } from '../../src/node/index.ts';
import { buildExtension } from './build-extension.ts';
import { createFolderArchive } from './dicom-web/folder-archive.ts';
import { openStudyIndex } from './dicom-web/study-index.ts';
import { openOhifApp } from './ohif-app.ts';
import { createSlicewiseServer } from './server.ts';

const { values } = parseArgs({
  options: { data: { type: 'string' }, port: { type: 'string', default: '3000' } },
});

const data = values.data ?? join(import.meta.dirname, '../../sample-data/generated/dicom/phase_01');
await mkdir(data, { recursive: true });
const ohif = await openOhifApp(() => {
  console.log('Fetching OHIF 3.13.2 (once, 50 MB) …');
});
const extension = await buildExtension(() => {
  console.log('Building the extension …');
});
const index = await openStudyIndex(data);
const models = new Map((await findModels()).map(({ manifest, folder }) => [manifest.id, folder]));
const server = createSlicewiseServer({ ohif, extension, models, dicomWeb: createFolderArchive(index) });
server.listen(Number(values.port), '127.0.0.1');
await once(server, 'listening');
const address = server.address();
const port = typeof address === 'object' && address !== null ? address.port : values.port;
console.log(`OHIF with Slicewise: http://localhost:${port}/`);
console.log(`${index.instances().length} instances from ${data}; ${index.ignoredFiles()} other files ignored.`);
