/** Voxels [from, to) along i, j, k. */
export interface Box {
  readonly from: readonly [number, number, number];
  readonly to: readonly [number, number, number];
}

/** Connected components as runs of voxels along i, in the order of memory. Memory: 16 bytes a run, not a voxel. */
export interface Components {
  /** Index of each run's first voxel in the labelmap. */
  readonly starts: Int32Array;
  readonly lengths: Int32Array;
  /** Component of each run. */
  readonly owners: Int32Array;
  readonly label: readonly number[];
  readonly voxelCount: readonly number[];
}

export interface ComponentOptions {
  /** Components of equal labels above 0, or of the background. */
  readonly of: 'segments' | 'background';
  /** Neighbours share a face (6), or a face, an edge or a corner (26). */
  readonly connectivity: 6 | 26;
  /** Voxels outside are left out. Default: the whole grid; a {@link boundingBox} is quicker. */
  readonly box?: Box;
}

type Labels = Uint8Array | Uint16Array;
type Dimensions = readonly [number, number, number];

/** Finds the connected components of a labelmap, numbered in the order of their first voxels: two passes over runs with
 * union-find, so that neither the count nor the shape of the components matters. */
export function findComponents(
  voxels: Labels,
  dimensions: Dimensions,
  { of, connectivity, box = { from: [0, 0, 0], to: dimensions } }: ComponentOptions,
): Components {
  const runs = findRuns(voxels, dimensions, box, of === 'background');
  const parents = Int32Array.from({ length: runs.count }, (_, run) => run);
  const reach = connectivity === 26 ? 1 : 0;
  const [columns, rows] = dimensions;
  const [boxRows, boxSlices] = [box.to[1] - box.from[1], box.to[2] - box.from[2]];
  for (let k = 0, row = 0; k < boxSlices; k++) {
    for (let j = 0; j < boxRows; j++, row++) {
      if (j > 0) joinRows(voxels, runs, parents, row, row - 1, columns, reach);
      for (let dj = -reach; k > 0 && dj <= reach; dj++) {
        const isInBox = j + dj >= 0 && j + dj < boxRows;
        if (isInBox) joinRows(voxels, runs, parents, row, row - boxRows + dj, (rows - dj) * columns, reach);
      }
    }
  }
  return collectComponents(voxels, runs, parents);
}

/** The smallest box around all labels above 0; undefined where there is none. */
export function boundingBox(voxels: Labels, dimensions: Dimensions): Box | undefined {
  const [columns, rows, slices] = dimensions;
  const isBlank = createBlankTest(voxels);
  const from: [number, number, number] = [columns, rows, slices];
  const to: [number, number, number] = [0, 0, 0];
  for (let k = 0, start = 0; k < slices; k++) {
    for (let j = 0; j < rows; j++, start += columns) {
      if (isBlank(start, start + columns)) continue;
      let first = 0;
      while (voxels[start + first] === 0) first++;
      let last = columns - 1;
      while (voxels[start + last] === 0) last--;
      from[0] = Math.min(from[0], first);
      to[0] = Math.max(to[0], last + 1);
      from[1] = Math.min(from[1], j);
      to[1] = Math.max(to[1], j + 1);
      from[2] = Math.min(from[2], k);
      to[2] = k + 1;
    }
  }
  return to[2] === 0 ? undefined : { from, to };
}

/** Whether voxels [from, to) are all 0: four bytes at a time, since most of a labelmap is. */
function createBlankTest(voxels: Labels): (from: number, to: number) => boolean {
  const perWord = 4 / voxels.BYTES_PER_ELEMENT;
  const isAligned = voxels.byteOffset % 4 === 0;
  const words = new Int32Array(
    voxels.buffer,
    isAligned ? voxels.byteOffset : 0,
    isAligned ? Math.floor(voxels.byteLength / 4) : 0,
  );
  return (from, to) => {
    let at = from;
    if (isAligned) {
      while (at < to && at % perWord !== 0) if (voxels[at++] !== 0) return false;
      for (const last = to - perWord; at <= last; at += perWord) if (words[at / perWord] !== 0) return false;
    }
    while (at < to) if (voxels[at++] !== 0) return false;
    return true;
  };
}

interface Runs {
  starts: Int32Array;
  lengths: Int32Array;
  count: number;
  /** First run of each row of the box, and the count of all as a last entry. */
  readonly rowStarts: Int32Array;
}

function findRuns(voxels: Labels, [columns, rows]: Dimensions, { from, to }: Box, background: boolean): Runs {
  const rowCount = (to[1] - from[1]) * (to[2] - from[2]);
  const runs: Runs = {
    starts: new Int32Array(1024),
    lengths: new Int32Array(1024),
    count: 0,
    rowStarts: new Int32Array(rowCount + 1),
  };
  for (let k = from[2], row = 0; k < to[2]; k++) {
    for (let j = from[1]; j < to[1]; j++, row++) {
      runs.rowStarts[row] = runs.count;
      const start = (k * rows + j) * columns;
      const end = start + to[0];
      for (let at = start + from[0]; at < end;) {
        const label = voxels[at] ?? 0;
        const first = at;
        do at++;
        while (at < end && voxels[at] === label);
        if ((label === 0) === background) addRun(runs, first, at - first);
      }
    }
  }
  runs.rowStarts[rowCount] = runs.count;
  return runs;
}

function addRun(runs: Runs, start: number, length: number): void {
  if (runs.count === runs.starts.length) {
    runs.starts = grown(runs.starts);
    runs.lengths = grown(runs.lengths);
  }
  runs.starts[runs.count] = start;
  runs.lengths[runs.count++] = length;
}

function grown(array: Int32Array): Int32Array {
  const larger = new Int32Array(array.length * 2);
  larger.set(array);
  return larger;
}

/** Joins the runs of two rows that have the same label and touch; `distance` is from the other row to this in voxels. */
function joinRows(
  voxels: Labels,
  { starts, lengths, rowStarts }: Runs,
  parents: Int32Array,
  row: number,
  other: number,
  distance: number,
  reach: 0 | 1,
): void {
  const stopOf = (run: number): number => (starts[run] ?? 0) + (lengths[run] ?? 0);
  const joinIfTouching = (a: number, b: number): void => {
    const [startA, startB] = [starts[a] ?? 0, (starts[b] ?? 0) + distance];
    const touch = startA < stopOf(b) + distance + reach && startB < stopOf(a) + reach;
    if (touch && voxels[startA] === voxels[startB - distance]) join(parents, a, b);
  };
  const [endA, endB] = [rowStarts[row + 1] ?? 0, rowStarts[other + 1] ?? 0];
  for (let a = rowStarts[row] ?? 0, b = rowStarts[other] ?? 0; a < endA && b < endB;) {
    joinIfTouching(a, b);
    const ahead = stopOf(a) - stopOf(b) - distance;
    // Runs that end together may each touch the other's successor by a corner.
    if (ahead === 0 && a + 1 < endA) joinIfTouching(a + 1, b);
    if (ahead < 0) a++;
    else b++;
  }
}

/** The smaller run becomes the parent, so that a parent always comes before its children. */
function join(parents: Int32Array, a: number, b: number): void {
  const [rootA, rootB] = [rootOf(parents, a), rootOf(parents, b)];
  parents[Math.max(rootA, rootB)] = Math.min(rootA, rootB);
}

function rootOf(parents: Int32Array, run: number): number {
  let at = run;
  for (;;) {
    const parent = parents[at] ?? at;
    if (parent === at) return at;
    parents[at] = parents[parent] ?? parent;
    at = parent;
  }
}

function collectComponents(voxels: Labels, { starts, lengths, count }: Runs, parents: Int32Array): Components {
  const label: number[] = [];
  const voxelCount: number[] = [];
  const owners = parents;
  for (let run = 0; run < count; run++) {
    const parent = parents[run] ?? run;
    // Parents come first and have their component's number in place of their own already.
    const owner = parent === run ? label.push(voxels[starts[run] ?? 0] ?? 0) - 1 : (owners[parent] ?? 0);
    owners[run] = owner;
    voxelCount[owner] = (voxelCount[owner] ?? 0) + (lengths[run] ?? 0);
  }
  return { starts: starts.subarray(0, count), lengths: lengths.subarray(0, count), owners, label, voxelCount };
}
