// A program of a stranger's: what it prints, the test reads.
import { loadModel, segmentVolume, verifyModel, type Volume } from 'slicewise';
import { createWasmThreadBackend, findModels, isNativeRuntimeInstalled, openModelFolder } from 'slicewise/node';
import { copyOhifFiles, type CopiedOhifFiles } from 'slicewise/ohif';

const read = await openModelFolder('cardiac-mr-fast');
const model = await loadModel(read);
const { ok } = await verifyModel(model, createWasmThreadBackend(), read);
const ids: string[] = (await findModels()).map(({ manifest }) => manifest.id);
const copy: (folder: string) => Promise<CopiedOhifFiles> = (folder) => copyOhifFiles(folder, { models: [] });
const slicesOf = (volume: Volume): number => volume.geometry.dimensions[2];
const functions = [segmentVolume, copy, slicesOf].every((each) => typeof each === 'function');
process.stdout.write(JSON.stringify({ ok, ids, isNative: isNativeRuntimeInstalled(), functions }));
