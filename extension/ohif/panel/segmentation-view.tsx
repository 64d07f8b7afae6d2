import type { ReactElement } from 'react';
import { activeIn } from '../segmentation-list.ts';
import type { Actions } from '../slicewise.ts';
import type { PanelState, SegmentationEntry } from '../state.ts';
import { texts } from '../texts.ts';
import { EditTools } from './edit-tools.tsx';
import { SaveControls } from './save-controls.tsx';
import { SegmentList } from './segment-list.tsx';
import { UncertainSlices } from './uncertain-slices.tsx';

interface SegmentationViewProps {
  readonly state: PanelState;
  readonly actions: Actions;
}

/** The active segmentation of the series in view: its segments, and where the model was least certain. */
export function SegmentationView({ state, actions }: SegmentationViewProps): ReactElement | null {
  const { segmentations } = state;
  const active = activeIn(segmentations);
  if (active === undefined) return null;
  return (
    <section className="sw-segmentation" data-cy="slicewise-segmentation">
      <SegmentationChoice segmentations={segmentations} active={active} onChange={actions.selectSegmentation} />
      <SegmentList segmentation={active} actions={actions} />
      <EditTools active={state.editTool} onChoose={actions.chooseEditTool} />
      <SaveControls segmentation={active} save={state.save} actions={actions} />
      <UncertainSlices segmentation={active} actions={actions} />
    </section>
  );
}

interface SegmentationChoiceProps {
  readonly segmentations: readonly SegmentationEntry[];
  readonly active: SegmentationEntry;
  readonly onChange: (segmentationId: string) => void;
}

function SegmentationChoice({ segmentations, active, onChange }: SegmentationChoiceProps): ReactElement {
  if (segmentations.length === 1) return <h3 className="sw-heading">{active.label}</h3>;
  return (
    <select
      className="sw-select"
      aria-label={texts.showSegmentation}
      value={active.segmentationId}
      onChange={({ target }) => {
        onChange(target.value);
      }}
    >
      {segmentations.map(({ segmentationId, label }) => (
        <option key={segmentationId} value={segmentationId}>
          {label}
        </option>
      ))}
    </select>
  );
}
