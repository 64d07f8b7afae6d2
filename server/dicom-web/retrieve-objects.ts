import { gone } from './not-found.ts';
import { multipart, type Answer, type StreamedPart } from './answer.ts';
import type { StoredInstance } from './known-file.ts';
import { choose, type MediaType } from './media-types.ts';
import { FileGoneError, piecesOf } from './object-file.ts';
import type { OpenPlainFile } from './plain-file.ts';
import type { StudyIndex } from './study-index.ts';

/** A file of so many bytes is known to be whole before it is sent. */
const SMALL_FILE_BYTES = 2 ** 20;

/** Whole files: a part each, or one alone where the client prefers that.
 * @throws HttpError 404, 406
 * @see DICOM PS3.18 10.4.1.1 */
export async function retrieveObjects(
  index: StudyIndex,
  instances: readonly StoredInstance[],
  accepted: readonly MediaType[],
): Promise<Answer> {
  const syntaxes = new Set(instances.map(({ transferSyntaxUID }) => transferSyntaxUID));
  const [only] = syntaxes;
  const syntax = syntaxes.size === 1 && only !== undefined ? { transferSyntaxUID: only } : {};
  const offer = choose(accepted, [
    { type: 'multipart/related', partType: 'application/dicom', ...syntax },
    ...(instances.length === 1 ? [{ type: 'application/dicom', ...syntax }] : []),
  ]);
  const files = filesThere(index, instances);
  const close = async (): Promise<void> => {
    await files.return();
  };
  // Before anything is sent: what is not there is a 404.
  const first = await files.next();
  if (first.done === true) throw gone();
  if (offer.type === 'application/dicom') {
    const { byteLength, pieces } = first.value;
    return { status: 200, contentType: offer.type, byteLength, pieces, close };
  }
  async function* parts(): AsyncGenerator<StreamedPart> {
    for (let next = first; next.done !== true; next = await files.next()) yield next.value;
  }
  return multipart(parts(), 'application/dicom', close);
}

/** The files of instances that are still there, one after another; each is open until the next is asked for. */
async function* filesThere(
  index: StudyIndex,
  instances: readonly StoredInstance[],
): AsyncGenerator<StreamedPart, void> {
  for (const instance of instances) {
    const contentType = `application/dicom; transfer-syntax=${instance.transferSyntaxUID}`;
    let file: OpenPlainFile | undefined;
    try {
      if (instance.byteLength <= SMALL_FILE_BYTES) {
        const bytes = await index.read(instance, (opened) => opened.read(0, SMALL_FILE_BYTES));
        yield { contentType, byteLength: bytes.length, pieces: [bytes] };
      } else {
        file = await index.open(instance);
        yield { contentType, byteLength: file.byteLength, pieces: wholeFile(file) };
      }
    } catch (error) {
      if (!(error instanceof FileGoneError)) throw error;
    } finally {
      await file?.close();
    }
  }
}

/** @throws FileGoneError at its end, if the file was written into meanwhile: the answer is then cut off */
async function* wholeFile(file: OpenPlainFile): AsyncGenerator<Uint8Array> {
  yield* piecesOf(file, 0, file.byteLength);
  await file.assertUnchanged();
}
