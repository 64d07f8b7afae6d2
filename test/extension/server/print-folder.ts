/** Lists a folder for a test that runs this as another user. */
import { walkFolder } from '../../../extension/server/dicom-web/folder-walk.ts';

const { files, unreadable } = await walkFolder(process.argv[2] ?? '.');
console.log(JSON.stringify({ files: files.map(({ path }) => path), unreadable: [...unreadable] }));
