import type { CommandSpec, PositionalSpec } from './parse-arguments.ts';
import { RESEARCH_USE_ONLY } from './print.ts';

const json = { type: 'boolean', help: 'print one JSON document and nothing else' } as const;
const series = {
  type: 'string',
  value: 'UID',
  help: 'the Series Instance UID to take, where there are several',
} as const;
const limit = {
  type: 'string',
  value: 'name=N,…',
  help: 'raise a limit that an error named, for files that are sound: voxels=2e9',
} as const;
const imageOptions = {
  series,
  phase: {
    type: 'string',
    value: 'N',
    help: 'of several volumes in one series or file (cardiac phases, echoes, time points) the N-th, from 1',
  },
  resample: {
    type: 'boolean',
    help: 'interpolate unequal gaps and a tilted gantry away; a DICOM-SEG still refers to the images as they are',
  },
  limit,
} as const;
const segOptions = {
  'seg-type': {
    type: 'string',
    value: 'binary|labelmap',
    help: 'how a DICOM-SEG stores its segments: binary (default, read everywhere), or labelmap (newer, one frame a slice)',
  },
  compress: { type: 'boolean', help: 'RLE Lossless; for --seg-type labelmap' },
} as const;
const overlap = {
  type: 'string',
  value: 'first|last',
  help: 'of overlapping segments of a DICOM-SEG, which keeps the voxels, by number; refused by default',
} as const;
const quiet = { type: 'boolean', help: 'no progress, no summary; warnings and errors only' } as const;

export const segmentSpec = {
  name: 'segment',
  summary: 'segment a series, or every series of a folder, into DICOM-SEG or NIfTI labelmaps',
  positionals: [
    {
      name: 'input',
      help: 'a folder (with its subfolders), a .zip, one file, or several files: DICOM or NIfTI',
      several: true,
    },
  ],
  options: {
    model: { type: 'string', value: 'id|folder', help: 'a model of `slicewise models`, or your own model folder' },
    output: { type: 'string', value: 'file', help: '.dcm is DICOM-SEG, .nii and .nii.gz a NIfTI labelmap' },
    'output-dir': {
      type: 'string',
      value: 'folder',
      help: 'in place of --output: segment every series of the input, each to a file there; what is done is not done again',
    },
    csv: { type: 'string', value: 'results.csv', help: 'for --output-dir: a table with a line a series and segment' },
    jobs: { type: 'string', value: 'N', help: 'for --output-dir: series at a time, each in a process (default 1)' },
    format: {
      type: 'string',
      value: 'dcm|nii|nii.gz',
      help: 'for --output-dir: what to write (default: DICOM-SEG of DICOM series, else .nii.gz)',
    },
    overwrite: {
      type: 'boolean',
      help: 'for --output-dir: make again what somebody changed since it was written, which is kept by default',
    },
    ...segOptions,
    ...imageOptions,
    reference: {
      type: 'string',
      value: 'folder',
      help: 'the DICOM series on the same grid that a DICOM-SEG of a NIfTI input refers to',
    },
    backend: { type: 'string', value: 'node|wasm', help: 'onnxruntime for this machine (node), or WebAssembly' },
    tta: {
      type: 'boolean',
      help: 'average over the flips, rotations and scales the model allows: slower, and mostly better (docs/models.md)',
    },
    threads: { type: 'string', value: 'N', help: 'threads for inference' },
    force: { type: 'boolean', help: 'go on although modality or body part are not what the model was made for' },
    preview: { type: 'string', value: 'picture.png', help: 'also write a contact sheet with coloured outlines' },
    report: { type: 'string', value: 'report.json', help: 'also write what was done, measured and found' },
    json: { type: 'boolean', help: 'for --output-dir: print one JSON document and nothing else' },
    quiet,
  },
  required: ['model'],
  examples: [
    'slicewise segment scans/heart --model cardiac-mr --output heart.dcm --preview heart.png',
    'slicewise segment heart.nii.gz --model cardiac-mr --output labels.nii.gz',
    'slicewise segment scans --model cardiac-mr --output-dir results --csv results.csv --jobs 2',
  ],
} as const satisfies CommandSpec;

export const infoSpec = {
  name: 'info',
  summary: 'say which series are there, their geometry, and what is odd about them',
  positionals: [
    { name: 'input', help: 'a folder (with its subfolders), a .zip, one file, or several files', several: true },
  ],
  options: { limit, json },
  required: [],
  examples: ['slicewise info scans/heart', 'slicewise info scans --json'],
} as const satisfies CommandSpec;

export const modelsSpec = {
  name: 'models',
  summary: 'list the models, show one, verify that one computes here what it should, or add one',
  positionals: [
    {
      name: 'list|show|verify|add',
      help: 'list (the default), show <id|folder>, verify <id|folder>, add <folder|address>',
      optional: true,
    },
    {
      name: 'id|folder',
      help: 'an installed model, or a model folder; for add also its http(s) address',
      optional: true,
    },
  ],
  options: {
    backend: { type: 'string', value: 'node|wasm', help: 'the backend to verify on' },
    from: { type: 'string', value: 'root', help: 'for add <id>: the folder or address that holds the model folders' },
    replace: { type: 'boolean', help: 'for add: in place of another model of that id that you added before' },
    json,
  },
  required: [],
  examples: [
    'slicewise models',
    'slicewise models verify cardiac-mr-fast',
    'slicewise models add abdomen-ct --from checkout/models',
  ],
} as const satisfies CommandSpec;

export const ohifFilesSpec = {
  name: 'ohif-files',
  summary: 'write the extension, the mode and models for an OHIF of your own, to be served',
  positionals: [{ name: 'folder', help: 'a new or empty folder' }],
  options: {
    models: { type: 'string', value: 'id,…', help: 'which installed models go along (default: all)' },
    address: {
      type: 'string',
      value: 'path',
      help: "where the folder will be served, on OHIF's own origin (default /slicewise-files/)",
    },
  },
  required: [],
  examples: ['slicewise ohif-files ohif/slicewise-files --models cardiac-mr-fast'],
} as const satisfies CommandSpec;

export const convertSpec = {
  name: 'convert',
  summary: 'convert an image to NIfTI, or a labelmap from DICOM-SEG to NIfTI and back',
  positionals: [
    {
      name: 'input',
      help: 'an image (a folder or files of a DICOM series, or NIfTI), a DICOM-SEG, or a NIfTI labelmap (for .dcm)',
      several: true,
    },
    { name: 'output', help: '.nii or .nii.gz; .dcm for a DICOM-SEG of a NIfTI labelmap' },
  ],
  options: {
    ...imageOptions,
    reference: {
      type: 'string',
      value: 'folder',
      help: 'the DICOM series of a labelmap: the grid for .nii (a DICOM-SEG omits empty slices), the source for .dcm',
    },
    model: { type: 'string', value: 'id|folder', help: 'for .dcm: whose segments the label values are' },
    ...segOptions,
    overlap,
    quiet,
  },
  required: [],
  examples: [
    'slicewise convert scans/heart heart.nii.gz',
    'slicewise convert heart.dcm labels.nii.gz --reference scans/heart',
    'slicewise convert labels.nii.gz heart.dcm --reference scans/heart --model cardiac-mr',
  ],
} as const satisfies CommandSpec;

export const evaluateSpec = {
  name: 'evaluate',
  summary: 'compare a labelmap with a reference: Dice, distances of surfaces, volumes',
  positionals: [
    { name: 'prediction', help: 'a DICOM-SEG or NIfTI labelmap' },
    { name: 'reference', help: 'a DICOM-SEG or NIfTI labelmap on the same grid' },
  ],
  options: {
    tolerance: {
      type: 'string',
      value: 'mm',
      help: 'how far a surface may be off and count as found, for the surface Dice (default 2)',
    },
    overlap,
    limit,
    csv: { type: 'string', value: 'file', help: 'also write the figures of each segment to a .csv file' },
    json,
  },
  required: [],
  examples: [
    'slicewise evaluate heart.dcm expert.nii.gz',
    'slicewise evaluate heart.dcm expert.nii.gz --tolerance 1 --csv heart.csv',
  ],
} as const satisfies CommandSpec;

export const commandSpecs = [segmentSpec, infoSpec, modelsSpec, convertSpec, evaluateSpec, ohifFilesSpec] as const;

export function formatHelp(): string[] {
  const rows: [string, string][] = commandSpecs.map(({ name, summary }) => [name, summary]);
  return [
    'slicewise: segments organs and tumours in DICOM and NIfTI scans, on this machine alone',
    '',
    'Usage: slicewise <command> …',
    '',
    ...formatColumns(rows),
    '',
    'slicewise <command> --help tells more · slicewise --version',
    RESEARCH_USE_ONLY,
  ];
}

export function formatCommandHelp(spec: CommandSpec): string[] {
  const optionRows = Object.entries(spec.options).map(([name, option]): [string, string] => [
    formatOption(name, option.value),
    option.help,
  ]);
  const positionalRows = spec.positionals.map(({ name, help }): [string, string] => [`<${name}>`, help]);
  return [
    `slicewise ${spec.name}: ${spec.summary}`,
    '',
    `Usage: ${formatUsage(spec)}`,
    '',
    ...formatColumns([...positionalRows, ...optionRows]),
    '',
    'Examples:',
    ...spec.examples.map((example) => `  ${example}`),
    '',
    RESEARCH_USE_ONLY,
  ];
}

function formatUsage(spec: CommandSpec): string {
  const parts = spec.positionals.map(formatPositional);
  for (const [name, { value }] of Object.entries(spec.options)) {
    const option = formatOption(name, value);
    parts.push(spec.required.includes(name) ? option : `[${option}]`);
  }
  return `slicewise ${spec.name} ${parts.join(' ')}`;
}

function formatPositional({ name, optional, several }: PositionalSpec): string {
  const placeholder = `<${name}>${several ? ' …' : ''}`;
  return optional ? `[${placeholder}]` : placeholder;
}

function formatOption(name: string, value: string | undefined): string {
  return value === undefined ? `--${name}` : `--${name} <${value}>`;
}

function formatColumns(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`);
}
