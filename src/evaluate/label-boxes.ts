import type { Labelmap } from '../labelmap/labelmap.ts';
import type { VoxelBox } from './surface-cells.ts';

/** The smallest box around each label of some labelmaps on one grid; background has none. */
export function labelBoxes(labelmaps: readonly Labelmap[]): Map<number, VoxelBox> {
  const extents = new Map<number, Extent>();
  for (const labelmap of labelmaps) extendBy(extents, labelmap);
  return new Map(
    [...extents].map(([label, { first, last }]) => [
      label,
      {
        start: first,
        size: [last[0] - first[0] + 1, last[1] - first[1] + 1, last[2] - first[2] + 1],
      },
    ]),
  );
}

interface Extent {
  readonly first: [number, number, number];
  readonly last: [number, number, number];
}

/** By runs of one label in a row, of which most rows are one. */
function extendBy(extents: Map<number, Extent>, { voxels, geometry }: Labelmap): void {
  const [columns, rows, slices] = geometry.dimensions;
  for (let k = 0, row = 0; k < slices; k++) {
    for (let j = 0; j < rows; j++, row += columns) {
      for (let i = 0; i < columns;) {
        const label = voxels[row + i] ?? 0;
        const start = i;
        do i++;
        while (i < columns && voxels[row + i] === label);
        if (label === 0) continue;
        const extent = extents.get(label) ?? {
          first: [Infinity, Infinity, Infinity],
          last: [-Infinity, -Infinity, -Infinity],
        };
        extents.set(label, extent);
        const { first, last } = extent;
        if (start < first[0]) first[0] = start;
        if (i - 1 > last[0]) last[0] = i - 1;
        if (j < first[1]) first[1] = j;
        if (j > last[1]) last[1] = j;
        if (k < first[2]) first[2] = k;
        if (k > last[2]) last[2] = k;
      }
    }
  }
}
