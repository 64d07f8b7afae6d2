import { createNodeBackend } from '../../src/node/ort-node.ts';
import { describeBackendContract } from '../contracts/backend-contract.ts';

describeBackendContract('node', createNodeBackend({ threads: 1 }));
