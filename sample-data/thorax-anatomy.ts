import { createRandom, type NoiseField } from './random.ts';
import { Tissue } from './tissue.ts';

/** One cut across the chest in the plane of a short-axis slice: everything but the heart. Same frame as HeartSection. */
export interface ThoraxSection {
  tissueAt(x: number, y: number): Tissue;
}

/** The chest, which does not move: the breath is held. */
export interface Thorax {
  /** @param z mm along the heart's long axis, from the valve plane to the apex */
  cut(z: number): ThoraxSection;
}

/** A ball of blood or bowel. */
interface Ball {
  readonly x: number;
  readonly y: number;
  readonly z: number;
  readonly radius: number;
}

interface Disc {
  readonly x: number;
  readonly y: number;
  readonly radiusSquared: number;
}

/** Builds the chest; `seed` places the vessels of lungs and liver, `noise` makes its layers uneven. */
export function createThorax(seed: number, noise: NoiseField): Thorax {
  const vessels = { lung: scatterLungVessels(seed), liver: scatterLiverVessels(seed) };
  return {
    cut: (z) => new ThoraxCut(z, noise, cutBalls(vessels.lung, z), cutBalls(vessels.liver, z)),
  };
}

class ThoraxCut implements ThoraxSection {
  readonly #z: number;
  readonly #noise: NoiseField;
  readonly #lungVessels: readonly Disc[];
  readonly #liverVessels: readonly Disc[];
  readonly #centreX: number;
  readonly #halfWidth: number;
  readonly #halfHeight: number;
  readonly #diaphragmTop: number;

  constructor(z: number, noise: NoiseField, lungVessels: readonly Disc[], liverVessels: readonly Disc[]) {
    this.#z = z;
    this.#noise = noise;
    this.#lungVessels = lungVessels;
    this.#liverVessels = liverVessels;
    // Towards the apex the plane leaves the chest on its left front side, and the diaphragm rises into it.
    this.#centreX = 44 + 0.32 * z;
    this.#halfWidth = 138 - 0.12 * z;
    this.#halfHeight = 205 - 0.25 * z;
    this.#diaphragmTop = 48 - 0.28 * z;
  }

  tissueAt(x: number, y: number): Tissue {
    const noise = this.#noise;
    const z = this.#z;
    const dx = x - this.#centreX;
    const dy = y - 46;
    const outline = Math.sqrt(
      ellipse(COS_TILT * dx + SIN_TILT * dy, COS_TILT * dy - SIN_TILT * dx, this.#halfWidth, this.#halfHeight),
    );
    if (outline >= 1) return Tissue.air;
    const depth = (1 - outline) * this.#halfWidth; // mm under the skin, near enough
    if (depth < 1.5) return Tissue.muscle;
    if (depth < 42) {
      const fat = 14 + 8 * noise(x / 45, y / 45, z / 60) + (y < -60 ? 5 : 0);
      if (depth < fat) return noise(x / 6, y / 10, z / 12) > 0.8 ? Tissue.muscle : Tissue.fat;
      if (depth < fat + 14) return chestWall(x, y, z, depth - fat, noise);
    }
    const spine = spineTissue(x - 104, y - 80);
    if (spine !== undefined) return spine;
    const aorta = ellipse(x - 74, y - 60, 10.5, 12);
    if (this.#belowUneven(aorta, 2.6, 1, x, y, 12)) return aorta < 1 ? Tissue.vessel : Tissue.fat;
    const depthOfDome = this.#diaphragmTop + 0.0034 * (x - 4) * (x - 4) - y;
    if (this.#belowUneven(depthOfDome, 0, 3, x, 0, 30)) {
      return this.#belowUneven(depthOfDome, -3, 3, x, 0, 30) ? this.#belowDiaphragm(x, y) : Tissue.muscle;
    }
    // Fat between the heart and the breastbone, and around the great vessels behind it.
    const sternal = ellipse(x + 62 - 0.2 * z, y + 6, 26, 50);
    const mediastinal = ellipse(x - 34, y - 40, 40, 26);
    if (this.#belowUneven(sternal, 1, 0.5, x, y, 16) || this.#belowUneven(mediastinal, 1, 0.4, x, y, 14)) {
      return Tissue.fat;
    }
    return hits(this.#lungVessels, x, y) ? Tissue.vessel : Tissue.lung;
  }

  /** Whether a level is below a limit that wavers by ± `amplitude`, over `scale` mm; looks the noise up only in doubt. */
  #belowUneven(level: number, limit: number, amplitude: number, x: number, y: number, scale: number): boolean {
    if (level < limit - amplitude) return true;
    if (level > limit + amplitude) return false;
    return level < limit + amplitude * this.#noise(x / scale, y / scale, this.#z / 30);
  }

  /** From the image's left: liver, stomach with a bubble of gas, spleen; bowel and fat between and below them. */
  #belowDiaphragm(x: number, y: number): Tissue {
    const noise = this.#noise;
    const z = this.#z;
    if (ellipse(x + 40 - 0.3 * z, y - 122 + 0.3 * z, 82, 84) < 1) {
      return hits(this.#liverVessels, x, y) ? Tissue.vessel : Tissue.liver;
    }
    const stomach = ellipse(x - 60, y - 100 + 0.42 * z, 34, 38);
    if (stomach < 1) {
      if (stomach > 0.8) return Tissue.muscle;
      return y < 80 - 0.42 * z ? Tissue.bone : Tissue.stomach;
    }
    if (ellipse(x - 128 + 0.1 * z, y - 108 + 0.3 * z, 24, 40) < 1) return Tissue.spleen;
    const bowel = noise(x / 13, y / 13, z / 25 + 9);
    if (bowel > 0.3) return Tissue.stomach;
    return bowel > 0.02 ? Tissue.muscle : Tissue.fat;
  }
}

const COS_TILT = Math.cos(-0.14);
const SIN_TILT = Math.sin(-0.14);

/** Muscle with ribs: a rib cut across is a dark rim around marrow. */
function chestWall(x: number, y: number, z: number, depth: number, noise: NoiseField): Tissue {
  const along = (y - 0.6 * x + 0.4 * z) / 27;
  const rib = ((along - Math.floor(along) - 0.5) * 27) / 7;
  const across = (depth - 8) / 4.5;
  const distance = rib * rib + across * across;
  if (distance < 0.45) return Tissue.marrow;
  if (distance < 1) return Tissue.bone;
  return noise(x / 9, y / 9, z / 15 + 30) > 0.45 ? Tissue.fat : Tissue.muscle;
}

/** A vertebral body, the canal behind it, the long muscles of the back around. */
function spineTissue(x: number, y: number): Tissue | undefined {
  const body = ellipse(x, y, 18, 16) ** 2 - 2 * ((x * y) / (18 * 16)) ** 2;
  if (body < 1) return body < 0.75 ? Tissue.marrow : Tissue.bone;
  if (ellipse(x - 25, y - 9, 7, 7) < 1) return Tissue.vessel; // cerebrospinal fluid is as bright as blood
  if (ellipse(x - 27, y - 12, 20, 17) < 1) return Tissue.bone;
  if (ellipse(x - 34, y + 17, 17, 20) < 1 || ellipse(x - 24, y - 42, 18, 24) < 1) return Tissue.muscle;
  return undefined;
}

/** Denser and thicker towards the hilum, above and behind the left atrium. */
function scatterLungVessels(seed: number): Ball[] {
  const random = createRandom(seed);
  return Array.from({ length: 420 }, () => {
    const distance = random.uniform(0, 1) ** 0.7 * 130;
    const angle = random.uniform(-2.9, 0.7);
    return {
      x: 14 + distance * Math.cos(angle),
      y: -8 + distance * Math.sin(angle),
      z: random.uniform(-30, 100),
      radius: random.uniform(0.6, 2.6) * (1.15 - distance / 200),
    };
  });
}

function scatterLiverVessels(seed: number): Ball[] {
  const random = createRandom(seed + 1);
  return Array.from({ length: 160 }, () => ({
    x: random.uniform(-120, 40),
    y: random.uniform(30, 190),
    z: random.uniform(-30, 100),
    radius: random.uniform(1, 3),
  }));
}

/** Vessels run on: a ball is stretched fourfold along z. */
function cutBalls(balls: readonly Ball[], z: number): Disc[] {
  return balls
    .map((ball) => ({ x: ball.x, y: ball.y, radiusSquared: ball.radius ** 2 - ((ball.z - z) / 4) ** 2 }))
    .filter((disc) => disc.radiusSquared > 0);
}

function hits(discs: readonly Disc[], x: number, y: number): boolean {
  for (const disc of discs) {
    const dx = x - disc.x;
    const dy = y - disc.y;
    if (dx * dx + dy * dy < disc.radiusSquared) return true;
  }
  return false;
}

function ellipse(x: number, y: number, a: number, b: number): number {
  const p = x / a;
  const q = y / b;
  return p * p + q * q;
}
