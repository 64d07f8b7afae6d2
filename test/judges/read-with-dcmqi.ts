/** Reads a DICOM-SEG with dcmqi (as WebAssembly) and writes what it found as JSON, voxels as base64. A program of its
 * own, because the pipeline prints as it likes and keeps its process alive. */
import { writeFileSync } from 'node:fs';
import { readSegmentationNode } from '@itk-wasm/dicom';

const [segFile, answerFile] = process.argv.slice(2);
if (segFile === undefined || answerFile === undefined) throw new Error('read-with-dcmqi.ts seg.dcm answer.json');
const { segImage } = await readSegmentationNode(segFile);
const { data, size, origin, spacing, direction } = segImage;
if (data === null || data instanceof BigInt64Array || data instanceof BigUint64Array) throw new Error('no labels');
const voxels = Buffer.from(Uint8Array.from(data)).toString('base64');
writeFileSync(answerFile, JSON.stringify({ size, origin, spacing, direction: [...direction], voxels }));
process.exit(0);
