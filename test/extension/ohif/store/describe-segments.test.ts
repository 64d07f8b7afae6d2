import { describe, expect, test } from 'vitest';
import { describeSegments, namesOf } from '../../../../extension/ohif/store/describe-segments.ts';
import { codesOfName } from '../../../../extension/ohif/store/structure-codes.ts';
import type { Segment } from '../../../../src/labelmap/labelmap.ts';
import { testSegments } from '../../../support/labelled-series.ts';

const [kidney] = testSegments(1);
if (kidney === undefined) throw new Error('no segment');
const nothing = { listed: [], labels: [], known: [], edited: new Set<number>() };

describe('a known segment', () => {
  test('keeps all that is known of it but its name', () => {
    const listed = [{ segmentNumber: 1, label: 'Nephros', colour: [1, 2, 3] as const }];
    expect(describeSegments({ ...nothing, listed, known: [kidney] })).toEqual([{ ...kidney, segmentLabel: 'Nephros' }]);
  });

  test('of another program that names no algorithm gets "Unknown", which a file must not lack', () => {
    const { algorithmName, ...nameless } = kidney;
    expect(algorithmName).toBeDefined();
    const [described] = describeSegments({ ...nothing, listed: [{ segmentNumber: 1, label: '' }], known: [nameless] });
    expect(described).toEqual({ ...nameless, algorithmName: 'Unknown' });
  });

  test('that OHIF coded as "Tissue" gets the code that its name says, else the current code for tissue', () => {
    const ohif = { codeValue: 'T-D0050', codingSchemeDesignator: 'SRT', codeMeaning: 'Tissue' };
    const drawn: Segment = { ...kidney, segmentedPropertyCategory: ohif, segmentedPropertyType: ohif };
    const named = (label: string): unknown =>
      describeSegments({ ...nothing, listed: [{ segmentNumber: 1, label }], known: [drawn] })[0]?.segmentedPropertyType;
    expect(named('Spleen')).toMatchObject({ codeValue: '78961009', codingSchemeDesignator: 'SCT' });
    expect(named('Segment 1')).toMatchObject({ codeValue: '85756007', codingSchemeDesignator: 'SCT' });
  });

  test('that was drawn by hand stays drawn by hand when it is edited', () => {
    const drawn: Segment = { ...kidney, algorithmType: 'MANUAL' };
    const [described] = describeSegments({ ...nothing, labels: [1], known: [drawn], edited: new Set([1]) });
    expect(described?.algorithmType).toBe('MANUAL');
  });

  test('that the viewer no longer lists, and that has no voxels, is gone', () => {
    expect(describeSegments({ ...nothing, known: [kidney] })).toEqual([]);
  });
});

test('segments are in the order of their numbers, listed or not', () => {
  const listed = [7, 2].map((segmentNumber) => ({ segmentNumber, label: `s${String(segmentNumber)}` }));
  const described = describeSegments({ ...nothing, listed, labels: [3, 7] });
  expect(described.map(({ segmentNumber, segmentLabel }) => [segmentNumber, segmentLabel])).toEqual([
    [2, 's2'],
    [3, 'Segment 3'],
    [7, 's7'],
  ]);
  expect(new Set(described.map(({ trackingUID }) => trackingUID)).size).toBe(3);
});

test.each([
  ['Liver', '10200004', undefined],
  ['left kidney', '64033007', '7771000'],
  ['Kidney (right)', '64033007', '24028007'],
  ['Kidney', '64033007', undefined],
  ['Right ventricle', '53085002', undefined],
  ['Left ventricular myocardium', '74281007', undefined],
  ['the inferior vena cava', '64131007', undefined],
  ['Lesion', '52988006', undefined],
  // Neither is what a part of its name says.
  ['liver lesion', '85756007', undefined],
  ['left liver', '85756007', undefined],
  ['kidney cyst', '85756007', undefined],
  ['Segment 1', '85756007', undefined],
  ['', '85756007', undefined],
])('"%s" is coded as %s', (name, code, modifier) => {
  const { segmentedPropertyType, segmentedPropertyTypeModifier } = codesOfName(name);
  expect([segmentedPropertyType.codeValue, segmentedPropertyTypeModifier?.codeValue]).toEqual([code, modifier]);
});

test('names are the same as long as no name and no number is another', () => {
  const listed = [{ segmentNumber: 1, label: 'a', colour: [1, 2, 3] as const }];
  expect(namesOf('x', listed)).toBe(namesOf('x', [{ segmentNumber: 1, label: 'a' }]));
  expect(namesOf('x', listed)).not.toBe(namesOf('y', listed));
  expect(namesOf('x', listed)).not.toBe(namesOf('x', [{ segmentNumber: 2, label: 'a' }]));
});
