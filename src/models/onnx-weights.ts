/** A tensor of a graph whose values lie outside the file, or why the bytes cannot be searched for one. */
export type WeightsFault =
  { readonly kind: 'external'; readonly tensor: string } | { readonly kind: 'not-onnx'; readonly why: string };

/** Searches an ONNX file for weights that lie outside it (onnx.proto: TensorProto.data_location, external_data): in
 * graphs, their subgraphs, functions and attributes, dense and sparse. A hash of the file says nothing of such weights,
 * and onnxruntime takes them from the current folder.
 *
 * A walk over protobuf's fields that reads no more than where they end: the libraries that parse ONNX (protobufjs with
 * onnx-proto, 0.6 MB) copy every weight, for one question. Stricter than onnxruntime, so that nothing is overlooked that
 * it would read: what this does not understand is refused. Linear in the file's length.
 * @returns undefined if all weights are in the file */
export function findWeightsFault(bytes: Uint8Array): WeightsFault | undefined {
  // onnxruntime's own format (flatbuffers), which it would recognise whatever the file's name.
  if (bytes.length >= 8 && String.fromCharCode(...bytes.subarray(4, 8)) === 'ORTM') {
    return { kind: 'not-onnx', why: "it is in onnxruntime's own format, not ONNX" };
  }
  try {
    const tensor = externalTensor(bytes, 0, bytes.length, MODEL, 0);
    return tensor === undefined ? undefined : { kind: 'external', tensor };
  } catch (cause) {
    if (!(cause instanceof NotProtobuf)) throw cause;
    return { kind: 'not-onnx', why: 'it is not ONNX (protobuf parsing failed)' };
  }
}

class NotProtobuf extends Error {}

/** The fields of a message of onnx.proto that lead to tensors, by number. */
interface Message {
  readonly fields: Readonly<Record<number, () => Message>>;
  readonly isTensor?: true;
}

const TENSOR: Message = { fields: {}, isTensor: true };
const SPARSE_TENSOR: Message = { fields: { 1: () => TENSOR, 2: () => TENSOR } }; // values, indices
// t, g, tensors, graphs, sparse_tensor, sparse_tensors
const ATTRIBUTE: Message = {
  fields: {
    5: () => TENSOR,
    6: () => GRAPH,
    10: () => TENSOR,
    11: () => GRAPH,
    22: () => SPARSE_TENSOR,
    23: () => SPARSE_TENSOR,
  },
};
const NODE: Message = { fields: { 5: () => ATTRIBUTE } };
const GRAPH: Message = { fields: { 1: () => NODE, 5: () => TENSOR, 15: () => SPARSE_TENSOR } }; // node, initializer
const FUNCTION: Message = { fields: { 7: () => NODE, 11: () => ATTRIBUTE } }; // node, attribute_proto
const TRAINING: Message = { fields: { 1: () => GRAPH, 2: () => GRAPH } }; // initialization, algorithm
const MODEL: Message = { fields: { 7: () => GRAPH, 20: () => TRAINING, 25: () => FUNCTION } };

/** Of TensorProto. */
const NAME = 8;
const EXTERNAL_DATA = 13;
const DATA_LOCATION = 14;

/** As protobuf's own parsers. */
const DEEPEST = 100;

/** Protobuf's wire types. */
const WIRE = { varint: 0, fixed64: 1, delimited: 2, fixed32: 5 } as const;

/** The name of the first tensor in a message whose data lie outside. @throws NotProtobuf */
function externalTensor(
  bytes: Uint8Array,
  from: number,
  to: number,
  { fields, isTensor }: Message,
  depth: number,
): string | undefined {
  if (depth > DEEPEST) throw new NotProtobuf();
  let name = '';
  let isExternal = false;
  for (let at = from; at < to;) {
    const tag = readVarint(bytes, at, to);
    const [field, type] = [tag.value >>> 3, tag.value & 7];
    if (field === 0 || tag.value > 0xffff_ffff) throw new NotProtobuf();
    at = tag.end;
    switch (type) {
      case WIRE.varint: {
        const { value, end } = readVarint(bytes, at, to);
        // Any other value than DEFAULT (0), and however often it is given: parsers differ in which one counts.
        if (isTensor && field === DATA_LOCATION && value !== 0) isExternal = true;
        at = end;
        break;
      }
      case WIRE.fixed64:
        at += 8;
        break;
      case WIRE.fixed32:
        at += 4;
        break;
      case WIRE.delimited: {
        const { value: length, end } = readVarint(bytes, at, to);
        at = end + length;
        if (at > to) throw new NotProtobuf();
        if (isTensor && field === EXTERNAL_DATA) isExternal = true;
        if (isTensor && field === NAME) name = new TextDecoder().decode(bytes.subarray(end, Math.min(at, end + 256)));
        const inner = fields[field];
        const found = inner && externalTensor(bytes, end, at, inner(), depth + 1);
        if (found !== undefined) return found;
        break;
      }
      default: // groups, which no writer of ONNX has ever used
        throw new NotProtobuf();
    }
    if (at > to) throw new NotProtobuf();
  }
  return isExternal ? name : undefined;
}

/** @returns the value, as far as a number holds it, and the place after it */
function readVarint(bytes: Uint8Array, from: number, to: number): { readonly value: number; readonly end: number } {
  let value = 0;
  let weight = 1;
  for (let at = from; at < to && at < from + 10; at++, weight *= 128) {
    const byte = bytes[at] ?? 0;
    value += (byte & 127) * weight;
    if (byte < 128) return { value, end: at + 1 };
  }
  throw new NotProtobuf();
}
