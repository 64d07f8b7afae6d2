/** Reproducible chance: the same seed gives the same sequence on every machine. */
export interface Random {
  /** Uniform in [low, high). */
  uniform(low: number, high: number): number;
  /** Normal with mean 0 and standard deviation 1. */
  normal(): number;
}

/** A smooth field of zero mean and values in −1…1; neighbouring points one unit apart are independent. */
export type NoiseField = (x: number, y: number, z: number) => number;

/** mulberry32: 32 bits of state are plenty for a picture. */
export function createRandom(seed: number): Random {
  let state = hash32(seed);
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  let spare: number | undefined;
  return {
    uniform: (low, high) => low + (high - low) * next(),
    normal: () => {
      if (spare !== undefined) {
        const value = spare;
        spare = undefined;
        return value;
      }
      // Marsaglia's polar method gives two values at once.
      for (;;) {
        const u = 2 * next() - 1;
        const v = 2 * next() - 1;
        const s = u * u + v * v;
        if (s > 0 && s < 1) {
          const scale = Math.sqrt((-2 * Math.log(s)) / s);
          spare = v * scale;
          return u * scale;
        }
      }
    },
  };
}

/** Value noise: random values on the integer lattice, blended with smoothstep. */
export function createNoiseField(seed: number): NoiseField {
  const salt = hash32(seed);
  return (x, y, z) => {
    const k = Math.floor(z);
    return mix(noisePlane(x, y, k, salt), noisePlane(x, y, k + 1, salt), smoothstep(z - k));
  };
}

function noisePlane(x: number, y: number, k: number, salt: number): number {
  const i = Math.floor(x);
  const j = Math.floor(y);
  const u = smoothstep(x - i);
  const low = mix(latticeValue(i, j, k, salt), latticeValue(i + 1, j, k, salt), u);
  const high = mix(latticeValue(i, j + 1, k, salt), latticeValue(i + 1, j + 1, k, salt), u);
  return mix(low, high, smoothstep(y - j));
}

function latticeValue(i: number, j: number, k: number, salt: number): number {
  const scattered = Math.imul(i, 0x1f1f1f1f) ^ Math.imul(j, 0x2c1b3c6d) ^ Math.imul(k, 0x297a2d39) ^ salt;
  return hash32(scattered) / 2147483648 - 1;
}

export function mix(a: number, b: number, share: number): number {
  return a + (b - a) * share;
}

/** 0 below 0, 1 above 1, a smooth rise between. */
export function smoothstep(t: number): number {
  if (t <= 0) return 0;
  if (t >= 1) return 1;
  return t * t * (3 - 2 * t);
}

/** Scatters the bits of an integer: 0 … 2³² − 1. */
function hash32(value: number): number {
  let h = value | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
