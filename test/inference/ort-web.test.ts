import { createWasmBackend } from '../../src/inference/ort-web.ts';
import { describeBackendContract } from '../contracts/backend-contract.ts';

describeBackendContract('wasm', createWasmBackend());
