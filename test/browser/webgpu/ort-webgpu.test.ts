import { createWebGpuBackend } from '../../../src/inference/ort-webgpu.ts';
import { describeBackendContract } from '../../contracts/backend-contract.ts';

describeBackendContract('WebGPU, in Chromium', createWebGpuBackend({ allowSoftwareAdapter: true }), {
  survivesFailedRuns: false,
});
