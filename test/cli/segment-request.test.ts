import { describe, expect, test } from 'vitest';
import { InputError } from '../../src/errors.ts';
import { parseBatchRequest, type BatchRequest } from '../../src/cli/batch/batch-request.ts';
import { segmentSpec } from '../../src/cli/commands.ts';
import { parseArguments } from '../../src/cli/parse-arguments.ts';
import { parseSegmentRequest } from '../../src/cli/segment-request.ts';

const given = (...argv: string[]) => parseArguments(segmentSpec, ['scans', '--model', 'm', ...argv]);
const batch = (...argv: string[]): BatchRequest => parseBatchRequest(given('--output-dir', 'out', ...argv), 8);

function refusal(parse: () => unknown): string {
  try {
    parse();
  } catch (error) {
    if (error instanceof InputError && error.code === 'invalid-arguments') return error.message;
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('parseSegmentRequest', () => {
  test('limits are raised by the names that errors give them', () => {
    const { image } = parseSegmentRequest(given('--output', 'o.nii', '--limit', 'voxels=2e9,elements=10000000'));
    expect(image.limits).toEqual({ voxels: 2e9, elements: 1e7 });
    expect(batch('--limit', 'voxels=2e9').image.limits).toEqual({ voxels: 2e9 });
  });

  test.each(['voxels', 'voxel=1', 'voxels=0', 'voxels=many', 'voxels=1,', '=3'])('--limit %s is refused', (text) => {
    const problem = refusal(() => parseSegmentRequest(given('--output', 'o.nii', '--limit', text)));
    expect(problem).toContain('--limit is a name and a number');
    expect(problem).toContain('inflateRatio');
  });

  test('without an output it is said that there are two ways to name one', () => {
    const parse = () => parseSegmentRequest(given());
    expect(refusal(parse)).toBe('--output is missing.');
    expect(parse).toThrow(
      expect.objectContaining({ remedy: expect.stringContaining('--output-dir') as string }) as Error,
    );
  });

  test.each([['--csv', 'r.csv'], ['--jobs', '2'], ['--format', 'nii'], ['--json']])(
    '%s is for many series',
    (...option) => {
      expect(refusal(() => parseSegmentRequest(given('--output', 'x.dcm', ...option)))).toContain(
        `${option[0]} is for`,
      );
    },
  );
});

describe('parseBatchRequest', () => {
  test('one job leaves its threads to the runtime, several share the processor', () => {
    expect(batch()).toMatchObject({ jobs: 1 });
    expect(batch().threads).toBeUndefined();
    expect(batch('--jobs', '3')).toMatchObject({ jobs: 3, threads: 2 });
    expect(batch('--jobs', '64')).toMatchObject({ jobs: 64, threads: 1 });
    expect(batch('--jobs', '3', '--threads', '4')).toMatchObject({ threads: 4 });
  });

  test('a format is one for all; without one each series has its own', () => {
    expect(batch().format).toBeUndefined();
    expect(batch('--format', 'nii.gz').format).toBe('nifti-gzip');
    expect(batch('--seg-type', 'labelmap', '--compress').segEncoding).toEqual({ segType: 'labelmap', compress: true });
  });

  test.each([
    [['--output', 'x.dcm'], '--output is for one series'],
    [['--preview', 'p.png'], '--preview is for one series'],
    [['--report', 'r.json'], '--report is for one series'],
    [['--series', '1.2'], '--series is for one series'],
    [['--reference', 'scans'], '--reference is for one series'],
    [['--jobs', '0'], '--jobs is a whole number from 1 to 64, not 0'],
    [['--jobs', '1.5'], 'not 1.5'],
    [['--format', 'mha'], '--format is dcm, nii or nii.gz, not mha'],
    [['--format', 'nii', '--seg-type', 'labelmap'], '--seg-type is for DICOM-SEG'],
    [['--csv', 'results.txt'], '--csv writes a file that ends in .csv'],
    [['--threads', 'all'], '--threads is a whole number'],
  ])('%j is refused', (extra, message) => {
    expect(refusal(() => batch(...extra))).toContain(message);
  });
});
