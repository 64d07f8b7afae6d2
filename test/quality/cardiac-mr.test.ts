import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createShortAxisHeart } from '../../sample-data/short-axis-heart.ts';
import { createWasmBackend } from '../../src/inference/ort-web.ts';
import type { Labelmap } from '../../src/labelmap/labelmap.ts';
import { loadModel, type LoadedModel } from '../../src/models/load-model.ts';
import { openFiles } from '../../src/node/files.ts';
import { openModelFolder } from '../../src/node/model-folders.ts';
import { createNodeBackend } from '../../src/node/ort-threads.ts';
import { segmentVolume } from '../../src/pipeline/segment-volume.ts';
import { readDicomSeg } from '../../src/seg/read-dicom-seg.ts';
import { readVolume } from '../../src/series/read-volume.ts';
import { createGeometry } from '../../src/volume/geometry.ts';
import { sliceView, type Volume } from '../../src/volume/volume.ts';
import { compareSessions, expectAgreement } from '../support/agreement.ts';
import { dataPath, describeWithData } from '../support/data.ts';
import { inFull, isFull } from '../support/full.ts';
import { sameVoxel, storedAlong } from '../support/storage-orders.ts';
import { compareNifti, logTestReading, mean, readModelsJson, slicewise } from './command.ts';
import { fillPolygon, parseContour } from './contours.ts';

// The figures of the model card, through the built command at its default options. The generated heart's are in
// test/sample-data/dice.test.ts.

const [MYOCARDIUM, LEFT_VENTRICLE] = [2, 3];
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slicewise-quality-'));
});
afterAll(() => rm(folder, { recursive: true }));

test('onnxruntime-node and WebAssembly agree on the generated heart', async () => {
  const { geometry, phases } = createShortAxisHeart({ phases: 1 });
  const voxels = phases[0]?.voxels ?? new Uint16Array();
  const load = async (): Promise<LoadedModel> => loadModel(await openModelFolder('cardiac-mr'));
  const node = await createNodeBackend().openSession(await load());
  const wasm = await createWasmBackend().openSession(await load());
  const agreement = await compareSessions({ geometry, voxels, modality: 'MR' }, node, wasm);
  console.log('node and WASM', agreement);
  expectAgreement(agreement);
  expect(agreement.labelled).toBeGreaterThan(10_000);
  await Promise.all([node.dispose(), wasm.dispose()]);
});

test('the eight ways to store a stack by its columns and rows give the same heart', async () => {
  const { geometry, phases } = createShortAxisHeart({ phases: 1 });
  const [columns, rows] = geometry.dimensions;
  const heart: Volume = {
    geometry: createGeometry({ ...geometry, dimensions: [columns, rows, 2] }),
    voxels: (phases[0]?.voxels ?? new Uint16Array()).subarray(5 * columns * rows, 7 * columns * rows),
    modality: 'MR',
  };
  const session = await createNodeBackend().openSession(await loadModel(await openModelFolder('cardiac-mr')));
  const labelsOf = async (volume: Volume) =>
    (await segmentVolume(volume, { session, softwareVersion: 'test' })).labelmap.voxels;
  const expected = await labelsOf(heart);
  expect(expected.filter((label) => label > 0).length).toBeGreaterThan(1000);
  for (const axes of [
    [0, 1, 2],
    [1, 0, 2],
  ] as const) {
    for (const flips of [0b00, 0b01, 0b10, 0b11]) {
      const stored = storedAlong(heart, axes, flips);
      const labels = await labelsOf(stored);
      const moved = expected.map((_, at) => labels[sameVoxel(heart.geometry, stored.geometry, at)] ?? NaN);
      expect(moved).toEqual(expected);
    }
  }
  await session.dispose();
});

const onAcdc = (): void => {
  test('the mean Dice is at least 0.895', async () => {
    const patients = testPatients(await readModelsJson('training/splits/cardiac-mr.json'));
    const images = (await readdir(dataPath('cardiac-mr')))
      .filter((name) => name.endsWith('_image.nii.gz') && patients.includes(name.split('_')[0] ?? ''))
      .sort();
    expect(images).toHaveLength(patients.length * 2);
    await logTestReading('cardiac-mr', 'floor over the test part');
    const figures: Record<string, number[]> = {};
    for (const name of images) {
      const output = join(folder, name);
      await slicewise('segment', dataPath('cardiac-mr', name), '--model', 'cardiac-mr', '--output', output);
      const overlap = await compareNifti(output, dataPath('cardiac-mr', name.replace('_image', '_label')));
      for (const [label, dice] of Object.entries(overlap)) (figures[label] ??= []).push(dice);
    }
    const perSegment = Object.fromEntries(Object.entries(figures).map(([label, values]) => [label, mean(values)]));
    console.log('ACDC test patients', perSegment, mean(Object.values(perSegment)));
    expect(mean(Object.values(perSegment))).toBeGreaterThanOrEqual(0.895);
  });
};
// recorded-figures.test.ts runs one of them in every run.
if (isFull) describeWithData('on the own test patients of ACDC', onAcdc);

describeWithData('on Sunnybrook, another centre and vendor', () => {
  test.each<readonly [string, number, number]>(inFull([['cardiac-mr-fast', 0.83, 0.82]], [['cardiac-mr', 0.86, 0.85]]))(
    '%s reaches a mean Dice of %f (left ventricle) and %f (epicardium)',
    async (model, cavityFloor, epicardiumFloor) => {
      const cavity: number[] = [];
      const epicardium: number[] = [];
      for (const [patient, phase] of [
        ['SCD0000101', 'phase_08'],
        ['SCD0000101', 'phase_19'],
        ['SCD0000201', 'phase_00'],
        ['SCD0000201', 'phase_07'],
      ] as const) {
        const series = dataPath('dicom/cardiac-sunnybrook', patient, phase);
        const output = join(folder, `${model}_${patient}_${phase}.dcm`);
        await slicewise('segment', series, '--model', model, '--output', output);
        const { volume } = await readVolume(openFiles([series]));
        const { labelmap } = await readDicomSeg(await readFile(output), {
          reference: { geometry: volume.geometry, ...(volume.source && { source: volume.source }) },
        });
        for (const [number, k] of await sliceByFileNumber(series, volume.source?.instances ?? [])) {
          const inner = await readContour(patient, 'i', number);
          const outer = await readContour(patient, 'o', number);
          if (inner) cavity.push(contourDice(labelmap, k, inner, [LEFT_VENTRICLE]));
          if (outer) epicardium.push(contourDice(labelmap, k, outer, [LEFT_VENTRICLE, MYOCARDIUM]));
        }
      }
      console.log('Sunnybrook', model, { cavity: mean(cavity), epicardium: mean(epicardium) });
      expect([cavity.length, epicardium.length]).toEqual([36, 18]);
      expect(mean(cavity)).toBeGreaterThanOrEqual(cavityFloor);
      expect(mean(epicardium)).toBeGreaterThanOrEqual(epicardiumFloor);
    },
  );
});

function testPatients(split: unknown): string[] {
  if (typeof split === 'object' && split && 'test' in split && Array.isArray(split.test)) return split.test.map(String);
  throw new Error('the split names no test patients');
}

/** Slice index k of each file's number: the contours are named after files. */
async function sliceByFileNumber(
  series: string,
  instances: readonly { readonly sopInstanceUID: string; readonly sliceIndex: number }[],
): Promise<Map<number, number>> {
  const byNumber = new Map<number, number>();
  for (const name of await readdir(series)) {
    const { volume } = await readVolume(openFiles([join(series, name)]));
    const uid = volume.source?.instances[0]?.sopInstanceUID;
    const instance = instances.find(({ sopInstanceUID }) => sopInstanceUID === uid);
    if (!instance) throw new Error(`${name} is not in the series`);
    byNumber.set(Number(basename(name, '.dcm')), instance.sliceIndex);
  }
  return byNumber;
}

async function readContour(patient: string, kind: 'i' | 'o', number: number): Promise<[number, number][] | undefined> {
  const contours = dataPath('dicom/cardiac-sunnybrook', patient, 'contours', `${kind}-contours`);
  const name = `IM-0001-${String(number).padStart(4, '0')}-${kind}contour-manual.txt`;
  if (!(await readdir(contours)).includes(name)) return undefined;
  return parseContour(await readFile(join(contours, name), 'utf8'));
}

function contourDice(labelmap: Labelmap, k: number, contour: [number, number][], labels: number[]): number {
  const [columns, rows] = labelmap.geometry.dimensions;
  const inside = fillPolygon(contour, columns, rows);
  const slice = sliceView(labelmap.voxels, labelmap.geometry, k);
  let [both, sum] = [0, 0];
  for (let n = 0; n < inside.length; n++) {
    const predicted = labels.includes(slice[n] ?? 0);
    both += Number(predicted && inside[n] === true);
    sum += Number(predicted) + Number(inside[n] === true);
  }
  return sum === 0 ? 1 : (2 * both) / sum;
}
