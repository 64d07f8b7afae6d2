import { expect, test } from 'vitest';
import { judgeSegmentations, type SegFigures } from './segmentations.ts';

const figures = (ms: number, extraBytes = 0): SegFigures => ({ ms, extraBytes });
const missed = (medians: Record<string, SegFigures>): string[] =>
  judgeSegmentations(medians)
    .filter(({ holds }) => !holds)
    .map(({ kind, claim }) => `${kind} ${claim}`);

const limits = {
  'encode: slicewise, BINARY': figures(100, 2 * 512 * 512 * 300),
  'encode: adapters + dcmjs, BINARY': figures(1000),
  'encode: highdicom, BINARY': figures(400),
  'decode: slicewise': figures(100),
  'decode: dcmqi (itk-wasm)': figures(400),
  'decode: pydicom + numpy': figures(100),
};

test('holds where every limit is just met', () => {
  expect(missed(limits)).toEqual([]);
});

test('misses each limit that is just passed', () => {
  const slower = {
    'encode: slicewise, BINARY': figures(101, 2 * 512 * 512 * 300 + 1),
    'decode: slicewise': figures(101),
  };
  expect(missed({ ...limits, ...slower })).toEqual([
    'must encode: slicewise, BINARY at least 10 × as fast as adapters + dcmjs, BINARY',
    'must encode: slicewise, BINARY at least 4 × as fast as highdicom, BINARY',
    "must encode: slicewise, BINARY takes at most twice the labelmap's 79 MB beyond it",
    'must decode: slicewise at least 4 × as fast as dcmqi (itk-wasm)',
    'target decode: slicewise at least 1 × as fast as pydicom + numpy',
  ]);
});
