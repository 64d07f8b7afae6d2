import { describe, expect, it } from 'vitest';
import { createShortAxisHeart } from '../../sample-data/short-axis-heart.ts';
import { evaluateOverlap } from '../../src/evaluate/overlap.ts';
import { loadModel } from '../../src/models/load-model.ts';
import { openModelFolder } from '../../src/node/model-folders.ts';
import { createNodeBackend } from '../../src/node/ort-threads.ts';
import { segmentVolume } from '../../src/pipeline/segment-volume.ts';

// The sample is never used for training. 0.8 is what a heart it has never seen must reach.
describe('cardiac-mr on the synthetic heart', () => {
  it('reaches a Dice of 0.8 for each segment, at end-diastole and end-systole', { timeout: 240_000 }, async () => {
    const { geometry, phases, endSystole } = createShortAxisHeart();
    const session = await createNodeBackend().openSession(await loadModel(await openModelFolder('cardiac-mr')));
    try {
      for (const phase of [0, endSystole]) {
        const moment = phases[phase];
        if (moment === undefined) throw new RangeError(`there is no phase ${phase}`);
        const volume = { geometry, voxels: moment.voxels, modality: 'MR', bodyPartExamined: 'HEART' };
        const { labelmap } = await segmentVolume(volume, { session, softwareVersion: 'test' });
        const truth = { geometry, voxels: moment.labels, segments: labelmap.segments };
        for (const { name, dice } of evaluateOverlap(labelmap, truth).labels) {
          expect.soft(dice, `${name ?? ''} in phase ${phase}`).toBeGreaterThan(0.8);
        }
      }
    } finally {
      await session.dispose();
    }
  });
});
