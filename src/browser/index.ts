// The page's side: starts the workers of worker.ts and export-worker.ts, in which the work is done.
export {
  allocateVoxels,
  createSegmentationClient,
  describeDevice,
  type BackendId,
  type ClientSegmentOptions,
  type DeviceReport,
  type OpenModelOptions,
  type RefusedBackend,
  type SegmentationClient,
  type SegmentationClientOptions,
  type WorkerSession,
} from './client.ts';
export { openLabelmapExport, type LabelmapExportClient } from './export-client.ts';
