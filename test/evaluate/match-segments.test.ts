import { describe, expect, test } from 'vitest';
import { evaluateLabelmaps, matchSegments } from '../../src/evaluate/evaluation.ts';
import type { Segment } from '../../src/labelmap/labelmap.ts';
import { testLabelmap, testSegments } from '../support/labelled-series.ts';

const KIDNEY = '64033007';
const LEFT = '7771000';
const RIGHT = '24028007';
const UNSPECIFIC = '85756007';

/** A segment by number, label, type and laterality. */
function segment(segmentNumber: number, segmentLabel: string, type: string, side?: string): Segment {
  const [usual] = testSegments(1);
  if (usual === undefined) throw new RangeError('no segment');
  const { segmentedPropertyTypeModifier, ...rest } = usual;
  const code = (codeValue: string) => ({ codeValue, codingSchemeDesignator: 'SCT', codeMeaning: codeValue });
  return {
    ...rest,
    segmentNumber,
    segmentLabel,
    segmentedPropertyType: code(type),
    ...(side !== undefined && { segmentedPropertyTypeModifier: code(side) }),
  };
}

describe('segments are matched', () => {
  test.each<[string, Segment[], Segment[], number[], boolean]>([
    [
      'by type and laterality',
      [segment(1, 'a', KIDNEY, LEFT), segment(2, 'b', KIDNEY, RIGHT)],
      [segment(1, 'x', KIDNEY, RIGHT), segment(2, 'y', KIDNEY, LEFT)],
      [2, 1],
      true,
    ],
    [
      'by label among those of one type',
      [segment(1, 'Lesion B', '108369006'), segment(2, 'Lesion A', '108369006')],
      [segment(1, 'lesion_a', '108369006'), segment(2, 'lesion_b', '108369006')],
      [2, 1],
      true,
    ],
    [
      'by number among those of one type and no common label',
      [segment(1, 'p', '108369006'), segment(2, 'q', '108369006')],
      [segment(1, 'r', '108369006'), segment(2, 's', '108369006')],
      [1, 2],
      false,
    ],
    [
      'by label where one has no code',
      [segment(1, 'Liver', UNSPECIFIC)],
      [segment(4, 'liver', '10200004')],
      [4],
      false,
    ],
    [
      'by number where neither says what it is',
      [segment(1, 'p', UNSPECIFIC)],
      [segment(1, 'q', UNSPECIFIC)],
      [1],
      false,
    ],
    [
      'never with the other side, whatever the label',
      [segment(1, 'Kidney', KIDNEY, LEFT)],
      [segment(1, 'Kidney', KIDNEY, RIGHT)],
      [2],
      true,
    ],
    [
      'never by number where codes differ',
      [segment(1, 'Liver', '10200004')],
      [segment(1, 'Spleen', '78961009')],
      [2],
      true,
    ],
  ])('%s', (_, ours, theirs, numbers, isTold) => {
    const prediction = testLabelmap(
      ours.map(({ segmentNumber }) => segmentNumber),
      { segments: ours },
    );
    const { labelmap, notices } = matchSegments(prediction, testLabelmap([0], { segments: theirs }));
    expect(labelmap.segments.map(({ segmentNumber }) => segmentNumber)).toEqual(numbers);
    expect([...labelmap.voxels.subarray(0, ours.length)]).toEqual(numbers);
    expect(notices.map(({ code }) => code)).toEqual(isTold ? ['segments-matched-by-code'] : []);
    expect(matchSegments(labelmap, testLabelmap([0], { segments: theirs })).labelmap).toEqual(labelmap);
  });

  test('not at all where one labelmap has bare numbers', () => {
    const prediction = testLabelmap([1, 2], { segments: [segment(1, 'Liver', '10200004')] });
    expect(matchSegments(prediction, testLabelmap([1], { segments: [] }))).toEqual({
      labelmap: prediction,
      notices: [],
    });
  });

  test('so that exchanged numbers of the same voxels evaluate as equal', () => {
    const ours = [segment(1, 'a', KIDNEY, LEFT), segment(2, 'b', KIDNEY, RIGHT)];
    const theirs = [segment(1, 'b', KIDNEY, RIGHT), segment(2, 'a', KIDNEY, LEFT)];
    const { labels, meanDice } = evaluateLabelmaps(
      testLabelmap([1, 1, 0, 2], { segments: ours }),
      testLabelmap([2, 2, 0, 1], { segments: theirs }),
    );
    expect(meanDice).toBe(1);
    expect(labels.map(({ label, name }) => [label, name])).toEqual([
      [1, 'b'],
      [2, 'a'],
    ]);
  });
});
