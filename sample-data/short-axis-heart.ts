import { createGeometry, type Vector3, type VolumeGeometry } from '../src/volume/geometry.ts';
import { cutHeart, HEART_REACH_MM } from './heart-anatomy.ts';
import { createNoiseField, createRandom, type NoiseField, type Random } from './random.ts';
import { createThorax, type Thorax } from './thorax-anatomy.ts';
import { signalOf } from './tissue.ts';

export interface ShortAxisHeartOptions {
  /** Another seed is another patient and another noise; default 1. */
  readonly seed?: number;
  /** Pixels a side of a square slice of 358.4 mm; default 256 (1.4 mm). */
  readonly size?: number;
  /** Slices over the same 96 mm from above the valve plane to below the apex; default 12 (8 mm). */
  readonly slices?: number;
  /** Images over one heartbeat, the first at end-diastole; default 8. */
  readonly phases?: number;
  /** Points per voxel along i, j and k whose signals are averaged (partial volume); default 2, 2, 3. */
  readonly supersampling?: readonly [number, number, number];
}

/** One moment of the heartbeat on the common grid. */
export interface HeartPhase {
  readonly triggerTimeMs: number;
  /** Stored values, i fastest; unsigned 16 bit, no rescale. */
  readonly voxels: Uint16Array<ArrayBuffer>;
  /** HeartLabel of each voxel's centre. */
  readonly labels: Uint8Array<ArrayBuffer>;
}

/** A short-axis cine of a heart that nobody has, with its true labels. */
export interface ShortAxisHeart {
  readonly seed: number;
  /** k ascends from the apex to the base. */
  readonly geometry: VolumeGeometry;
  readonly phases: readonly HeartPhase[];
  /** Index of the phase of greatest contraction. */
  readonly endSystole: number;
}

export const HEART_PERIOD_MS = 880;

const FIELD_OF_VIEW_MM = 358.4;
const STACK_MM = 96;
/** The first slice lies this far above the valve plane, half a slice included. */
const ABOVE_BASE_MM = 8;
/** Where the long axis passes through the slices, from the image's centre: hearts are rarely in the middle. */
const AXIS_OFFSET_MM = { x: -18, y: -22 };

/** A usual short-axis plane: rows run to the left and back, columns to the feet, slices from apex to base.
 * Rounded to six digits, as a scanner writes them. */
const DIRECTION: readonly [Vector3, Vector3, Vector3] = [
  [0.760364, 0.638305, 0.120057],
  [-0.172954, 0.377159, -0.909856],
  [-0.626047, 0.671057, 0.397175],
];

/** Makes the heart: analytic anatomy, bSSFP contrast, partial volume, coil shading and Rician noise. The same options
 * give the same voxels on every machine. */
export function createShortAxisHeart(options: ShortAxisHeartOptions = {}): ShortAxisHeart {
  const { seed = 1, size = 256, slices = 12, phases = 8, supersampling = [2, 2, 3] } = options;
  const geometry = heartGeometry(size, slices);
  const endSystole = Math.min(phases - 1, Math.max(1, Math.round(0.375 * phases)));
  const made = Array.from({ length: phases }, (_, phase) => ({
    triggerTimeMs: Math.round((HEART_PERIOD_MS * phase) / phases),
    voxels: new Uint16Array(size * size * slices),
    labels: new Uint8Array(size * size * slices),
  }));
  const contractions = made.map((_, phase) => contractionAt(phase, phases, endSystole));
  const scene = createScene(seed, geometry);
  for (let k = 0; k < slices; k++) {
    drawSlice({ scene, geometry, k, supersampling, contractions, phases: made });
  }
  return { seed, geometry, phases: made, endSystole };
}

function heartGeometry(size: number, slices: number): VolumeGeometry {
  const inPlane = FIELD_OF_VIEW_MM / size;
  const spacing: Vector3 = [inPlane, inPlane, STACK_MM / slices];
  const centre: Vector3 = [48, -12, -30];
  const half: Vector3 = [(size - 1) / 2, (size - 1) / 2, (slices - 1) / 2];
  const coordinate = (axis: 0 | 1 | 2): number => {
    const value =
      centre[axis] -
      half[0] * spacing[0] * DIRECTION[0][axis] -
      half[1] * spacing[1] * DIRECTION[1][axis] -
      half[2] * spacing[2] * DIRECTION[2][axis];
    return Math.round(value * 1e4) / 1e4;
  };
  return createGeometry({
    dimensions: [size, size, slices],
    spacing,
    origin: [coordinate(0), coordinate(1), coordinate(2)],
    direction: DIRECTION,
  });
}

/** 0 at end-diastole, 1 at end-systole; relaxation is over after three quarters of the beat. */
function contractionAt(phase: number, phases: number, endSystole: number): number {
  if (phase <= endSystole) return endSystole === 0 ? 0 : Math.sin((Math.PI / 2) * (phase / endSystole)) ** 2;
  const relaxed = Math.max(endSystole + 1, 0.75 * phases);
  return phase >= relaxed ? 0 : Math.cos((Math.PI / 2) * ((phase - endSystole) / (relaxed - endSystole))) ** 2;
}

interface Scene {
  readonly seed: number;
  readonly thorax: Thorax;
  readonly noise: NoiseField;
  /** The coils' sensitivity by pixel. */
  readonly shading: Float32Array;
}

function createScene(seed: number, { dimensions: [size], spacing: [mmPerPixel] }: VolumeGeometry): Scene {
  const noise = createNoiseField(seed);
  const shading = Float32Array.from({ length: size * size }, (_, pixel) => {
    const x = ((pixel % size) - (size - 1) / 2) * mmPerPixel;
    return coilSensitivity(x, (Math.floor(pixel / size) - (size - 1) / 2) * mmPerPixel);
  });
  return { seed, noise, thorax: createThorax(seed, noise), shading };
}

/** One coil on the front of the chest, a weaker one in the table. */
function coilSensitivity(x: number, y: number): number {
  const front = Math.hypot(x + 120, y + 40);
  const back = Math.hypot(x - 150, y - 120);
  return 0.55 + 0.85 * Math.exp(-front / 110) + 0.45 * Math.exp(-back / 90);
}

interface SliceJob {
  readonly scene: Scene;
  readonly geometry: VolumeGeometry;
  readonly k: number;
  readonly supersampling: readonly [number, number, number];
  readonly contractions: readonly number[];
  readonly phases: readonly HeartPhase[];
}

/** Draws slice k of every phase: the chest once, the heart over it. */
function drawSlice({ scene, geometry, k, supersampling, contractions, phases }: SliceJob): void {
  const { noise, thorax } = scene;
  const [size, , slices] = geometry.dimensions;
  const [mmPerPixel, , thickness] = geometry.spacing;
  const middle = -ABOVE_BASE_MM + (slices - k - 0.5) * thickness;
  const [nx, ny, nz] = supersampling;
  const depths = offsets(nz).map((offset) => middle + offset * thickness);
  const pointX = Float64Array.from({ length: nx * ny }, (_, n) => (((n % nx) + 0.5) / nx - 0.5) * mmPerPixel);
  const pointY = Float64Array.from({ length: nx * ny }, (_, n) => ((Math.floor(n / nx) + 0.5) / ny - 0.5) * mmPerPixel);
  const points = pointX.length;
  const samples = points * nz;
  const pixels = size * size;

  const atX = new Float32Array(pixels);
  const atY = new Float32Array(pixels);
  const chest = new Uint8Array(pixels * samples);
  const chestSignal = new Float32Array(pixels);
  const chestSections = depths.map((z) => thorax.cut(z));
  const signals = Float64Array.from(signalOf);
  for (let pixel = 0; pixel < pixels; pixel++) {
    const px = ((pixel % size) - (size - 1) / 2) * mmPerPixel - AXIS_OFFSET_MM.x;
    const py = (Math.floor(pixel / size) - (size - 1) / 2) * mmPerPixel - AXIS_OFFSET_MM.y;
    // Nothing in a body is an ellipse: every outline is bent by a few millimetres.
    const x = px + 2.6 * noise(px / 38, py / 38, middle / 60);
    const y = py + 2.6 * noise(px / 38, py / 38, middle / 60 + 77);
    atX[pixel] = x;
    atY[pixel] = y;
    let sample = pixel * samples;
    let sum = 0;
    for (const section of chestSections) {
      for (let n = 0; n < points; n++) {
        const tissue = section.tissueAt(x + at(pointX, n), y + at(pointY, n));
        chest[sample++] = tissue;
        sum += at(signals, tissue);
      }
    }
    chestSignal[pixel] = sum / samples;
  }

  const texture = grain(scene, atX, atY, middle);
  const signal = new Float32Array(pixels);
  for (const [index, phase] of phases.entries()) {
    const contraction = contractions[index] ?? 0;
    const sections = depths.map((z) => cutHeart(z, contraction, noise));
    const truth = cutHeart(middle, contraction, noise);
    const labels = phase.labels.subarray(k * pixels, (k + 1) * pixels);
    for (let pixel = 0; pixel < pixels; pixel++) {
      const x = at(atX, pixel);
      const y = at(atY, pixel);
      if (x * x + y * y > HEART_REACH_MM * HEART_REACH_MM) {
        signal[pixel] = at(chestSignal, pixel) * at(texture, pixel);
        continue;
      }
      let sample = pixel * samples;
      let sum = 0;
      for (const section of sections) {
        for (let n = 0; n < points; n++) {
          const tissue = section.tissueAt(x + at(pointX, n), y + at(pointY, n)) ?? at(chest, sample);
          sum += at(signals, tissue);
          sample++;
        }
      }
      // Blood swirls: what is bright differs from phase to phase.
      const swirl = 1 + 0.1 * noise(x / 6, y / 6, middle / 6 + 3.7 * index);
      signal[pixel] = (sum / samples) * at(texture, pixel) * swirl;
      labels[pixel] = truth.labelAt(x, y);
    }
    const random = createRandom(scene.seed * 1_000_003 + k * 1009 + index);
    receive(signal, scene.shading, random, phase.voxels.subarray(k * pixels, (k + 1) * pixels));
  }
}

/** No organ is of one grey: a factor a pixel around 1. */
function grain({ noise }: Scene, atX: Float32Array, atY: Float32Array, z: number): Float32Array {
  return Float32Array.from(atX, (x, pixel) => {
    const y = at(atY, pixel);
    return 1 + 0.09 * noise(x / 4, y / 4, z / 6) + 0.14 * noise(x / 16, y / 16, z / 20 + 5);
  });
}

/** Stored value of left ventricular blood at a coil sensitivity of 1. */
const BLOOD_VALUE = 420;
const NOISE_SIGMA = 9;

/** What the scanner makes of a square slice: its point spread, the coils' shading, complex noise, magnitude. */
function receive(signal: Float32Array, shading: Float32Array, random: Random, out: Uint16Array): void {
  const blurred = blur(signal, Math.sqrt(signal.length));
  for (let pixel = 0; pixel < out.length; pixel++) {
    const real = at(blurred, pixel) * BLOOD_VALUE * at(shading, pixel) + NOISE_SIGMA * random.normal();
    const imaginary = NOISE_SIGMA * random.normal();
    out[pixel] = Math.min(4095, Math.round(Math.sqrt(real * real + imaginary * imaginary)));
  }
}

/** The point spread: [0.16, 0.68, 0.16] along both axes, edges repeated. */
function blur(signal: Float32Array, size: number): Float32Array {
  const along = blurRows(signal, size, 1, size);
  return blurRows(along, size, size, 1);
}

function blurRows(values: Float32Array, size: number, step: number, stride: number): Float32Array {
  const out = new Float32Array(values.length);
  for (let line = 0; line < size; line++) {
    for (let n = 0; n < size; n++) {
      const here = line * stride + n * step;
      const before = at(values, n === 0 ? here : here - step);
      const after = at(values, n === size - 1 ? here : here + step);
      out[here] = 0.68 * at(values, here) + 0.16 * (before + after);
    }
  }
  return out;
}

/** n points evenly over −½…½: the centres of n equal parts. */
function offsets(n: number): number[] {
  return Array.from({ length: n }, (_, at) => (at + 0.5) / n - 0.5);
}

function at(values: Float64Array | Float32Array | Uint8Array, index: number): number {
  return values[index] ?? 0;
}
