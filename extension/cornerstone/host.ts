import type * as Core from '@cornerstonejs/core';
import type * as Tools from '@cornerstonejs/tools';

/** The page's own Cornerstone3D modules: never imported here, so that there is one image cache and one state. */
export interface CornerstoneHost {
  readonly core: typeof Core;
  readonly tools: typeof Tools;
}
