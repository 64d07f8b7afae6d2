export { createNodeBackend, createWasmThreadBackend, type NodeBackendOptions } from './ort-threads.ts';
export { isNativeRuntimeInstalled } from './process.ts';
export { findModels, openModelFolder, type ModelFolder } from './model-folders.ts';
export { openFiles, type LocalFile } from './files.ts';
export { writeFilesTogether, type StageFile, type StagedFile } from './write-file.ts';
export { createParallelDecoders } from './parallel-decoders.ts';
