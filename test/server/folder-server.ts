import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { createFolderArchive } from '../../server/dicom-web/folder-archive.ts';
import { openStudyIndex } from '../../server/dicom-web/study-index.ts';
import { listenOnLoopback } from '../../server/listen.ts';

// A server in a process of its own, which a test may kill: the archive of the folder that it is given. Prints its port.
const [folder = ''] = process.argv.slice(2);
const { server, port, answerWith } = await listenOnLoopback(0);
const archive = createFolderArchive(await openStudyIndex(folder));
answerWith((request, response) => {
  const path = (request.url ?? '').replace('/dicom-web', '');
  Promise.resolve(archive(request, response, path)).catch((error: unknown) => {
    console.error(error);
    response.destroy();
  });
});
console.log(port);
// Asked by a line, the most memory that it had so far, in kB.
createInterface(process.stdin).on('line', () => {
  console.log(process.resourceUsage().maxRSS);
});
await once(server, 'close');
