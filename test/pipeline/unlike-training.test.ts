import { describe, expect, test } from 'vitest';
import { acceptModel } from '../../src/pipeline/segment-slices.ts';
import { unlikeTraining } from '../../src/pipeline/unlike-training.ts';
import { createGeometry } from '../../src/volume/geometry.ts';
import type { Volume } from '../../src/volume/volume.ts';
import { createManifest } from './fake-session.ts';

const abdomenCt = createManifest({ input: { modality: ['CT'], fieldOfView: { low: 300, high: 440 } } });
const headMr = createManifest({ input: { modality: ['MR'], fieldOfView: { low: 200, high: 260 } } });

/** 10 × 10 pixels; a fifth is air. */
function image(kind: 'CT' | 'MR', fieldOfViewMm: number): Volume {
  const air = kind === 'CT' ? -1000 : 0;
  const spacing = fieldOfViewMm / 10;
  return {
    geometry: createGeometry({
      dimensions: [10, 10, 2],
      spacing: [spacing, spacing, 5],
      origin: [0, 0, 0],
      direction: [
        [1, 0, 0],
        [0, 1, 0],
        [0, 0, 1],
      ],
    }),
    voxels: Int16Array.from({ length: 200 }, (_, at) => (at % 5 === 0 ? air : 60)),
  };
}

const codes = (notices: readonly { readonly code: string }[]): string[] => notices.map(({ code }) => code);

describe('unlikeTraining', () => {
  test('what fits is not warned of', () => {
    expect(unlikeTraining(abdomenCt, image('CT', 350))).toEqual([]);
    expect(unlikeTraining(headMr, image('MR', 240))).toEqual([]);
  });

  test('a brain MR without metadata, given to a model of the abdomen on CT, is doubted twice', () => {
    expect(codes(unlikeTraining(abdomenCt, image('MR', 230)))).toEqual(['unlikely-modality', 'unlikely-field-of-view']);
  });

  test('a brain CT is doubted by its field of view', () => {
    expect(codes(unlikeTraining(abdomenCt, image('CT', 240)))).toEqual(['unlikely-field-of-view']);
  });

  test('a CT of the body, given to a model for MR of the head, is doubted twice', () => {
    expect(codes(unlikeTraining(headMr, image('CT', 400)))).toEqual(['unlikely-modality', 'unlikely-field-of-view']);
  });

  test('values are not judged where the image says its modality', () => {
    expect(unlikeTraining(abdomenCt, { ...image('MR', 350), modality: 'CT' })).toEqual([]);
  });

  test('the message has what was measured and what was expected', () => {
    const [notice] = unlikeTraining(headMr, image('MR', 400));
    expect(notice?.message).toContain('400 mm');
    expect(notice?.message).toContain('200 to 260 mm');
  });

  test('a model that names no field of view doubts none', () => {
    expect(unlikeTraining(createManifest({ input: { modality: ['MR'] } }), image('MR', 20))).toEqual([]);
  });

  test('doubts come with the warnings of a run, after what the image does not say', () => {
    expect(codes(acceptModel(headMr, image('CT', 240), false))).toEqual([
      'unknown-modality',
      'unknown-body-part',
      'unlikely-modality',
    ]);
  });
});
