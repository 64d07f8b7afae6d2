import { InputError } from '../errors.ts';
import { segSourceOf } from '../seg/dicom-seg-sources.ts';
import type { Labelmap, Segment } from '../labelmap/labelmap.ts';
import { createUid } from '../labelmap/segmentation-result.ts';
import type { ModelManifest } from '../models/manifest.ts';
import { openFiles } from '../node/files.ts';
import { assertWritable, writeFilesTogether } from '../node/write-file.ts';
import type { SourceFile } from '../io/reader.ts';
import { readVolume, readVolumeOrPhase, type ReadVolumeResult } from '../series/read-volume.ts';
import type { InterruptibleContext } from './standard-stream.ts';
import { convertSpec } from './commands.ts';
import { encodeVerified, type OutputFormat, outputFormatOf, softwareVersion } from './encode-labelmap.ts';
import { assertSameVoxels, regridLabelmap } from '../labelmap/regrid.ts';
import { assertKeepsImages, assertNotAnInput } from './segment-request.ts';
import { type CommandArguments, invalidArguments } from './parse-arguments.ts';
import { formatGeometry, printLines, printWarnings, RESEARCH_USE_ONLY } from './print.ts';
import { isDicomSeg, readLabelmap, unnamedSegments } from './read-labelmap.ts';
import {
  parseImageOptions,
  parseLimits,
  parseOverlap,
  parseSegEncoding,
  readers,
  warningsFor,
} from './read-options.ts';

interface Converted {
  readonly parts: readonly Uint8Array[];
  readonly lines: readonly string[];
}

type ConvertOptions = CommandArguments<typeof convertSpec>['options'];

/** `slicewise convert`: image → NIfTI, DICOM-SEG → NIfTI labelmap, NIfTI labelmap → DICOM-SEG. */
export async function convert(
  { positionals, options }: CommandArguments<typeof convertSpec>,
  context: InterruptibleContext,
): Promise<void> {
  const inputs = positionals.slice(0, -1);
  const output = positionals.at(-1) ?? '';
  const format = outputFormatOf(output, 'convert');
  assertNotAnInput([output], inputs);
  await assertWritable(output);
  if (format === 'dicom-seg' && options.model !== undefined) await manifestOf(options.model);
  const files = openFiles(inputs);
  await assertKeepsImages([output], [...files, ...(options.reference ? openFiles([options.reference]) : [])]);
  const { parts, lines } = await convertTo(format, files, options, context);
  await writeFilesTogether(
    async (stage) => {
      await stage(output, parts);
    },
    { signal: context.signal },
  );
  if (!options.quiet) printLines(context.stdout, [...lines, `wrote ${output}`, RESEARCH_USE_ONLY]);
}

async function convertTo(
  format: OutputFormat,
  files: readonly SourceFile[],
  options: ConvertOptions,
  context: InterruptibleContext,
): Promise<Converted> {
  if (format === 'dicom-seg') return niftiToSegmentation(files, options, context);
  parseSegEncoding(convertSpec, options, format);
  if (options.model !== undefined) {
    throw invalidArguments(convertSpec, '--model names the segments of a DICOM-SEG, and the output is NIfTI');
  }
  const [file, another] = files;
  if (file !== undefined && another === undefined && (await isDicomSeg(file))) {
    return segmentationToNifti(file, format, options, context);
  }
  if (options.reference !== undefined) {
    throw invalidArguments(convertSpec, '--reference is for labelmaps, and the input is an image');
  }
  return imageToNifti(files, format, options, context);
}

async function imageToNifti(
  files: readonly SourceFile[],
  format: OutputFormat,
  options: ConvertOptions,
  { stderr, signal }: InterruptibleContext,
): Promise<Converted> {
  const { volume, warnings } = await readVolume(files, { readers, signal, ...parseImageOptions(convertSpec, options) });
  printWarnings(stderr, warningsFor(format, warnings), convertSpec);
  const { encodeNiftiImage } = await import('../nifti/encode-nifti.ts');
  const bytes = await encodeNiftiImage(volume, { gzip: format === 'nifti-gzip' });
  return { parts: [bytes], lines: formatGeometry(volume.geometry) };
}

async function segmentationToNifti(
  file: SourceFile,
  format: OutputFormat,
  options: ConvertOptions,
  context: InterruptibleContext,
): Promise<Converted> {
  const { stderr } = context;
  const rule = parseOverlap(convertSpec, options.overlap);
  const reference = (await readReference(options, context))?.volume;
  const limits = parseLimits(convertSpec, options.limit);
  const { labelmap, warnings } = await readLabelmap([file], { reference, ...rule, ...limits });
  printWarnings(stderr, warnings, convertSpec);
  if (reference === undefined) {
    printWarnings(
      stderr,
      [
        {
          code: 'partial-grid',
          message:
            'A DICOM-SEG leaves out empty slices, so the NIfTI file may have fewer slices than its series; ' +
            '--reference with the folder of the series fills them.',
        },
      ],
      convertSpec,
    );
  }
  const space = reference?.niftiSpace;
  const { parts } = await encodeVerified(labelmap, format, { ...origin(), space });
  return { parts, lines: [...formatGeometry(labelmap.geometry), ...listSegments(labelmap)] };
}

async function niftiToSegmentation(
  files: readonly SourceFile[],
  options: ConvertOptions,
  context: InterruptibleContext,
): Promise<Converted> {
  const { model } = options;
  const segEncoding = parseSegEncoding(convertSpec, options, 'dicom-seg');
  const { format, labelmap, warnings } = await readLabelmap(files, parseLimits(convertSpec, options.limit));
  printWarnings(context.stderr, warnings, convertSpec);
  if (format !== 'NIfTI') {
    throw new InputError('not-nifti', 'The labelmap is a DICOM-SEG already; only NIfTI becomes one.', {
      remedy: 'Name an output that ends in .nii or .nii.gz, or an input that is a NIfTI labelmap.',
    });
  }
  const read = await readReference(options, context);
  if (read === undefined) throw referenceMissing();
  const { volume: reference, leftOutFiles } = read;
  const source = segSourceOf(reference);
  assertSameVoxels(labelmap.geometry, reference.geometry);
  const placed = regridLabelmap(labelmap, reference.geometry);
  const unnamed = unnamedSegments(placed.voxels);
  if (unnamed.length === 0 && model === undefined) throw nothingToName();
  const named = { ...placed, segments: model === undefined ? unnamed : await segmentsOfModel(model, unnamed.length) };
  const isSeriesIncomplete = leftOutFiles.length > 0;
  const target = { ...origin(), source, segEncoding, isSeriesIncomplete };
  const encoded = await encodeVerified(named, 'dicom-seg', target);
  printWarnings(context.stderr, encoded.warnings, convertSpec);
  return { parts: encoded.parts, lines: [...formatGeometry(named.geometry), ...listSegments(named)] };
}

/** A model's segment descriptions; MANUAL, because a NIfTI file does not say what made its labels. */
async function segmentsOfModel(idOrFolder: string, largestLabel: number): Promise<Segment[]> {
  const manifest = await manifestOf(idOrFolder);
  if (largestLabel > manifest.segments.length) {
    throw new InputError(
      'invalid-voxels',
      `The labelmap has labels up to ${String(largestLabel)}, and ${manifest.id} has ` +
        `${String(manifest.segments.length)} segments.`,
      { remedy: 'Name the model that made the labelmap, or leave --model out.' },
    );
  }
  return manifest.segments.map((description) => ({
    segmentNumber: description.segmentNumber,
    segmentLabel: description.segmentLabel,
    segmentedPropertyCategory: description.segmentedPropertyCategory,
    segmentedPropertyType: description.segmentedPropertyType,
    ...(description.segmentedPropertyTypeModifier && {
      segmentedPropertyTypeModifier: description.segmentedPropertyTypeModifier,
    }),
    ...(description.anatomicRegion && { anatomicRegion: description.anatomicRegion }),
    recommendedDisplayCIELab: description.recommendedDisplayCIELab,
    algorithmType: 'MANUAL',
    trackingID: description.segmentLabel,
    trackingUID: createUid(),
  }));
}

async function manifestOf(idOrFolder: string): Promise<ModelManifest> {
  const { openModelFolder } = await import('../node/model-folders.ts');
  const { loadManifest } = await import('../models/load-model.ts');
  return loadManifest(await openModelFolder(idOrFolder));
}

async function readReference(
  options: ConvertOptions,
  { stderr, signal }: InterruptibleContext,
): Promise<ReadVolumeResult | undefined> {
  const { reference: path } = options;
  if (path === undefined) return undefined;
  const read = await readVolumeOrPhase(openFiles([path]), {
    readers,
    signal,
    ...parseImageOptions(convertSpec, options),
  });
  printWarnings(stderr, read.warnings, convertSpec);
  return read;
}

function nothingToName(): InputError {
  return new InputError('invalid-voxels', 'The labelmap is empty, and a DICOM-SEG names its segments all the same.', {
    remedy: 'Pass --model with the model that found nothing: its segments are written, each with one empty frame.',
  });
}

function referenceMissing(): InputError {
  return new InputError('source-not-dicom', 'A DICOM-SEG refers to DICOM images, and a NIfTI labelmap has none.', {
    remedy: 'Pass --reference with the folder of the DICOM series that the labelmap was made from.',
  });
}

function origin() {
  return { source: undefined, origin: { softwareVersion: softwareVersion() } };
}

function listSegments({ segments }: Labelmap): string[] {
  return segments.map(({ segmentNumber, segmentLabel }) => `${String(segmentNumber)}  ${segmentLabel}`);
}
