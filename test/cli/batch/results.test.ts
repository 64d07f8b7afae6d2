import { expect, test } from 'vitest';
import { resultsCsv, type SeriesOutcome } from '../../../src/cli/batch/results.ts';
import type { SegmentationReport } from '../../../src/cli/documents.ts';
import { parseCsv } from '../../support/csv.ts';

const sha256 = 'a'.repeat(64);
const code = { codeValue: '87878005', codingSchemeDesignator: 'SCT', codeMeaning: 'Left ventricle' };

function outcomeOf(uncertaintyPerSlice: SegmentationReport['uncertaintyPerSlice']): SeriesOutcome {
  const path = '1.2.dcm';
  return {
    series: {
      seriesInstanceUID: '1.2',
      path: 'a',
      format: 'DICOM',
      hasIdentity: true,
      files: [],
      leftOutFiles: [],
    },
    names: { format: 'dicom-seg', segmentation: path, report: '1.2.json' },
    status: 'done',
    report: {
      schemaVersion: 1,
      notice: 'Research use only: not a medical device.',
      software: { name: 'slicewise', version: '0.1.0' },
      startedAt: '2026-01-01T00:00:00.000Z',
      input: {
        geometry: {
          dimensions: [4, 4, 3],
          spacing: [1, 1, 1],
          origin: [0, 0, 0],
          direction: [
            [1, 0, 0],
            [0, 1, 0],
            [0, 0, 1],
          ],
        },
        ignoredFiles: 0,
        leftOutFiles: [],
      },
      model: { id: 'heart', version: '1.0.0', title: 'Heart', licence: 'MIT', sha256, manifestSha256: sha256 },
      backend: { id: 'node', perSlice: [], viewsPerSlice: 1 },
      segments: [
        {
          segmentNumber: 1,
          segmentLabel: 'Left ventricle',
          segmentedPropertyType: code,
          voxelCount: 0,
          volumeMl: 0,
          isLowerBound: true,
          touchesBorder: [],
        },
      ],
      uncertaintyPerSlice,
      warnings: [],
      durationsMs: { total: 1, read: 0, load: 0, segment: 0, inference: 0, write: 0, outside: 0 },
      peakMemoryBytes: 1,
      outputs: { segmentation: { path, byteLength: 1, sha256 } },
    },
  };
}

test.each([
  ['of the slices that were run', [null, 0.25, 0.5], '0.375'],
  ['none where no slice was run', [null, null, null], ''],
])('the mean uncertainty of slices is that %s', (_, perSlice, expected) => {
  const [row] = parseCsv(resultsCsv([outcomeOf(perSlice)], { id: 'heart', version: '1.0.0' }));
  expect(row).toMatchObject({ mean_slice_uncertainty: expected, mean_uncertainty: '', slices: '3' });
});
