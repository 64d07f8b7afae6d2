import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createContext, runInContext, type Context } from 'node:vm';
import fc from 'fast-check';
import ndarray, { type NdArray } from 'ndarray';
import { describe, expect, test } from 'vitest';
import { provideNdarrayWithoutEval } from '../../../../extension/ohif/store/ndarray-without-eval.ts';

type MakeNdarray = (data: unknown, shape?: number[], stride?: number[], offset?: number) => NdArray;

const require = createRequire(import.meta.url);

/** A page whose policy refuses code from text. */
function strictPage(): Context {
  return createContext(
    { Uint8Array, Float32Array, Float64Array, BigInt64Array },
    { codeGeneration: { strings: false } },
  );
}

/** The package itself, loaded into a page. */
function loadNdarray(page: Context): MakeNdarray {
  const source = readFileSync(require.resolve('ndarray'), 'utf8');
  const load = runInContext(`(module, require) => {${source}\n}`, page) as (module: object, load: unknown) => void;
  const module: { exports?: MakeNdarray } = {};
  load(module, createRequire(require.resolve('ndarray')));
  if (module.exports === undefined) throw new Error('ndarray exports nothing');
  return module.exports;
}

function providedPage(): Context {
  const page = strictPage();
  provideNdarrayWithoutEval(runInContext('globalThis', page) as typeof globalThis);
  return page;
}

test('without it, ndarray cannot make a view on a page that refuses code from text', () => {
  expect(() => loadNdarray(strictPage())(new Uint8Array(6), [2, 3])).toThrow(/Code generation from strings disallowed/);
});

test('all other code from text stays refused, with it', () => {
  const page = providedPage();
  for (const text of ['new Function("return 1")', 'Function("a", "return a")', 'eval("1 + 1")', 'new Function()']) {
    expect(() => runInContext(text, page) as unknown, text).toThrow(/Code generation from strings disallowed/);
  }
});

test('functions stay functions, and where text is allowed it goes on to work', () => {
  const scope = { Function };
  provideNdarrayWithoutEval(scope);
  expect(() => undefined).toBeInstanceOf(scope.Function);
  expect(scope.Function.prototype).toBe(Function.prototype);
  expect((new scope.Function('a', 'return a + 1') as (a: number) => number)(1)).toBe(2);
  expect((scope.Function('return 3') as () => number)()).toBe(3);
});

describe('a view is what the package itself makes', () => {
  const ours = loadNdarray(providedPage());

  const shapes = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 0, maxLength: 5 });
  const indices = fc.array(fc.option(fc.integer({ min: 0, max: 3 }), { nil: undefined }), { maxLength: 5 });
  const operations = fc.array(
    fc.oneof(
      fc.record({ name: fc.constant('lo' as const), by: indices }),
      fc.record({ name: fc.constant('hi' as const), by: indices }),
      fc.record({ name: fc.constant('pick' as const), by: indices }),
      fc.record({
        name: fc.constant('step' as const),
        by: fc.array(fc.constantFrom(undefined, 1, 2, -1, -2), { maxLength: 5 }),
      }),
      fc.record({ name: fc.constant('transpose' as const), by: fc.constantFrom([], [1, 0], [2, 0, 1]) }),
    ),
    { maxLength: 3 },
  );

  test('after any operations', () => {
    fc.assert(
      fc.property(shapes, operations, (shape, steps) => {
        const size = shape.reduce((product, length) => product * length, 1);
        const data = Uint8Array.from({ length: size }, (_, at) => at + 1);
        let views: readonly (NdArray | null)[] = [ndarray(data.slice(), shape), ours(data.slice(), shape)];
        for (const { name, by } of steps) {
          const [expected] = views;
          // A transposition of axes that are not there is meaningless in either.
          if (!expected || (name === 'transpose' && by.length > expected.dimension)) continue;
          views = views.map((view) => view && (view[name] as (...to: unknown[]) => NdArray).apply(view, [...by]));
        }
        const [expected, actual] = views.map((view) => view && describeView(view));
        expect(actual).toEqual(expected);
      }),
      { numRuns: 500 },
    );
  });

  test('for writing, by every kind of array', () => {
    for (const data of [new Uint8Array(6), new Float32Array(6), new BigInt64Array(6), new Array<number>(6).fill(0)]) {
      const view = ours(data, [2, 3]);
      const value = data instanceof BigInt64Array ? 7n : 7;
      (view.set as (...to: unknown[]) => void)(1, 2, value);
      expect([view.get(1, 2), data[5], view.data === data]).toEqual([value, value, true]);
    }
  });

  test('of one number', () => {
    expect(describeView(ours(5))).toEqual(describeView(ndarray(5 as never)));
    expect(Number(ours([5], []))).toBe(5);
  });
});

/** All that a view tells of itself, and every value in it. */
function describeView(view: NdArray): unknown {
  const { dtype, dimension, size, offset } = view;
  const values: unknown[] = [];
  const walk = (at: number[]): void => {
    if (at.length === dimension) values.push(view.get(...at), view.index(...at));
    else for (let i = 0; i < (view.shape[at.length] ?? 0); i++) walk([...at, i]);
  };
  if (dimension >= 0) walk([]);
  return {
    dtype,
    dimension,
    size,
    offset,
    shape: [...view.shape],
    stride: [...view.stride],
    order: sorted(view),
    values,
  };
}

/** Axes of equal strides are in no order. */
function sorted({ order, stride }: NdArray): unknown {
  return order.map((axis) => Math.abs(stride[axis] ?? 0));
}
