import type { FrameSource } from './frame-source.ts';
import type { StoredInstance } from './known-file.ts';

/** What is found in a file once, for a viewer asks for the frames of several files one after another. */
const REMEMBERED = 8;
/** Of those that hold bytes of their file, so many together. */
const MAX_REMEMBERED_BYTES = 128 * 1024 * 1024;

/** Keeps the sources of frames that were asked for last.
 * @param read finds them in the file of an instance */
export function rememberFrames(
  read: (instance: StoredInstance) => Promise<FrameSource>,
): (instance: StoredInstance) => Promise<FrameSource> {
  // By use, the latest last. An instance whose file changed is another object.
  const remembered = new Map<StoredInstance, Promise<FrameSource>>();
  const heldBytes = new Map<StoredInstance, number>();
  const forget = (instance: StoredInstance): void => {
    remembered.delete(instance);
    heldBytes.delete(instance);
  };
  const sum = (): number => [...heldBytes.values()].reduce((total, byteLength) => total + byteLength, 0);
  return (instance) => {
    const found = remembered.get(instance);
    remembered.delete(instance);
    const source = found ?? read(instance);
    remembered.set(instance, source);
    if (found === undefined) {
      source.then(
        ({ heldBytes: held = 0 }) => {
          if (remembered.get(instance) === source) heldBytes.set(instance, held);
          for (const each of remembered.keys()) if (sum() > MAX_REMEMBERED_BYTES) forget(each);
        },
        () => {
          forget(instance);
        },
      );
    }
    for (const each of remembered.keys()) if (remembered.size > REMEMBERED) forget(each);
    return source;
  };
}
