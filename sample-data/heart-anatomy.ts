import { mix, smoothstep, type NoiseField } from './random.ts';
import { Tissue } from './tissue.ts';

/** The labels of the sample, equal to the cardiac model's segment numbers. */
export const HeartLabel = {
  background: 0,
  rightVentricle: 1,
  leftVentricularMyocardium: 2,
  leftVentricle: 3,
} as const;

/** One cut across the heart, perpendicular to its long axis. Points are mm from the long axis: x to the image's right
 * (the lateral wall), y down (the inferior wall). */
export interface HeartSection {
  /** The tissue at a point, undefined outside the pericardium. */
  tissueAt(x: number, y: number): Tissue | undefined;
  /** Papillary muscles and trabeculae belong to the cavity, as the ACDC and Sunnybrook contours have it. */
  labelAt(x: number, y: number): number;
}

/** No part of the heart lies farther than this from (0, 0). */
export const HEART_REACH_MM = 84;

/** Cuts the heart.
 * @param z mm along the long axis: 0 is the valve plane at end-diastole, the apex lies near 83
 * @param contraction 0 at end-diastole, 1 at end-systole
 * @param noise for trabeculae and for fat of uneven thickness */
export function cutHeart(z: number, contraction: number, noise: NoiseField): HeartSection {
  const valvePlane = mix(0, 15, contraction);
  return z < valvePlane ? cutAtria(z, contraction, noise) : new VentricularSection(z, valvePlane, contraction, noise);
}

/** A circle or ellipse along the image's axes. */
interface Ellipse {
  readonly x: number;
  readonly y: number;
  readonly a: number;
  readonly b: number;
}

/** The left ventricle is a ring; the right one a lens behind it, of which the ring leaves a crescent. */
class VentricularSection implements HeartSection {
  readonly #z: number;
  readonly #depth: number;
  readonly #noise: NoiseField;
  readonly #axisX: number;
  readonly #axisY: number;
  readonly #endocardium: number;
  readonly #epicardium: number;
  readonly #rightWidth: number;
  readonly #rightHeight: number;
  readonly #trabeculaeMm: number;
  readonly #papillaryMuscles: readonly Ellipse[];
  readonly #sac: Ellipse;

  constructor(z: number, valvePlane: number, contraction: number, noise: NoiseField) {
    this.#z = z;
    this.#noise = noise;
    this.#endocardium = taper(z, valvePlane, mix(75, 69, contraction)) * mix(25.5, 17, contraction);
    this.#epicardium = taper(z, valvePlane, mix(84, 83, contraction)) * mix(33.5, 30.5, contraction);
    this.#depth = (z - valvePlane) / (mix(74, 71, contraction) - valvePlane);
    const profile = this.#depth < 1 ? Math.sqrt(1 - this.#depth ** 2.2) : 0;
    this.#rightWidth = profile * mix(27, 18, contraction);
    this.#rightHeight = profile * mix(37, 33, contraction);
    this.#axisX = -3 * (z / 83) ** 2;
    this.#axisY = 2 * (z / 83);
    this.#trabeculaeMm = 3.6 * smoothstep((this.#depth - 0.15) / 0.5);
    this.#papillaryMuscles = papillaryMuscles(this.#depth, this.#endocardium, contraction);
    // The pericardium shrinks less than the ventricles do; what they leave of it is fat.
    const halfWidth = taper(z, 0, 92) * mix(34, 32, contraction);
    const rightShare = taper(z, 0, 88) * mix(27, 22, contraction);
    const halfHeight = taper(z, 0, 92) * mix(39, 36, contraction);
    this.#sac = { x: -rightShare / 2, y: 0, a: halfWidth + rightShare / 2 + 1, b: halfHeight };
  }

  labelAt(x: number, y: number): number {
    const u = x - this.#axisX;
    const v = y - this.#axisY;
    const r = this.#radius(u, v);
    if (r < this.#endocardium) return HeartLabel.leftVentricle;
    if (r < this.#epicardium) return HeartLabel.leftVentricularMyocardium;
    return this.#lens(u, v, 0) < 1 ? HeartLabel.rightVentricle : HeartLabel.background;
  }

  tissueAt(x: number, y: number): Tissue | undefined {
    const u = x - this.#axisX;
    const v = y - this.#axisY;
    const r = this.#radius(u, v);
    if (r < this.#endocardium) return this.#leftCavity(x, y, u, v, r);
    if (r < this.#epicardium) return Tissue.myocardium;
    const lens = this.#lens(u, v, 0);
    if (lens < 1) return this.#rightCavity(x, y, lens);
    if (this.#lens(u, v, 2.5) < 1) return Tissue.myocardium;
    const thin = 1 + Math.max(0, this.#noise(x / 20, y / 20, this.#z / 30)) * 2;
    const sac = this.#sac;
    const out = within(u, v, sac, 2.5 * this.#noise(x / 26, y / 26, this.#z / 40 + 3));
    if (out || r < this.#epicardium + thin || this.#lens(u, v, 2.5 + thin) < 1) return Tissue.fat;
    return within(u, v, sac, 3.2) || r < this.#epicardium + thin + 1.2 ? Tissue.muscle : undefined;
  }

  #leftCavity(x: number, y: number, u: number, v: number, r: number): Tissue {
    const rough = this.#trabeculaeMm * Math.max(0, this.#noise(x / 3.4, y / 3.4, this.#z / 9));
    if (r > this.#endocardium - rough) return Tissue.myocardium;
    for (const muscle of this.#papillaryMuscles) if (within(u, v, muscle, 0)) return Tissue.myocardium;
    return Tissue.leftBlood;
  }

  #rightCavity(x: number, y: number, lens: number): Tissue {
    const strand = this.#depth > 0.25 && lens > 0.35 && this.#noise(x / 3, y / 4, this.#z / 8 + 50);
    return strand !== false && strand > 0.66 - 0.25 * this.#depth ? Tissue.myocardium : Tissue.rightBlood;
  }

  /** Distance from the axis on a scale where the left ventricle's outlines are circles: they are flatter at the
   * septum and a little oval. */
  #radius(x: number, y: number): number {
    const r = Math.sqrt(x * x + y * y);
    if (r < 1e-6) return 0;
    const cos = x / r;
    const sin = y / r;
    return r / (1 + 0.025 * (cos * cos - sin * sin) + 0.02 * cos * (4 * cos * cos - 3) + 0.02 * sin);
  }

  /** Below 1 within the right ventricle's lens, grown by `margin` mm; wider at its inferior corner. */
  #lens(x: number, y: number, margin: number): number {
    if (this.#rightWidth < 1.5) return 2;
    const dx = x + this.#epicardium - 3;
    const u = COS_TILT * dx + SIN_TILT * y;
    const v = COS_TILT * y - SIN_TILT * dx;
    const b = this.#rightHeight + margin;
    const q = Math.abs(v) / b;
    const a = (this.#rightWidth + 3 + margin) * (1 + 0.22 * Math.sign(v) * Math.min(1, q));
    const p = Math.abs(u) / a;
    return p * p + q * q * Math.sqrt(q);
  }
}

const COS_TILT = Math.cos(0.2);
const SIN_TILT = Math.sin(0.2);

/** The ventricles' profile along the long axis: 1 at the valve plane, 0 at the apex and beyond. */
function taper(z: number, base: number, apex: number): number {
  const depth = (z - base) / (apex - base);
  return depth < 1 ? Math.sqrt(1 - Math.max(depth, 0) ** 2.4) : 0;
}

/** The two papillary muscles: free in the cavity at its middle, joined with the wall nearer the apex. */
function papillaryMuscles(depth: number, radius: number, contraction: number): Ellipse[] {
  if (depth < 0.28 || depth > 0.78) return [];
  const size = mix(4, 4.6, contraction) * Math.min(1, (depth - 0.2) * 5);
  const distance = radius * mix(0.66, 0.82, (depth - 0.28) * 2);
  return [-0.45, 1.65].map((angle) => {
    return { x: distance * Math.cos(angle), y: distance * Math.sin(angle), a: size, b: size * 0.85 };
  });
}

/** Above the valves: no ventricle, but four round pools of blood in fat. */
function cutAtria(z: number, contraction: number, noise: NoiseField): HeartSection {
  const filling = mix(1, 1.12, contraction);
  const pools: readonly (Ellipse & { readonly blood: Tissue })[] = [
    { x: -11, y: -8, a: 13, b: 13, blood: Tissue.leftBlood }, // aortic root
    { x: 11, y: 9, a: 19 * filling, b: 16 * filling, blood: Tissue.leftBlood }, // left atrium
    { x: -36, y: -21, a: 15, b: 20, blood: Tissue.rightBlood }, // right ventricle's outflow
    { x: -37, y: 20, a: 20 * filling, b: 19 * filling, blood: Tissue.rightBlood }, // right atrium
  ];
  const sac: Ellipse = { x: -14, y: 1, a: 49, b: 42 };
  return {
    labelAt: () => HeartLabel.background,
    tissueAt: (x, y) => {
      for (const pool of pools) if (within(x, y, pool, 0)) return pool.blood;
      for (const pool of pools) if (within(x, y, pool, 1.8)) return Tissue.myocardium;
      const uneven = 4 * noise(x / 18, y / 18, z / 30);
      if (within(x, y, sac, uneven)) return Tissue.fat;
      return within(x, y, sac, uneven + 1.4) ? Tissue.muscle : undefined;
    },
  };
}

function within(x: number, y: number, { x: cx, y: cy, a, b }: Ellipse, margin: number): boolean {
  const p = (x - cx) / (a + margin);
  const q = (y - cy) / (b + margin);
  return a + margin > 0 && b + margin > 0 && p * p + q * q < 1;
}
