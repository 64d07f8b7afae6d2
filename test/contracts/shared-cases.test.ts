import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import dcmjs from 'dcmjs';
import { expect, it } from 'vitest';
import { findBatchSeries as findForBatch } from '../../src/cli/batch/find-series.ts';
import { parseSegmentRequest, readSegmentInput } from '../../src/cli/segment-request.ts';
import { isSegmentationError } from '../../src/errors.ts';
import { openFiles } from '../../src/node/files.ts';
import { type ImageHeader, readImageHeader, stackImages } from '../../src/series/image-stack.ts';
import { describeVolumes } from '../../src/series/read-volume.ts';
import type { VolumeGeometry } from '../../src/volume/geometry.ts';
import { dataPath, describeWithData } from '../support/data.ts';

// Small inputs made from public bug reports, each with its right answer: `info`, `segment`, `segment --output-dir` and a
// viewer's images must say the same of them.

interface Case {
  readonly input: string;
  /** Of the one volume, or of each of several. */
  readonly dimensions?: readonly [number, number, number];
  /** How many volumes one series holds, where there are several. */
  readonly volumes?: number;
  /** How many series the input holds, if not one. */
  readonly series?: number;
  /** Why it is refused. */
  readonly code?: string;
  /** Warnings of the series, all of them. */
  readonly warnings?: readonly string[];
  /** A viewer cannot load the files, or is not asked: one of many frames, NIfTI, files that are packed. */
  readonly notInViewer?: true;
}

const CASES: readonly Case[] = [
  {
    input: 'a01_mosaic',
    dimensions: [16, 12, 9],
    warnings: ['mosaic-direction-assumed', 'source-without-identity'],
    notInViewer: true,
  },
  { input: 'c01_nopreamble_all', dimensions: [16, 12, 6], notInViewer: true },
  { input: 'c01b_nometa_all', dimensions: [16, 12, 6], warnings: ['transfer-syntax-assumed'], notInViewer: true },
  { input: 'c01c_nopreamble_last2', dimensions: [16, 12, 6], warnings: ['transfer-syntax-assumed'], notInViewer: true },
  {
    input: 'c02a_says_implicit_is_explicit',
    dimensions: [16, 12, 6],
    warnings: ['transfer-syntax-wrong'],
    notInViewer: true,
  },
  { input: 'c05_nof_0', dimensions: [16, 12, 6] },
  { input: 'c06_comma_decimal', dimensions: [16, 12, 6], warnings: ['decimal-comma'] },
  { input: 'c07_UN_undef_explicit_items', dimensions: [16, 12, 6], notInViewer: true },
  {
    input: 'd01a_neg_pixdim_sform.nii',
    dimensions: [8, 10, 6],
    warnings: ['voxel-sizes-not-usable'],
    notInViewer: true,
  },
  {
    input: 'd01b_zero_pixdim_sform.nii',
    dimensions: [8, 10, 6],
    warnings: ['voxel-sizes-not-usable'],
    notInViewer: true,
  },
  { input: 'd02_sform_zero_code1.nii', dimensions: [8, 10, 6], warnings: ['sform-not-usable'], notInViewer: true },
  { input: 'd02c_sform_nan.nii', dimensions: [8, 10, 6], warnings: ['sform-not-usable'], notInViewer: true },
  { input: 'd05_seg.nii', dimensions: [64, 64, 6], warnings: ['position-assumed'], notInViewer: true },
  { input: 'd07_code4.nii', dimensions: [64, 64, 6], notInViewer: true },
  { input: 'd07_q1_s2.nii', dimensions: [64, 64, 6], warnings: ['forms-differ'], notInViewer: true },
  { input: 'f09_wrongbot_frag', dimensions: [16, 12, 6], notInViewer: true },
  { input: 'f09_wrongbot_plain', dimensions: [16, 12, 6], notInViewer: true },
  { input: 'a02_two_patients_same_FoR', series: 2, code: 'several-series', notInViewer: true },
  { input: 'n06_two_ids', code: 'several-patients' },
  { input: 'b02_0.625_1', dimensions: [16, 12, 20] },
  { input: 'b02_0.625_2', dimensions: [16, 12, 20] },
  { input: 'b02_1.25_1', dimensions: [16, 12, 20] },
  { input: 'c18_mlut_noitem', dimensions: [16, 12, 6] },
  { input: 'c19_same_sop', dimensions: [16, 12, 6], warnings: ['source-without-identity'] },
  { input: 'c20d_one_repeat', code: 'duplicate-slices' },
  { input: 'c21a_only_instance_number', volumes: 3, dimensions: [16, 12, 4], warnings: ['volumes-by-order'] },
  { input: 'c21b_content_time', volumes: 3, dimensions: [16, 12, 4] },
  { input: 'c21c_ge_bvalue', volumes: 3, dimensions: [16, 12, 4], notInViewer: true },
  { input: 'c21e_framereftime_pet', volumes: 3, dimensions: [16, 12, 4] },
  { input: 'c21i_kvp', volumes: 3, dimensions: [16, 12, 4] },
  { input: 'c24a_garbage', code: 'irregular-slices' },
  { input: 'c27_two_slices_300mm', dimensions: [16, 12, 2], warnings: ['slices-far-apart'] },
  { input: 'f03', volumes: 3, dimensions: [16, 12, 6], notInViewer: true },
  { input: 'f04_interleaved_stacks', dimensions: [16, 12, 6], notInViewer: true },
  { input: 'f05b', volumes: 2, dimensions: [16, 12, 6], notInViewer: true },
  { input: 'h01b_macos_single', dimensions: [32, 32, 3], notInViewer: true },
  { input: 'h03_analyze_dir', code: 'unsupported-image', notInViewer: true },
  { input: 'h03_i.dcm.gz', dimensions: [16, 12, 1], notInViewer: true },
  { input: 'h03_mixed_gz', dimensions: [16, 12, 6], notInViewer: true },
  { input: 'h04e_annex', dimensions: [16, 12, 4] },
  { input: 'j05_tilt', code: 'gantry-tilt' },
  { input: 'n04_a', dimensions: [16, 12, 6] },
];

const casePath = (input: string): string => dataPath('..', 'cases', input);

/** What other tests hold. */
const ELSEWHERE = new Set([
  'README.md',
  'archive',
  'hostile',
  'models',
  // Labelmaps and their series: test/cli, test/seg/read-dicom-seg.test.ts.
  ...['i01_BINARY_JPEG_2000_Im.dcm', 'i02_flip_cols.dcm', 'i02_flip_rows.dcm', 'i03_coronal.dcm'],
  ...['i05_dcmqi_ras.dcm', 'i11.dcm', 'i_src', 'n04_b'],
]);

describeWithData('the cases of public bug reports', () => {
  it.each(CASES)('$input', async ({ input, dimensions, volumes = 1, code, notInViewer, ...expected }) => {
    const { series: seriesCount = 1, warnings = [] } = expected;
    const path = casePath(input);
    const described = await describeVolumes(openFiles([path]));
    expect(described.series).toHaveLength(seriesCount);
    const [info] = described.series;
    if (seriesCount === 1) {
      expect(info?.problem?.code).toBe(code ?? (volumes > 1 ? 'several-volumes' : undefined));
      expect(info?.volumes?.length ?? 1).toBe(volumes);
      expect(info?.warnings.map((warning) => warning.code)).toEqual(warnings);
    }
    const batch = await findForBatch(openFiles([path]), {}, new AbortController().signal);
    expect(batch.series).toHaveLength(seriesCount * volumes);

    for (let phase = 1; phase <= volumes; phase++) {
      const right = code ?? dimensions;
      expect(await outcomeOf(() => readBySegment(path, volumes > 1 ? phase : undefined))).toEqual(right);
      if (notInViewer) continue;
      const inViewer = () => Promise.resolve(stackImages(headersOf(path), volumes > 1 ? { phase } : {}).geometry);
      expect(await outcomeOf(inViewer)).toEqual(right);
    }
    if (code === undefined && volumes === 1) expect(info?.geometry?.dimensions).toEqual(dimensions);
  });

  it('has a line for each', () => {
    const inputs = readdirSync(dataPath('..', 'cases')).filter((name) => !ELSEWHERE.has(name));
    expect(CASES.map(({ input }) => input).toSorted()).toEqual(inputs.toSorted());
  });
});

async function readBySegment(path: string, phase: number | undefined): Promise<VolumeGeometry> {
  const options = { model: 'any', output: 'labels.nii', ...(phase !== undefined && { phase: String(phase) }) };
  const request = parseSegmentRequest({ positionals: [path], options });
  return (await readSegmentInput(request, new AbortController().signal)).volume.geometry;
}

async function outcomeOf(read: () => Promise<VolumeGeometry>): Promise<string | readonly number[]> {
  try {
    return (await read()).dimensions;
  } catch (error) {
    if (!isSegmentationError(error)) throw error;
    return error.code;
  }
}

/** The images of a series as OHIF has them: naturalised by dcmjs. */
function headersOf(path: string): ImageHeader[] {
  return readdirSync(path).map((name) => {
    const { buffer, byteOffset, byteLength } = readFileSync(join(path, name));
    const file = dcmjs.data.DicomMessage.readFile(buffer.slice(byteOffset, byteOffset + byteLength));
    return readImageHeader(dcmjs.data.DicomMetaDictionary.naturalizeDataset(file.dict), name);
  });
}
