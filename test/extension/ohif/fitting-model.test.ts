import { expect, test } from 'vitest';
import { proposeModel } from '../../../extension/ohif/fitting-model.ts';
import { createManifest } from '../../pipeline/fake-session.ts';
import { series } from './panel/render-panel.ts';

const modelFor = (id: string, modality: string) => {
  const manifest = createManifest();
  return {
    folderUrl: `/models/${id}/`,
    manifest: { ...manifest, id, input: { ...manifest.input, modality: [modality] } },
  };
};
const models = [modelFor('abdomen', 'CT'), modelFor('heart', 'MR'), modelFor('brain', 'MR')];
const proposed = (...[from, shown, chosen]: Parameters<typeof proposeModel>) =>
  proposeModel(from, shown, chosen)?.manifest.id;

test('the first model that is for the series is proposed', () => {
  expect(proposed(models, series, undefined)).toBe('heart');
});

test('a chosen model that is for the series stays', () => {
  expect(proposed(models, series, 'brain')).toBe('brain');
});

test('a chosen model that is not for the next series gives way to one that is', () => {
  expect(proposed(models, series, 'abdomen')).toBe('heart');
});

test('where no model is for the series, or no series is shown, the choice stays', () => {
  expect(proposed(models.slice(0, 1), series, undefined)).toBe('abdomen');
  expect(proposed(models, undefined, 'brain')).toBe('brain');
  expect(proposed([], series, undefined)).toBeUndefined();
});
