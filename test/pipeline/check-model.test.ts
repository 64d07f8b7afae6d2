import { describe, expect, test } from 'vitest';
import { bodyRegions } from '../../src/pipeline/unlike-training.ts';
import { checkModel } from '../../src/pipeline/segment-slices.ts';
import type { Volume } from '../../src/volume/volume.ts';
import { createManifest } from './fake-session.ts';

function check(series: Pick<Volume, 'modality' | 'bodyPartExamined'>, bodyPart = ['HEART']) {
  const { mismatches, unknowns } = checkModel(createManifest({ input: { bodyPart } }), series);
  return { mismatches: mismatches.length, unknowns: unknowns.map((notice) => notice.code) };
}

const FITS = { mismatches: 0, unknowns: [] };
const EXCLUDED = { mismatches: 1, unknowns: [] };

describe('checkModel', () => {
  test.each([
    'HEART',
    'CHEST',
    'THORAX',
    'CORONARYARTERY',
    'LUNG',
    'CHESTABDOMEN',
    'NECKCHESTABDPELV',
    'AORTA',
    'Chest ',
  ])('a model of the heart accepts %s', (bodyPartExamined) => {
    expect(check({ modality: 'MR', bodyPartExamined })).toEqual(FITS);
  });

  test.each(['ABDOMEN', 'BRAIN', 'HEAD', 'KNEE', 'PELVIS', 'LIVER', 'HAND', 'HEADNECK', 'LSPINE', 'ABDOMENPELVIS'])(
    'a model of the heart is excluded by %s',
    (bodyPartExamined) => {
      expect(check({ modality: 'MR', bodyPartExamined })).toEqual(EXCLUDED);
    },
  );

  test.each(['WHOLEBODY', 'PARTIALBODY', 'EXTREMITY', 'CARDIO PROTOCOL 3', ''])(
    '"%s" says nothing of the place',
    (bodyPartExamined) => {
      expect(check({ modality: 'MR', bodyPartExamined })).toEqual({ mismatches: 0, unknowns: ['unknown-body-part'] });
    },
  );

  test('a NIfTI file says nothing of itself', () => {
    expect(check({})).toEqual({ mismatches: 0, unknowns: ['unknown-modality', 'unknown-body-part'] });
  });

  test('another modality and another body part are two mismatches', () => {
    expect(check({ modality: 'CT', bodyPartExamined: 'KNEE' })).toEqual({ mismatches: 2, unknowns: [] });
  });

  test('a model of several regions accepts an image of any of them', () => {
    expect(check({ modality: 'MR', bodyPartExamined: 'PELVIS' }, ['ABDOMEN', 'PROSTATE'])).toEqual(FITS);
  });

  test('a model of an unmapped region excludes nothing', () => {
    const { mismatches, unknowns } = check({ modality: 'MR', bodyPartExamined: 'KNEE' }, ['TUMOUR']);
    expect([mismatches, unknowns]).toEqual([0, ['unknown-body-part']]);
  });
});

describe('bodyRegions', () => {
  test('one unknown term among known ones leaves the place open', () => {
    expect(bodyRegions(['CHEST', 'SOMETHING'])).toEqual(new Set());
    expect(bodyRegions(['CHEST', 'ABDOMEN'])).toEqual(new Set(['chest', 'abdomen']));
  });

  test('case, blanks and punctuation do not count', () => {
    expect(bodyRegions(['head_neck'])).toEqual(bodyRegions(['HEADNECK']));
  });
});
