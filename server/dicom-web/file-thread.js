/** Loads file-tasks.ts in a thread: a worker thread does not take over the loader that runs TypeScript here. */
import { register } from 'tsx/esm/api';

register();
await import('./file-tasks.ts');
