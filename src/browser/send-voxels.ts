import { createEventTurn } from '../pipeline/event-turn.ts';
import type { Volume, VoxelArray } from '../volume/volume.ts';
import type { SegmentRequest } from './protocol.ts';
import type { WorkerChannel } from './worker-channel.ts';

/** Memory for voxels that a page and its worker can both use, so that a run makes no copy of them: shared where the page
 * is cross-origin isolated (COOP and COEP), else the page's own, of which every run sends a copy. */
export function allocateVoxels(byteLength: number): ArrayBuffer | SharedArrayBuffer {
  return canShare() ? new SharedArrayBuffer(byteLength) : new ArrayBuffer(byteLength);
}

/** Voxels that are copied at a time: 4 MB take a millisecond or two of the page's thread. */
const CHUNK_BYTES = 4e6;

/** Gives a volume to the worker, without patient data, which it has no use for: shared, or else copied in parts, between
 * which the page can do other things. The page keeps its own: a worker may die and the next one need them again. */
export async function sendVoxels(volume: Volume, channel: WorkerChannel): Promise<SegmentRequest['volume']> {
  const { geometry, voxels, modality, bodyPartExamined } = volume;
  const rest = {
    geometry,
    ...(modality !== undefined && { modality }),
    ...(bodyPartExamined !== undefined && { bodyPartExamined }),
  };
  if (canShare() && voxels.buffer instanceof SharedArrayBuffer) return { ...rest, voxels };
  const turn = createEventTurn();
  const step = Math.ceil(CHUNK_BYTES / voxels.BYTES_PER_ELEMENT);
  for (let offset = 0; offset < voxels.length; offset += step) {
    const chunk: VoxelArray = voxels.slice(offset, offset + step);
    channel.send({ kind: 'voxels', offset, length: voxels.length, chunk }, [chunk.buffer as ArrayBuffer]);
    await turn.pass();
  }
  turn.close();
  return rest;
}

function canShare(): boolean {
  return globalThis.crossOriginIsolated && typeof SharedArrayBuffer !== 'undefined';
}
