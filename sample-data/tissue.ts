/** What a point of the body is made of, as far as a balanced steady-state (bSSFP) cine shows it. */
export const Tissue = {
  air: 0,
  lung: 1,
  fat: 2,
  muscle: 3,
  bone: 4,
  marrow: 5,
  liver: 6,
  spleen: 7,
  stomach: 8,
  myocardium: 9,
  leftBlood: 10,
  rightBlood: 11,
  vessel: 12,
} as const;

export type Tissue = (typeof Tissue)[keyof typeof Tissue];

/** Signal by tissue, left ventricular blood = 1. Fat is negative: at this sequence's echo time it is out of phase with
 * water, so a voxel that holds both is dark. It gives the black outlines that every bSSFP picture has. */
export const signalOf: readonly number[] = (() => {
  const signals: Record<Tissue, number> = {
    [Tissue.air]: 0,
    [Tissue.lung]: 0.07,
    [Tissue.fat]: -1.15,
    [Tissue.muscle]: 0.26,
    [Tissue.bone]: 0.07,
    [Tissue.marrow]: -0.42,
    [Tissue.liver]: 0.36,
    [Tissue.spleen]: 0.5,
    [Tissue.stomach]: 0.62,
    [Tissue.myocardium]: 0.32,
    [Tissue.leftBlood]: 1,
    [Tissue.rightBlood]: 0.86,
    [Tissue.vessel]: 0.95,
  };
  return Object.values(Tissue).map((tissue) => signals[tissue]);
})();
