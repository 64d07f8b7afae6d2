import { useEffect, type ReactElement } from 'react';
import type { Slicewise } from '../slicewise.ts';
import { ModelList } from './model-list.tsx';
import { NoticeList } from './notice-list.tsx';
import css from './panel.css?inline';
import { RunControls } from './run-controls.tsx';
import { SegmentationView } from './segmentation-view.tsx';
import { useObservable } from './use-observable.ts';

/** The whole panel: what can be run, what is running, what came of it. */
export function Panel({ slicewise }: { readonly slicewise: Slicewise }): ReactElement {
  const { actions } = slicewise;
  const state = useObservable(slicewise.state);
  useEffect(() => {
    actions.loadModels();
  }, [actions]);

  return (
    <div className="slicewise">
      <style>{css}</style>
      <NoticeList notices={state.notices} onDismiss={actions.dismissNotice} />
      <ModelList state={state} actions={actions} />
      <RunControls state={state} actions={actions} />
      <SegmentationView state={state} actions={actions} />
      <p className="sw-hidden" role="status" aria-live="polite">
        {state.announcement}
      </p>
    </div>
  );
}
