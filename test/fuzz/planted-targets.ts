import type { FuzzTarget, OpenTarget } from './target.ts';

// Faults on purpose, by which a test knows that the tool finds them. Not among the targets of a run.

function planted(name: string, run: OpenTarget['run']): FuzzTarget {
  return {
    name,
    share: 1,
    open: () =>
      Promise.resolve({
        make: (random) => ({ name, bytes: Uint8Array.of(Math.floor(random() * 100)) }),
        run,
      }),
  };
}

const kept: Uint8Array[] = [];

export const plantedTargets: readonly FuzzTarget[] = [
  planted('planted-error', ({ bytes }) => {
    if (bytes[0] === 7) throw new TypeError('a planted fault');
  }),
  planted('planted-hang', ({ bytes }) => {
    while (bytes[0] === 7);
  }),
  planted('planted-memory', ({ bytes }) => {
    if (bytes[0] === 7 && kept.length < 40) kept.push(new Uint8Array(2 ** 25).fill(1), new Uint8Array(2 ** 30).fill(1));
  }),
  planted('planted-end', ({ bytes }) => {
    if (bytes[0] === 7) process.abort();
  }),
];
