import { ModelError } from '../errors.ts';
import type { ModelManifest } from '../models/manifest.ts';
import type { Notice, Volume } from '../volume/volume.ts';
import { bodyRegions } from './body-regions.ts';
import { unlikeTraining } from './unlike-training.ts';

/** What speaks against a model for a volume. */
export interface ModelCheck {
  /** Known contradictions, each a sentence. */
  readonly mismatches: readonly string[];
  /** What the volume does not say. */
  readonly unknowns: readonly Notice[];
}

/** Compares what a model is for with what a volume says of itself: modality, body part. */
export function checkModel(
  { input }: ModelManifest,
  { modality, bodyPartExamined }: Pick<Volume, 'modality' | 'bodyPartExamined'>,
): ModelCheck {
  const mismatches: string[] = [];
  const unknowns: Notice[] = [];

  const expected = input.modality.join(' or ');
  if (!modality) {
    const message = `The image does not say its modality; the model is for ${expected}.`;
    unknowns.push({ code: 'unknown-modality', message });
  } else if (!input.modality.includes(modality)) {
    mismatches.push(`the image's modality is ${modality}, the model's ${expected}`);
  }

  const region = input.bodyPart.join(' or ');
  const covered = bodyRegions(input.bodyPart);
  const shown = bodyRegions(bodyPartExamined ? [bodyPartExamined] : []);
  if (covered.size === 0 || shown.size === 0) {
    const said = bodyPartExamined
      ? `calls its body part "${bodyPartExamined}"`
      : 'does not say what body part it shows';
    const message = `The image ${said}; the model is for ${region}.`;
    unknowns.push({ code: 'unknown-body-part', message });
  } else if (![...covered].some((region) => shown.has(region))) {
    mismatches.push(`the image shows ${String(bodyPartExamined)}, the model is for ${region}`);
  }
  return { mismatches, unknowns };
}

/** What to warn of where a model may be run on a volume.
 * @param force run it in spite of contradictions: they become warnings
 * @throws ModelError `model-mismatch` */
export function acceptModel(manifest: ModelManifest, volume: Volume, force: boolean): Notice[] {
  const { mismatches, unknowns } = checkModel(manifest, volume);
  const doubts = [...unknowns, ...unlikeTraining(manifest, volume)];
  if (mismatches.length === 0) return doubts;
  const message = `The model ${manifest.id} is not for this image: ${mismatches.join('; ')}.`;
  if (force) return [{ code: 'model-mismatch', message }, ...doubts];
  throw new ModelError('model-mismatch', message, {
    remedy: 'Choose a model for this image; if the image describes itself wrongly, go on in spite of that.',
    details: { option: 'force', mismatches },
  });
}
