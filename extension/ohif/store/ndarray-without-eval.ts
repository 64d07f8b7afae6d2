/** Lets OHIF open stored segmentations under a Content-Security-Policy without 'unsafe-eval': its adapters hold frames
 * in views of the package ndarray 1.1, which makes a class of views from text, by `new Function`. From then on that very
 * text gives a class that is written here; everything else goes to the browser's own `Function`. */
export function provideNdarrayWithoutEval(scope: { Function: FunctionConstructor } = globalThis): void {
  const own = scope.Function;
  scope.Function = new Proxy(own, {
    construct: (target, args: string[], newTarget) =>
      viewFactory(args) ?? (Reflect.construct(target, args, newTarget) as object),
    apply: (target, thisArgument, args: string[]) =>
      viewFactory(args) ?? (Reflect.apply(target, thisArgument, args) as object),
  });
}

/** How ndarray names its constructors: of how many dimensions, of which arrays ("generic" are none). */
const CONSTRUCTOR = /return function construct_View(?:_Nil|(\d+)d)(?!generic)([a-z0-9_]+)\(/;

/** What ndarray's text would return; undefined for any other text. */
function viewFactory(args: readonly string[]): object | undefined {
  const found = CONSTRUCTOR.exec(args.at(-1) ?? '');
  if (found === null) return undefined;
  const [, dimension, dtype = ''] = found;
  if (dimension === undefined) return () => (data: Data) => new NilView(data, dtype);
  return (constructors: Constructor | readonly Constructor[]) => {
    const pickInto = (data: Data, shape: number[], stride: number[], offset: number): object | undefined =>
      typeof constructors === 'function'
        ? constructors(data)
        : constructors[shape.length + 1]?.(data, shape, stride, offset);
    return (data: Data, shape: readonly number[] = [], stride: readonly number[] = [], offset = 0) =>
      new View({
        data,
        dtype,
        dimension: Number(dimension),
        shape: [...shape],
        stride: [...stride],
        offset: offset | 0,
        pickInto,
      });
  };
}

type Data = Record<number, unknown>;
type Index = number | undefined;
type Constructor = (data: Data, shape?: number[], stride?: number[], offset?: number) => object;

interface Layout {
  readonly data: Data;
  readonly dtype: string;
  readonly dimension: number;
  readonly shape: number[];
  readonly stride: number[];
  readonly offset: number;
  readonly pickInto: (data: Data, shape: number[], stride: number[], offset: number) => object | undefined;
}

/** A strided view of an array, as ndarray's are. */
class View {
  readonly data: Data;
  readonly dtype: string;
  readonly dimension: number;
  shape: number[];
  stride: number[];
  offset: number;
  readonly #layout: Layout;

  constructor(layout: Layout) {
    this.#layout = layout;
    ({ data: this.data, dtype: this.dtype, dimension: this.dimension } = layout);
    ({ shape: this.shape, stride: this.stride, offset: this.offset } = layout);
  }

  get size(): number {
    return this.shape.reduce((product, length) => product * length, 1);
  }

  /** Axes by the size of their strides. */
  get order(): number[] {
    return [...this.stride.keys()].sort((a, b) => Math.abs(this.stride[a] ?? 0) - Math.abs(this.stride[b] ?? 0));
  }

  index(...at: number[]): number {
    let index = this.offset;
    for (let axis = 0; axis < this.dimension; axis++) index += (this.stride[axis] ?? 0) * (at[axis] ?? 0);
    return index;
  }

  get(...at: number[]): unknown {
    return this.data[this.index(...at)];
  }

  set(...at: [...number[], unknown]): unknown {
    const value = at[this.dimension];
    return (this.data[this.index(...(at as number[]))] = value);
  }

  valueOf(): unknown {
    return this.dimension === 0 ? this.get() : this;
  }

  /** The part before the given indices. */
  hi(...to: Index[]): View {
    const shape = this.shape.map((length, axis) => (isIndex(to[axis]) ? to[axis] | 0 : length));
    return new View({ ...this.#current(), shape });
  }

  /** The part from the given indices on. */
  lo(...from: Index[]): View {
    const skipped = this.shape.map((_, axis) => (isIndex(from[axis]) ? from[axis] | 0 : 0));
    return new View({
      ...this.#current(),
      shape: this.shape.map((length, axis) => length - (skipped[axis] ?? 0)),
      offset: this.index(...skipped),
    });
  }

  /** Every nth along each axis; backwards from its end where n is negative. */
  step(...steps: Index[]): View {
    let { offset } = this;
    const [shape, stride] = [[...this.shape], [...this.stride]];
    for (let axis = 0; axis < this.dimension; axis++) {
      const given = steps[axis];
      if (typeof given !== 'number') continue;
      const step = given | 0;
      const [length = 0, each = 0] = [shape[axis], stride[axis]];
      if (step < 0) offset += each * (length - 1);
      shape[axis] = Math.ceil(length / Math.abs(step));
      stride[axis] = each * step;
    }
    return new View({ ...this.#current(), shape, stride, offset });
  }

  transpose(...axes: Index[]): View {
    const from = this.shape.map((_, axis) => (axes[axis] ?? axis) | 0);
    return new View({
      ...this.#current(),
      shape: from.map((axis) => this.shape[axis] ?? 0),
      stride: from.map((axis) => this.stride[axis] ?? 0),
    });
  }

  /** The view of fewer dimensions at the given indices. */
  pick(...at: Index[]): object | undefined {
    const kept = [...this.shape.keys()].filter((axis) => !isIndex(at[axis]));
    const offset = this.index(...this.shape.map((_, axis) => (isIndex(at[axis]) ? at[axis] : 0)));
    return this.#layout.pickInto(
      this.data,
      kept.map((axis) => this.shape[axis] ?? 0),
      kept.map((axis) => this.stride[axis] ?? 0),
      offset,
    );
  }

  #current(): Layout {
    return { ...this.#layout, shape: [...this.shape], stride: [...this.stride], offset: this.offset };
  }
}

/** A view of nothing. */
class NilView {
  readonly size = 0;
  readonly dimension = -1;
  readonly shape: number[] = [];
  readonly stride: number[] = [];
  readonly order: number[] = [];
  readonly data: Data;
  readonly dtype: string;

  constructor(data: Data, dtype: string) {
    this.data = data;
    this.dtype = dtype;
  }

  index(): number {
    return -1;
  }
  get(): undefined {
    return undefined;
  }
  set(): undefined {
    return undefined;
  }
  pick(): null {
    return null;
  }
  lo(): NilView {
    return new NilView(this.data, this.dtype);
  }
  hi(): NilView {
    return this.lo();
  }
  step(): NilView {
    return this.lo();
  }
  transpose(): NilView {
    return this.lo();
  }
}

function isIndex(value: Index): value is number {
  return typeof value === 'number' && value >= 0;
}
