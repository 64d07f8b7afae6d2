import { dicomTargets } from './dicom-targets.ts';
import { modelTargets } from './model-targets.ts';
import { serverTargets } from './server-targets.ts';
import type { FuzzTarget } from './target.ts';

/** Everything that meets input of others. */
export const fuzzTargets: readonly FuzzTarget[] = [...dicomTargets, ...modelTargets, ...serverTargets];
