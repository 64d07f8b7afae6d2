/** One task of the segmentation bench in a process of its own: `seg-task.ts <task> <seg.dcm>`. Prints milliseconds, the
 * bytes that the process took beyond what it held before, and what came out. Libraries are loaded before the clock runs. */
import { readFileSync, writeFileSync } from 'node:fs';
import { adaptersSEG } from '@cornerstonejs/adapters';
import { Enums } from '@cornerstonejs/core';
import { readSegmentationNode } from '@itk-wasm/dicom';
import dcmjs from 'dcmjs';
import { preloadDicomWriter } from '../../src/dicom/write-dicom.ts';
import { encodeDicomSeg, type DicomSegOptions } from '../../src/seg/encode-dicom-seg.ts';
import { verifyDicomSeg } from '../../src/verify.ts';
import { readDicomSeg } from '../../src/seg/read-dicom-seg.ts';
import { testProvenance } from '../support/labelled-series.ts';
import { COLUMNS, createSegSample, SEGMENTS, type SegSample } from './seg-sample.ts';

interface Result {
  readonly frames?: number;
  /** Counted after the clock. */
  readonly labels?: ArrayLike<number>;
}

const tasks: Readonly<Record<string, (file: string) => Promise<() => Promise<Result>>>> = {
  async 'encode: slicewise, BINARY'(file) {
    return encodeOurs(file, {});
  },
  async 'encode: slicewise, LABELMAP'() {
    return encodeOurs(undefined, { segType: 'labelmap' });
  },
  async 'encode: slicewise, LABELMAP RLE'() {
    return encodeOurs(undefined, { segType: 'labelmap', compress: true });
  },
  async 'encode and verify: slicewise, BINARY'() {
    const { labelmap, source } = createSegSample();
    await preloadDicomWriter();
    return async () => {
      const { parts, frameCount } = await encodeDicomSeg(labelmap, source, options);
      await verifyDicomSeg(parts, labelmap, source);
      return { frames: frameCount };
    };
  },
  'encode: adapters + dcmjs, BINARY': () => Promise.resolve(encodeWithAdapters(createSegSample())),
  'decode: slicewise'(file) {
    const bytes = new Uint8Array(readFileSync(file));
    return Promise.resolve(async () => ({ labels: (await readDicomSeg(bytes)).labelmap.voxels }));
  },
  'decode: dcmqi (itk-wasm)'(file) {
    return Promise.resolve(async () => {
      const { segImage } = await readSegmentationNode(file);
      return { labels: segImage.data as Uint8Array };
    });
  },
};

/** Writes the file that the decoders read, after the clock. */
let written = (): void => undefined;

const options: DicomSegOptions = { provenance: testProvenance, now: new Date(0) };

async function encodeOurs(
  file: string | undefined,
  form: Pick<DicomSegOptions, 'segType' | 'compress'>,
): Promise<() => Promise<Result>> {
  const { labelmap, source } = createSegSample();
  await preloadDicomWriter();
  return async () => {
    const { parts, frameCount } = await encodeDicomSeg(labelmap, source, { ...options, ...form });
    written = () => {
      if (file !== undefined) writeFileSync(file, Buffer.concat(parts));
    };
    return { frames: frameCount };
  };
}

function encodeWithAdapters({ labelmap, source }: SegSample): () => Promise<Result> {
  const { STUDY_DATA, SERIES_DATA, IMAGE_DATA }: Readonly<Record<string, string>> = Enums.MetadataModules;
  const size = COLUMNS * COLUMNS;
  const pixels = new Int16Array(size);
  const images = source.instances.map(({ sopInstanceUID }) => ({
    imageId: sopInstanceUID,
    voxelManager: { getScalarData: () => pixels },
  }));
  const study = { StudyInstanceUID: source.studyInstanceUID, PatientName: 'x', PatientID: 'x', StudyDate: '20240229' };
  const series = { SeriesInstanceUID: source.seriesInstanceUID, Modality: 'CT', SeriesNumber: 1 };
  const metadata = {
    get(type: string, id: string): unknown {
      const instance = source.instances.find(({ sopInstanceUID }) => sopInstanceUID === id);
      if (type === STUDY_DATA) return study;
      if (type === SERIES_DATA) return series;
      if (type !== IMAGE_DATA || instance === undefined) return undefined;
      return {
        SOPClassUID: instance.sopClassUID,
        SOPInstanceUID: id,
        FrameOfReferenceUID: source.frameOfReferenceUID,
        InstanceNumber: instance.sliceIndex + 1,
        Rows: COLUMNS,
        Columns: COLUMNS,
        SamplesPerPixel: 1,
        PhotometricInterpretation: 'MONOCHROME2',
        BitsAllocated: 16,
        BitsStored: 16,
        HighBit: 15,
        PixelRepresentation: 1,
        PixelSpacing: source.pixelSpacing.map(Number),
        SliceThickness: 1.5,
        SpacingBetweenSlices: 1.5,
        ImageOrientationPatient: source.imageOrientationPatient.map(Number),
        ImagePositionPatient: instance.imagePositionPatient.map(Number),
      };
    },
  };
  const code = (value: string, meaning: string) => ({
    CodeValue: value,
    CodingSchemeDesignator: 'SCT',
    CodeMeaning: meaning,
  });
  const segments = labelmap.segments.map(({ segmentNumber, segmentLabel, recommendedDisplayCIELab }) => ({
    SegmentNumber: segmentNumber,
    SegmentLabel: segmentLabel,
    SegmentAlgorithmType: 'AUTOMATIC',
    SegmentAlgorithmName: 'test',
    RecommendedDisplayCIELabValue: [...recommendedDisplayCIELab],
    SegmentedPropertyCategoryCodeSequence: code('91723000', 'Anatomical Structure'),
    SegmentedPropertyTypeCodeSequence: code('64033007', 'Kidney'),
  }));
  const labelmaps2D = source.instances.map((_, k) => ({
    pixelData: labelmap.voxels.subarray(k * size, (k + 1) * size),
    rows: COLUMNS,
    columns: COLUMNS,
    segmentsOnLabelmap: segments.map(({ SegmentNumber }) => SegmentNumber),
  }));
  const labelmap3D = { labelmaps2D, metadata: [undefined, ...segments] };
  return () => {
    const { dataset } = adaptersSEG.Cornerstone3D.Segmentation.generateSegmentation(images, labelmap3D, metadata) as {
      dataset: { NumberOfFrames: number };
    };
    const file = datasetToBuffer(dataset);
    if (file.length < (SEGMENTS * 300 * size) / 8) throw new Error('the adapters wrote too little');
    return Promise.resolve({ frames: dataset.NumberOfFrames });
  };
}

const { datasetToBuffer } = dcmjs.data as unknown as { datasetToBuffer: (dataset: object) => Buffer };

function labelled(voxels: ArrayLike<number>): number {
  let count = 0;
  for (let at = 0; at < voxels.length; at++) if (voxels[at] !== 0) count++;
  return count;
}

/** The largest resident set since the last reset, from the kernel; NaN where there is none. */
function peakBytes(): number {
  try {
    return 1024 * Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]);
  } catch {
    return NaN;
  }
}

function resetPeak(): void {
  try {
    writeFileSync('/proc/self/clear_refs', '5');
  } catch {
    // Not Linux: the peak is not told either.
  }
}

const [name = '', file = ''] = process.argv.slice(2);
const prepare = tasks[name];
if (prepare === undefined) throw new RangeError(`no task ${name}`);
const run = await prepare(file);
global.gc?.();
resetPeak();
const before = process.memoryUsage().rss;
const begin = performance.now();
const result = await run();
const ms = performance.now() - begin;
written();
const { frames, labels } = result;
const extraBytes = Math.max(0, peakBytes() - before);
console.log(`\n${JSON.stringify({ ms, extraBytes, frames, ...(labels && { voxels: labelled(labels) }) })}`);
setTimeout(() => process.exit(0), 500); // the WebAssembly pipeline keeps its process alive
