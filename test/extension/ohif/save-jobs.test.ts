import { describe, expect, test } from 'vitest';
import { createNotices } from '../../../extension/ohif/notices.ts';
import { createCell } from '../../../extension/ohif/observable.ts';
import { createSaveJobs } from '../../../extension/ohif/save-jobs.ts';
import { emptyState } from '../../../extension/ohif/state.ts';
import type { SaveOutcome } from '../../../extension/ohif/store/save-outcome.ts';
import type { SegStore } from '../../../extension/ohif/store/seg-store.ts';
import { EnvironmentError } from '../../../src/index.ts';

const SAVED = {
  status: 'saved',
  seriesInstanceUID: '1.2',
  sopInstanceUID: '1.3',
  editedMeanwhile: false,
  warnings: [],
} as const;

function setUp(store: Partial<SegStore>) {
  const state = createCell(emptyState);
  const nothing = (): never => {
    throw new Error('not asked for');
  };
  const whole: SegStore = {
    canSave: () => ({ ok: true }),
    save: nothing,
    download: nothing,
    describe: nothing,
    state: () => 'unsaved',
    onChange: () => () => undefined,
    ...store,
  };
  const jobs = createSaveJobs({ state, notices: createNotices(state), store: whole });
  return { state, jobs, notices: () => state.get().notices.map(({ severity, code }) => `${severity} ${code}`) };
}

describe('createSaveJobs', () => {
  test.each<[string, SaveOutcome, string[]]>([
    ['a save that was read back is told', SAVED, ['info saved']],
    [
      'an edit during the save is told',
      { ...SAVED, editedMeanwhile: true },
      ['info saved', 'warning edited-meanwhile'],
    ],
    [
      'an unconfirmed object is told with the failure',
      {
        status: 'failed',
        mayBeStored: true,
        error: new EnvironmentError('pacs-refused', 'No.', { remedy: 'Download it.' }),
      },
      ['error pacs-refused', 'warning may-be-stored'],
    ],
    ['a cancelled save is told', { status: 'cancelled', mayBeStored: false }, ['info save-cancelled']],
  ])('%s', async (_, outcome, told) => {
    const { jobs, notices } = setUp({ save: () => Promise.resolve(outcome) });
    await jobs.save('segmentation');
    expect(notices()).toEqual(told);
  });

  test('shows each stage while it lasts, and nothing afterwards', async () => {
    const stages: unknown[] = [];
    const { state, jobs } = setUp({
      save(_, { onProgress } = {}) {
        onProgress?.('sending');
        return Promise.resolve(SAVED);
      },
    });
    state.subscribe(() => stages.push(state.get().save?.stage));
    await jobs.save('segmentation');
    expect([...new Set(stages)]).toEqual(['preparing', 'sending', undefined]);
    expect(state.get().save).toBeUndefined();
  });

  test('one at a time: a second save during a download does nothing', async () => {
    let saves = 0;
    let finish = (): void => undefined;
    const { jobs } = setUp({
      download: () => new Promise<void>((resolve) => (finish = resolve)),
      save: () => {
        saves++;
        return Promise.resolve(SAVED);
      },
    });
    const download = jobs.download('segmentation', 'nifti');
    await jobs.save('segmentation');
    finish();
    await download;
    expect(saves).toBe(0);
  });

  test('a download that is refused says why', async () => {
    const refusal = new EnvironmentError('pacs-unavailable', 'Not so.', { remedy: 'Else.' });
    const { jobs, notices } = setUp({ download: () => Promise.reject(refusal) });
    await jobs.download('segmentation', 'nifti');
    expect(notices()).toEqual(['error pacs-unavailable']);
  });
});
