import { expect, test } from 'vitest';
import { createWasmBackend } from '../../src/inference/ort-web.ts';
import { describeBackendContract } from '../contracts/backend-contract.ts';

describeBackendContract('WASM, in Chromium', createWasmBackend());

test('this is a real browser', () => {
  expect(Reflect.get(globalThis, 'document')).toBeDefined();
});
