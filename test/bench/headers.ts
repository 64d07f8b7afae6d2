import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { encodePart10, type DicomAttributes } from '../support/part10.ts';
import { measureProcess } from './measure-process.ts';
import { median, type Verdict } from './targets.ts';

// `npm run bench -- headers`: CPU time of parsing DICOM headers. SLICEWISE_OTHER_DIST names the `dist` folder of another
// build, which then takes turns with this one; the targets are figures against it.

const FILES = 300;
const FRAMES = 3000;
const ROUNDS = 15;
/** The quickest that takes CT. */
const MODEL = 'abdomen-ct-fast';

/** What is called of a build; a build is plain JavaScript of some version. */
interface Build {
  readonly name: string;
  readonly parseDicom: (bytes: Uint8Array, name: string) => unknown;
  readonly sliceHeaders: (dataset: never, name: string) => readonly unknown[];
}

interface HeaderTask {
  readonly name: string;
  /** CPU time of this build against the other one's. */
  readonly most: number;
  readonly run: (build: Build) => unknown;
}

/** @returns whether this build keeps to the targets; those against another build only where there is one */
export async function benchHeaders(root: string): Promise<Verdict[]> {
  const other = process.env['SLICEWISE_OTHER_DIST'];
  const own = await loadBuild('this build', join(root, 'dist'));
  const builds = other === undefined ? [own] : [own, await loadBuild('the other build', other)];
  const verdicts: Verdict[] = [];
  for (const task of headerTasks()) {
    const times = builds.map((): number[] => []);
    for (let round = 0; round < ROUNDS; round++) {
      builds.forEach((build, n) => times[n]?.push(cpuTimeOf(() => task.run(build))));
    }
    const [ours = NaN, theirs] = times.map(median);
    const figures = builds.map(({ name }, n) => `${name} ${median(times[n] ?? []).toFixed(1)} ms`).join(', ');
    console.log(`${task.name}: ${figures}`);
    if (theirs === undefined) continue;
    verdicts.push({
      kind: 'must',
      claim: `${task.name}: at most ${task.most} × the other build`,
      found: `${(ours / theirs).toFixed(2)} ×`,
      holds: ours <= task.most * theirs,
    });
  }
  verdicts.push(await shareOfWholeRun(root, own));
  return verdicts;
}

/** The walk through an enhanced file of undefined lengths against the run of a model on all of its frames. */
async function shareOfWholeRun(root: string, build: Build): Promise<Verdict> {
  const scratch = await mkdtemp(join(tmpdir(), 'slicewise-headers-'));
  try {
    const bytes = encodePart10(enhancedHeader(), { undefinedLengths: true });
    const [input, output] = [join(scratch, 'enhanced.dcm'), join(scratch, 'labels.nii.gz')];
    await writeFile(input, bytes);
    const run = ['segment', input, '--model', MODEL, '--output', output, '--quiet', '--force'];
    const { wallMs } = await measureProcess(process.execPath, [join(root, 'dist/cli/main.js'), ...run]);
    const walks = Array.from({ length: ROUNDS }, () => cpuTimeOf(() => headersOf(build, bytes)));
    const share = median(walks) / wallMs;
    return {
      kind: 'must',
      claim: `${FRAMES} frames, undefined lengths: at most 5 % of a run of ${MODEL}`,
      found: `${(100 * share).toFixed(2)} % of ${(wallMs / 1000).toFixed(0)} s`,
      holds: share <= 0.05,
    };
  } finally {
    await rm(scratch, { recursive: true });
  }
}

const headersOf = (build: Build, bytes: Uint8Array): readonly unknown[] =>
  build.sliceHeaders(build.parseDicom(bytes, 'enhanced.dcm') as never, 'enhanced.dcm');

async function loadBuild(name: string, dist: string): Promise<Build> {
  const load = (path: string): Promise<unknown> => {
    // Builds of before files lay by subject have both in one folder.
    const file = [join(dist, path), join(dist, 'readers', basename(path))].find((each) => existsSync(each));
    if (file === undefined) throw new Error(`${join(dist, path)} is missing: build with \`npm run build\`.`);
    return import(pathToFileURL(file).href);
  };
  const [dataset, header] = await Promise.all([load('dicom/dicom-dataset.js'), load('series/slice-header.js')]);
  return { name, ...(dataset as Pick<Build, 'parseDicom'>), ...(header as Pick<Build, 'sliceHeaders'>) };
}

function headerTasks(): HeaderTask[] {
  const files = Array.from({ length: FILES }, (_, n) => encodePart10(ctHeader(n)));
  const enhanced = enhancedHeader();
  const [known, open] = [encodePart10(enhanced), encodePart10(enhanced, { undefinedLengths: true })];
  return [
    {
      name: `${FILES} headers of a CT series`,
      most: 1.15,
      run: (build) => files.map((bytes) => build.parseDicom(bytes, 'slice.dcm')),
    },
    { name: `${FRAMES} frames, known lengths`, most: 1.3, run: (build) => headersOf(build, known) },
    // Every sequence is walked to find its end: bound by what a whole run takes (below), not by the other build.
    { name: `${FRAMES} frames, undefined lengths`, most: 5, run: (build) => headersOf(build, open) },
  ];
}

function cpuTimeOf(work: () => unknown): number {
  const start = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1000;
}

/** As many attributes as a scanner writes, three of them sequences. */
function ctHeader(n: number): DicomAttributes {
  const uid = (m: number) => `1.2.826.0.1.3680043.8.498.${m}.${'7'.repeat(20)}`;
  const code = [{ CodeValue: '818981001', CodingSchemeDesignator: 'SCT', CodeMeaning: 'Abdomen' }];
  return {
    SpecificCharacterSet: 'ISO_IR 100',
    ImageType: ['ORIGINAL', 'PRIMARY', 'AXIAL', 'CT_SOM5 SPI'],
    SOPClassUID: '1.2.840.10008.5.1.4.1.1.2',
    SOPInstanceUID: uid(1000 + n),
    StudyDate: '20200101',
    SeriesDate: '20200101',
    ContentDate: '20200101',
    StudyTime: '120000.000000',
    AcquisitionTime: '120000.000000',
    ContentTime: '120000.000000',
    AccessionNumber: '12345',
    Modality: 'CT',
    Manufacturer: 'Synthetic',
    ReferringPhysicianName: 'A^B',
    StudyDescription: 'Abdomen',
    SeriesDescription: 'Abdomen 1.0 B30f',
    ManufacturerModelName: 'Model',
    ReferencedSeriesSequence: [{ SeriesInstanceUID: uid(2) }],
    SourceImageSequence: [{ ReferencedSOPClassUID: uid(3), ReferencedSOPInstanceUID: uid(4) }],
    AnatomicRegionSequence: code,
    PatientName: 'Synthetic',
    PatientID: '1',
    PatientBirthDate: '19500101',
    PatientSex: 'F',
    PatientAge: '070Y',
    PatientSize: '1.7',
    PatientWeight: '70',
    BodyPartExamined: 'ABDOMEN',
    SliceThickness: '1.0',
    DeviceSerialNumber: '1',
    SoftwareVersions: '1',
    GantryDetectorTilt: '0',
    ConvolutionKernel: 'B30f',
    StudyInstanceUID: uid(5),
    SeriesInstanceUID: uid(6),
    StudyID: '1',
    SeriesNumber: '2',
    AcquisitionNumber: '1',
    InstanceNumber: String(n + 1),
    ImagePositionPatient: ['-180.5', '-180.5', `${n}.0`],
    ImageOrientationPatient: ['1', '0', '0', '0', '1', '0'],
    FrameOfReferenceUID: uid(7),
    PositionReferenceIndicator: '',
    ...pixelAttributes(),
    PixelData: new Uint8Array(2 * 16 * 16),
  };
}

function enhancedHeader(): DicomAttributes {
  return {
    SOPClassUID: '1.2.840.10008.5.1.4.1.1.2.1',
    SOPInstanceUID: '1.2.3.4',
    Modality: 'CT',
    NumberOfFrames: String(FRAMES),
    SharedFunctionalGroupsSequence: [
      {
        PixelMeasuresSequence: [{ PixelSpacing: ['0.7', '0.7'], SliceThickness: '1' }],
        PlaneOrientationSequence: [{ ImageOrientationPatient: ['1', '0', '0', '0', '1', '0'] }],
        PixelValueTransformationSequence: [{ RescaleIntercept: '-1024', RescaleSlope: '1', RescaleType: 'HU' }],
      },
    ],
    PerFrameFunctionalGroupsSequence: Array.from({ length: FRAMES }, (_, n) => ({
      PlanePositionSequence: [{ ImagePositionPatient: ['-180.5', '-180.5', `${n}.0`] }],
      FrameContentSequence: [{ DimensionIndexValues: [1, n + 1], StackID: '1' }],
      CTReconstructionSequence: [{ ConvolutionKernel: 'B30f' }],
    })),
    ...pixelAttributes(),
    PixelData: new Uint8Array(2 * 16 * 16 * FRAMES),
  };
}

function pixelAttributes(): DicomAttributes {
  return {
    SamplesPerPixel: 1,
    PhotometricInterpretation: 'MONOCHROME2',
    Rows: 16,
    Columns: 16,
    PixelSpacing: ['0.7', '0.7'],
    BitsAllocated: 16,
    BitsStored: 12,
    HighBit: 11,
    PixelRepresentation: 0,
    RescaleIntercept: '-1024',
    RescaleSlope: '1',
    LossyImageCompression: '00',
  };
}
