import type { SegmentationResult } from './segmentation-result.ts';

/** Mean uncertainty of the voxels of each label, from 0 to 1 (entropy / ln classes); empty segments have none. */
export function meanUncertainty({
  labelmap: { voxels },
  uncertainty,
}: Pick<SegmentationResult, 'labelmap' | 'uncertainty'>): Map<number, number> {
  const sums = new Map<number, { count: number; sum: number }>();
  let current = { count: 0, sum: 0 };
  for (let at = 0, label = 0; at < voxels.length; at++) {
    const here = voxels[at] ?? 0;
    if (here === 0) continue;
    if (here !== label) {
      label = here;
      current = sums.get(label) ?? { count: 0, sum: 0 };
      sums.set(label, current);
    }
    current.count++;
    current.sum += uncertainty.voxels[at] ?? 0;
  }
  return new Map([...sums].map(([label, { count, sum }]) => [label, sum / count / 255]));
}
