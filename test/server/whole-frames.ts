import { concatenate } from '../../src/io/bytes.ts';
import type { Frame, FrameSource } from '../../server/dicom-web/frame-source.ts';
import type { ObjectFile } from '../../server/dicom-web/object-file.ts';

/** A frame, or a value, in one piece. */
export async function wholeFrame(frame: Frame, file: ObjectFile): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for await (const piece of frame.pieces(file)) pieces.push(piece);
  const whole = concatenate(pieces);
  if (whole.length !== frame.byteLength) {
    throw new Error(`${whole.length} bytes of a frame that is said to have ${frame.byteLength}`);
  }
  return whole;
}

export async function allFrames(source: FrameSource, file: ObjectFile): Promise<Uint8Array[]> {
  const frames: Uint8Array[] = [];
  for (let at = 0; at < source.count; at++) frames.push(await wholeFrame(source.frame(at), file));
  return frames;
}
