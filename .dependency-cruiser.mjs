/** Who may import whom: docs/architecture.md gives the reasons.
 * @type {import('dependency-cruiser').IConfiguration} */
const layers = {
  volume: [],
  labelmap: ['volume'],
  io: ['volume'],
  dicom: ['io', 'volume'],
  codecs: ['dicom', 'io'],
  nifti: ['dicom', 'io', 'labelmap', 'volume'],
  series: ['codecs', 'dicom', 'io', 'nifti', 'volume'],
  seg: ['series', 'codecs', 'dicom', 'io', 'labelmap', 'volume'],
  models: ['labelmap', 'volume'],
  inference: ['models', 'labelmap', 'volume'],
  pipeline: ['inference', 'models', 'labelmap', 'volume'],
  evaluate: ['labelmap', 'volume'],
};

const onlyImporter = (dependency, ...files) => ({
  name: `one-importer-of-${dependency.replaceAll(/[^a-z]+/g, '-')}`,
  severity: 'error',
  comment: `${dependency} is imported by ${files.join(' and ')} alone, so that it can be replaced there.`,
  from: { path: '^src/', pathNot: `^(${files.map((file) => file.replaceAll('.', '\\.')).join('|')})$` },
  to: { path: `node_modules/${dependency}(/|$)` },
});

export default {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    ...Object.entries(layers).map(([layer, allowed]) => ({
      name: `layer-${layer}`,
      severity: 'error',
      comment: `src/${layer} may import ${['errors', ...allowed].join(', ')} only.`,
      from: { path: `^src/${layer}/` },
      to: { path: '^src/', pathNot: `^src/(errors\\.ts$|(${[layer, ...allowed].join('|')})/)` },
    })),
    {
      name: 'core-knows-no-viewer',
      severity: 'error',
      comment: 'The core runs without OHIF, React and Cornerstone; only the stand-alone codecs are allowed.',
      from: { path: '^src/' },
      to: { path: '^(extension|server|examples)/|node_modules/(@ohif|react|react-dom|@cornerstonejs/(?!codec-))' },
    },
    {
      name: 'node-stays-at-the-edge',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(node|cli)/' },
      to: { path: '^src/(node|cli)/' },
    },
    {
      name: 'extension-through-the-front-door',
      severity: 'error',
      from: { path: '^(extension|examples)/' },
      to: { path: '^src/', pathNot: '^src/(index\\.ts$|browser/)' },
    },
    {
      name: 'server-through-three-doors',
      severity: 'error',
      from: { path: '^server/' },
      to: { path: '^src/', pathNot: '^src/(index|node/index|dicom/datasets)\\.ts$' },
    },
    {
      name: 'function-is-replaced-only-where-it-was-asked-for',
      severity: 'error',
      from: { path: '^(extension|examples)/', pathNot: '^extension/ohif/without-eval\\.ts$' },
      to: { path: 'without-eval\\.ts$' },
    },
    { name: 'no-orphans', severity: 'error', from: { orphan: true, path: '^src/', pathNot: '\\.d\\.ts$' }, to: {} },
    {
      name: 'no-undeclared-packages',
      severity: 'error',
      from: {},
      // An optional peer that is also for development counts as undeclared besides.
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown'], dependencyTypesNot: ['npm-peer'] },
    },
    onlyImporter('@cornerstonejs/codec-openjpeg', 'src/codecs/jpeg-2000.ts', 'src/node/jpeg-2000-worker.js'),
    onlyImporter('@cornerstonejs/codec-openjph', 'src/codecs/jpeg-2000.ts'),
    onlyImporter('@cornerstonejs/codec-charls', 'src/codecs/jpeg-ls.ts'),
    onlyImporter('@cornerstonejs/codec-libjpeg-turbo-8bit', 'src/codecs/jpeg.ts'),
    onlyImporter('@zip.js/zip.js', 'src/io/archives.ts'),
    onlyImporter('dicom-parser', 'src/dicom/element-stream.ts'),
    onlyImporter('nifti-reader-js', 'src/nifti/nifti-header.ts'),
    onlyImporter('dcmjs', 'src/dicom/write-dicom.ts'),
    onlyImporter(
      'onnxruntime-web',
      'src/inference/ort-web.ts',
      'src/inference/ort-webgpu.ts',
      'src/node/ort-thread.js',
    ),
    onlyImporter('onnxruntime-node', 'src/node/ort-thread.js'),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^extension/dist/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['types', 'import', 'node', 'default'] },
  },
};
