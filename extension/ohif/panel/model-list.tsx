import { useState, type ReactElement, type ReactNode } from 'react';
import { checkModel, cielabToColour } from '../../../src/index.ts';
import { describeDevice } from '../../../src/browser/device-report.ts';
import { isFor } from '../fitting-model.ts';
import type { Actions } from '../slicewise.ts';
import type { ModelEntry, PanelState } from '../state.ts';
import { texts } from '../texts.ts';
import { WarningIcon } from './icons.tsx';

interface ModelListProps {
  readonly state: PanelState;
  readonly actions: Actions;
}

/** The models as a group of radio buttons, the chosen one unfolded. Those for other images than the series are folded
 * away, unless there are no others. */
export function ModelList({ state, actions }: ModelListProps): ReactElement {
  const { models, series } = state;
  if (models === undefined) return <p className="sw-quiet">{texts.loadingModels}</p>;
  if (models.length === 0) return <p className="sw-quiet">{texts.noModels}</p>;
  const fitting = series ? models.filter((model) => isFor(model, series)) : models;
  const others = models.filter((model) => !fitting.includes(model));
  const list = (entries: readonly ModelEntry[]): ReactElement[] =>
    entries.map((model) => <Model key={model.manifest.id} model={model} state={state} actions={actions} />);
  const isFolded = fitting.length > 0 && others.length > 0;
  return (
    <fieldset className="sw-models">
      <legend className="sw-heading">{texts.models}</legend>
      {list(isFolded ? fitting : models)}
      {isFolded && (
        <Foldable
          summary={texts.modelsForOthers(others.length)}
          isOpenAtFirst={others.some(({ manifest }) => manifest.id === state.selectedModelId)}
        >
          <div className="sw-models">{list(others)}</div>
        </Foldable>
      )}
    </fieldset>
  );
}

interface FoldableProps {
  readonly summary: string;
  /** Until the reader has chosen. */
  readonly isOpenAtFirst: boolean;
  readonly children: ReactNode;
}

function Foldable({ summary, isOpenAtFirst, children }: FoldableProps): ReactElement {
  const [choice, setChoice] = useState<boolean>();
  const isOpen = choice ?? isOpenAtFirst;
  return (
    <details open={isOpen}>
      <summary
        onClick={(event) => {
          // React keeps the state: the element's own toggling tells of its first opening too.
          event.preventDefault();
          setChoice(!isOpen);
        }}
      >
        {summary}
      </summary>
      {children}
    </details>
  );
}

function Model({ model, state, actions }: ModelListProps & { readonly model: ModelEntry }): ReactElement {
  const { manifest } = model;
  const { selectedModelId, series } = state;
  const isSelected = manifest.id === selectedModelId;
  const mismatches = series ? checkModel(manifest, series).mismatches : [];
  return (
    <div className={isSelected ? 'sw-model sw-model-selected' : 'sw-model'} data-cy={`slicewise-model-${manifest.id}`}>
      <label className="sw-model-title">
        <input
          type="radio"
          name="slicewise-model"
          checked={isSelected}
          onChange={() => {
            actions.selectModel(manifest.id);
          }}
        />
        <span className={mismatches.length > 0 ? 'sw-model-name sw-quiet' : 'sw-model-name'}>{manifest.title}</span>
        {mismatches.length > 0 && !isSelected && (
          <span className="sw-unfit" title={`${texts.notForThisSeries}. ${texts.mismatch(mismatches)}`}>
            <WarningIcon />
            <span className="sw-hidden">{texts.notForThisSeries}</span>
          </span>
        )}
      </label>
      {mismatches.length > 0 && isSelected && (
        <p className="sw-mismatch">
          <WarningIcon />
          <span>
            <strong>{texts.notForThisSeries}.</strong> {texts.mismatch(mismatches)}
          </span>
        </p>
      )}
      {isSelected && <ModelDetails model={model} state={state} actions={actions} />}
    </div>
  );
}

/** What it is for; folded away once there is a result to look at. */
function ModelDetails({ model, state, actions }: ModelListProps & { readonly model: ModelEntry }): ReactElement {
  const { manifest } = model;
  return (
    <div className="sw-details">
      <Foldable summary={texts.about} isOpenAtFirst={state.segmentations.length === 0}>
        <p>{manifest.intendedUse}</p>
        <ul className="sw-chips" aria-label={texts.segments}>
          {manifest.segments.map(({ segmentNumber, segmentLabel, recommendedDisplayCIELab }) => (
            <li key={segmentNumber}>
              <span style={{ background: `rgb(${cielabToColour(recommendedDisplayCIELab).join(' ')})` }} />
              {segmentLabel}
            </li>
          ))}
        </ul>
        <p className="sw-quiet">{texts.licence(manifest.licence)}</p>
      </Foldable>
      <Speed model={model} state={state} actions={actions} />
    </div>
  );
}

function Speed({ model, state, actions }: ModelListProps & { readonly model: ModelEntry }): ReactElement {
  const { manifest, device } = model;
  const slices = state.series?.imageIds.length;
  if (device && slices !== undefined) return <p className="sw-quiet">{describeDevice(device, slices)}</p>;
  return (
    <p className="sw-quiet">
      {texts.notMeasured}{' '}
      <button
        type="button"
        className="sw-link"
        disabled={state.run !== undefined || slices === undefined}
        aria-label={texts.measureLabel(manifest.title)}
        onClick={() => void actions.measure(manifest.id)}
      >
        {texts.measure}
      </button>
    </p>
  );
}
