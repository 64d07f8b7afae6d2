import { describe, expect, test } from 'vitest';
import { loadModel } from '../../src/models/load-model.ts';
import { findWeightsFault } from '../../src/models/onnx-weights.ts';
import { loadTinyModel, readTinyModel, withBytes } from '../support/models.ts';
import { startCpuClock } from '../support/cpu-clock.ts';

// Field numbers of onnx.proto, which the names below are.
const modelProto = { graph: 7, training_info: 20, functions: 25 };
const trainingInfo = { initialization: 1, algorithm: 2 };
const graphProto = { node: 1, initializer: 5, sparse_initializer: 15 };
const functionProto = { node: 7, attribute_proto: 11 };
const nodeProto = { attribute: 5 };
const attributeProto = { t: 5, g: 6, tensors: 10, graphs: 11, sparse_tensor: 22, sparse_tensors: 23 };
const sparseTensor = { values: 1, indices: 2 };
const tensorProto = { name: 8, external_data: 13, data_location: 14 };

const external = [
  ...field(tensorProto.name, text('weights')),
  ...field(tensorProto.external_data, [...field(1, text('location')), ...field(2, text('model.onnx.data'))]),
  ...varint(tensorProto.data_location * 8),
  1,
];

const inNode = (attribute: number, bytes: number[]): number[] =>
  field(modelProto.graph, field(graphProto.node, field(nodeProto.attribute, field(attribute, bytes))));

describe('weights outside the file are found', () => {
  test.each<[string, number[]]>([
    ['initializer', field(modelProto.graph, field(graphProto.initializer, external))],
    [
      'initializer of a second graph field, which parsers merge',
      [...field(modelProto.graph, []), ...field(modelProto.graph, field(graphProto.initializer, external))],
    ],
    [
      'values of a sparse initializer',
      field(modelProto.graph, field(graphProto.sparse_initializer, field(sparseTensor.values, external))),
    ],
    [
      'indices of a sparse initializer',
      field(modelProto.graph, field(graphProto.sparse_initializer, field(sparseTensor.indices, external))),
    ],
    ['Constant', inNode(attributeProto.t, external)],
    ['attribute of tensors', inNode(attributeProto.tensors, external)],
    ['sparse attribute', inNode(attributeProto.sparse_tensor, field(sparseTensor.values, external))],
    ['attribute of sparse tensors', inNode(attributeProto.sparse_tensors, field(sparseTensor.indices, external))],
    ['subgraph', inNode(attributeProto.g, field(graphProto.initializer, external))],
    ['subgraph of a list', inNode(attributeProto.graphs, field(graphProto.initializer, external))],
    [
      'subgraph in a subgraph',
      inNode(attributeProto.g, inNode(attributeProto.g, field(graphProto.initializer, external)).slice(2)),
    ],
    [
      'function',
      field(
        modelProto.functions,
        field(functionProto.node, field(nodeProto.attribute, field(attributeProto.t, external))),
      ),
    ],
    [
      'default of a function',
      field(modelProto.functions, field(functionProto.attribute_proto, field(attributeProto.t, external))),
    ],
    [
      'training graph',
      field(modelProto.training_info, field(trainingInfo.algorithm, field(graphProto.initializer, external))),
    ],
    [
      'location that another one takes back',
      field(
        modelProto.graph,
        field(graphProto.initializer, [...external, ...varint(tensorProto.data_location * 8), 0]),
      ),
    ],
  ])('%s', (_, bytes) => {
    expect(findWeightsFault(Uint8Array.from(bytes))).toEqual({ kind: 'external', tensor: 'weights' });
  });

  test('external_data without a location, which some writers leave to the reader', () => {
    const entry = field(tensorProto.external_data, [...field(1, text('location')), ...field(2, text('x'))]);
    expect(findWeightsFault(Uint8Array.from(field(7, field(5, entry))))).toEqual({ kind: 'external', tensor: '' });
  });
});

describe('what is not ONNX is refused, and read to its end by nobody', () => {
  test.each<[string, Uint8Array]>([
    ['a web page', new TextEncoder().encode('<!doctype html><title>404</title>')],
    ['a field longer than its file', Uint8Array.of(58, 200, 1, 0)],
    ['a varint without an end', new Uint8Array(20).fill(0xff)],
    ['a group', Uint8Array.of(59, 60)],
    ['field number 0', Uint8Array.of(2, 0)],
    ["onnxruntime's own format", Uint8Array.of(24, 0, 0, 0, 0x4f, 0x52, 0x54, 0x4d, 0, 0)],
    ['a thousand subgraphs in each other', Uint8Array.from(nested(1000))],
  ])('%s', (_, bytes) => {
    expect(findWeightsFault(bytes)).toMatchObject({ kind: 'not-onnx' });
  });
});

test('a model with all its weights passes, and 100 MB of them take no time', async () => {
  expect(findWeightsFault((await loadTinyModel()).bytes)).toBeUndefined();
  const head = [...varint(9 * 8 + 2), ...varint(100_000_000)];
  const tensor = [...varint(5 * 8 + 2), ...varint(head.length + 100_000_000), ...head];
  const start = [...varint(7 * 8 + 2), ...varint(tensor.length + 100_000_000), ...tensor];
  const bytes = new Uint8Array(start.length + 100_000_000);
  bytes.set(start);
  const cpuMs = startCpuClock();
  expect(findWeightsFault(bytes)).toBeUndefined();
  expect(cpuMs()).toBeLessThan(1000);
});

test('loading such a model is a ModelError whose remedy is a line of Python', async () => {
  const model = await withBytes(Uint8Array.from(field(modelProto.graph, field(graphProto.initializer, external))));
  const manifest = new TextEncoder().encode(JSON.stringify(model.manifest));
  await expect(
    loadModel((path) =>
      path === 'manifest.json'
        ? Promise.resolve(manifest)
        : path === 'model.onnx'
          ? Promise.resolve(model.bytes)
          : readTinyModel(path),
    ),
  ).rejects.toMatchObject({
    name: 'ModelError',
    code: 'model-file-mismatch',
    message: expect.stringContaining('"weights"') as string,
    remedy: expect.stringContaining('onnx.save(onnx.load(p), p)') as string,
  });
});

function field(number: number, content: number[]): number[] {
  return [...varint(number * 8 + 2), ...varint(content.length), ...content];
}

function varint(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...varint(Math.floor(value / 128))];
}

function text(value: string): number[] {
  return [...new TextEncoder().encode(value)];
}

function nested(depth: number): number[] {
  let graph = field(graphProto.initializer, external);
  for (let level = 0; level < depth; level++) {
    graph = field(graphProto.node, field(nodeProto.attribute, field(attributeProto.g, graph)));
  }
  return field(modelProto.graph, graph);
}
