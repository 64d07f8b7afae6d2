import { Transform } from 'node:stream';

/** Attributes whose values are addresses of the archive itself: Retrieve URL, Retrieve URI. */
const ADDRESS_TAGS = new Set(['00081190', '0040E010']);
/** Longer strings are no addresses and no keys of ours, and pass as they are. */
const MAX_ADDRESS_BYTES = 16 * 1024;
/** PS3.18 F.2 nests a sequence in four levels; PS3.5 has no limit, and no archive comes near this. */
const MAX_DEPTH = 4096;

/** JSON that is nested more deeply than any data set. */
export class JsonDepthError extends Error {}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Rewrites addresses in a stream of the DICOM JSON Model: BulkDataURI, Retrieve URL, Retrieve URI. Everything else passes
 * byte by byte, so that an answer of any length takes no more memory than a chunk.
 * @param rewrite gives the address to write instead; undefined leaves it as it is
 * @throws JsonDepthError, as the error of the stream
 * @see DICOM PS3.18 F.2.2 */
export function rewriteAddresses(rewrite: (address: string) => string | undefined): Transform {
  /** Keys of the objects that are open, outermost first; undefined for an array's place. */
  const path: (string | undefined)[] = [];
  /** What the next string is: a key where an object expects one. */
  let lastString = '';
  /** Of a string that is held back to be looked at; undefined where one passes, or none is open. */
  let held: Buffer[] | undefined;
  let heldBytes = 0;
  let isInString = false;
  let isEscaped = false;

  const isAddress = (): boolean => {
    const key = path.at(-1);
    if (key === 'BulkDataURI') return true;
    return key === undefined && path.at(-2) === 'Value' && ADDRESS_TAGS.has(path.at(-3) ?? '');
  };

  return new Transform({
    transform(chunk: Buffer, _, done) {
      const out: Buffer[] = [];
      let from = 0;
      let at = 0;
      const pass = (to: number): void => {
        if (to > from) (held ?? out).push(chunk.subarray(from, to));
        if (held !== undefined) heldBytes += Math.max(0, to - from);
        from = to;
        if (held !== undefined && heldBytes > MAX_ADDRESS_BYTES) release();
      };
      const release = (): void => {
        if (held !== undefined) out.push(...held);
        held = undefined;
        heldBytes = 0;
      };
      while (at < chunk.length) {
        const byte = chunk.readUInt8(at);
        if (isInString) {
          if (isEscaped) isEscaped = false;
          else if (byte === BACKSLASH) isEscaped = true;
          else if (byte === QUOTE) {
            isInString = false;
            pass(at + 1);
            if (held !== undefined) {
              const literal = Buffer.concat(held).toString('utf8');
              const text = parseString(literal);
              lastString = text ?? '';
              const address = text !== undefined && isAddress() ? rewrite(text) : undefined;
              if (address !== undefined) held = [Buffer.from(JSON.stringify(address))];
              release();
            }
          }
          at += 1;
          continue;
        }
        switch (byte) {
          case QUOTE:
            pass(at);
            isInString = true;
            lastString = '';
            // A key, an element of an array, or an address: no other string need be looked at.
            held = path.at(-1) === undefined || isAddress() ? [] : undefined;
            break;
          case 0x3a: // ':'
            path[path.length - 1] = lastString;
            break;
          case 0x2c: // ','
            if (path.length > 0) path[path.length - 1] = undefined;
            break;
          case 0x7b: // '{'
          case 0x5b: // '['
            if (path.length >= MAX_DEPTH) {
              done(new JsonDepthError('its JSON is nested too deeply'));
              return;
            }
            path.push(undefined);
            break;
          case 0x7d: // '}'
          case 0x5d: // ']'
            path.pop();
            break;
          default:
        }
        at += 1;
      }
      pass(chunk.length);
      done(null, Buffer.concat(out));
    },
    flush(done) {
      done(null, held === undefined ? undefined : Buffer.concat(held));
    },
  });
}

function parseString(literal: string): string | undefined {
  try {
    const text: unknown = JSON.parse(literal);
    return typeof text === 'string' ? text : undefined;
  } catch {
    return undefined;
  }
}
