/** The labels of one slice at one moment, packed: labels come in runs. Never larger than the slice itself. */
export interface SliceSnapshot {
  readonly byteLength: number;
  matches(labels: Uint8Array): boolean;
  copyTo(labels: Uint8Array): void;
}

export function takeSnapshot(labels: Uint8Array): SliceSnapshot {
  const runs = packRuns(labels);
  return runs === undefined ? plainSnapshot(labels.slice()) : runSnapshot(runs);
}

/** A slice without labels. */
export function blankSnapshot(length: number): SliceSnapshot {
  return runSnapshot({ labels: Uint8Array.of(0), ends: Uint32Array.of(length) });
}

/** Run n holds label `labels[n]` up to, not including, voxel `ends[n]`. */
interface Runs {
  readonly labels: Uint8Array;
  readonly ends: Uint32Array;
}

function runSnapshot({ labels: values, ends }: Runs): SliceSnapshot {
  return {
    byteLength: values.byteLength + ends.byteLength,
    matches(labels) {
      if (labels.length !== ends.at(-1)) return false;
      const isUniform = createRunTest(labels);
      for (let run = 0, from = 0; run < values.length; run++) {
        const end = ends[run] ?? 0;
        if (!isUniform(values[run] ?? 0, from, end)) return false;
        from = end;
      }
      return true;
    },
    copyTo(labels) {
      for (let run = 0, from = 0; run < values.length; run++) {
        const end = ends[run] ?? 0;
        labels.fill(values[run] ?? 0, from, end);
        from = end;
      }
    },
  };
}

function plainSnapshot(copy: Uint8Array): SliceSnapshot {
  return {
    byteLength: copy.byteLength,
    matches: (labels) => labels.length === copy.length && copy.every((label, at) => labels[at] === label),
    copyTo(labels) {
      labels.set(copy);
    },
  };
}

/** @returns undefined where runs would take more memory than the labels do */
function packRuns(labels: Uint8Array): Runs | undefined {
  const limit = Math.floor(labels.length / 5);
  const [values, ends]: [number[], number[]] = [[], []];
  const isUniform = createRunTest(labels);
  for (let at = 0; at < labels.length;) {
    const value = labels[at] ?? 0;
    // Most of a slice is one long run: a step of 64 at a time is four times as fast as one voxel at a time.
    while (at + STEP <= labels.length && isUniform(value, at, at + STEP)) at += STEP;
    while (at < labels.length && labels[at] === value) at++;
    if (values.push(value) > limit) return undefined;
    ends.push(at);
  }
  return { labels: Uint8Array.from(values), ends: Uint32Array.from(ends) };
}

const STEP = 64;

/** Whether voxels [from, to) all have one label: four at a time where memory is aligned. */
function createRunTest(labels: Uint8Array): (label: number, from: number, to: number) => boolean {
  const isAligned = labels.byteOffset % 4 === 0;
  const words = isAligned ? new Uint32Array(labels.buffer, labels.byteOffset, labels.length >> 2) : undefined;
  return (label, from, to) => {
    let at = from;
    if (words !== undefined) {
      const word = (label * 0x01010101) >>> 0;
      while (at < to && at % 4 !== 0) if (labels[at++] !== label) return false;
      for (; at + 4 <= to; at += 4) if (words[at >> 2] !== word) return false;
    }
    while (at < to) if (labels[at++] !== label) return false;
    return true;
  };
}
