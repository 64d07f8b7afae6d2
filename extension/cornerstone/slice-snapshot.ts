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
      for (let run = 0, at = 0; run < values.length; run++) {
        const value = values[run];
        for (const end = ends[run] ?? 0; at < end; at++) if (labels[at] !== value) return false;
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
  for (let at = 0; at < labels.length;) {
    const value = labels[at] ?? 0;
    do at++;
    while (at < labels.length && labels[at] === value);
    if (values.push(value) > limit) return undefined;
    ends.push(at);
  }
  return { labels: Uint8Array.from(values), ends: Uint32Array.from(ends) };
}
