import { useState, type ReactElement } from 'react';
import { checkModel } from '../../../src/index.ts';
import type { Actions } from '../slicewise.ts';
import type { PanelState, RunState, Scope } from '../state.ts';
import { texts } from '../texts.ts';

interface RunControlsProps {
  readonly state: PanelState;
  readonly actions: Actions;
}

/** Which slices, and the one button; while a run is under way, how far it is. */
export function RunControls({ state, actions }: RunControlsProps): ReactElement {
  const { run, series, models } = state;
  if (run) return <RunProgress run={run} isElsewhere={run.seriesId !== series?.id} onCancel={actions.cancel} />;
  if (!series) return <p className="sw-quiet">{texts.noSeries}</p>;
  const model = models?.find(({ manifest }) => manifest.id === state.selectedModelId);
  // What is to be done next is then to look, correct and save.
  const hasResult = model !== undefined && state.segmentations.some(({ label }) => label === model.manifest.title);
  const isMismatch = model !== undefined && checkModel(model.manifest, series).mismatches.length > 0;
  return (
    <section className="sw-run">
      <ScopeChoice scope={state.scope} sliceCount={series.imageIds.length} onChange={actions.setScope} />
      {isMismatch ? (
        // The question is of this model and series: with another, it starts anew.
        <RunAnyway key={`${model.manifest.id} ${series.id}`} onRun={() => void actions.run({ force: true })} />
      ) : (
        <button
          type="button"
          className={hasResult ? 'sw-button' : 'sw-button sw-primary'}
          disabled={model === undefined}
          data-cy="slicewise-run"
          onClick={() => void actions.run()}
        >
          {hasResult ? texts.runAgain : texts.run}
        </button>
      )}
      <ResearchOnly />
    </section>
  );
}

/** Said where somebody is about to act. */
function ResearchOnly(): ReactElement {
  return (
    <p className="sw-quiet">
      <strong>{texts.researchOnly}.</strong> {texts.checkEveryResult}
    </p>
  );
}

/** A known mismatch disables the button; running in spite of it takes a second, deliberate step. */
function RunAnyway({ onRun }: { readonly onRun: () => void }): ReactElement {
  const [isAsking, setIsAsking] = useState(false);
  if (!isAsking) {
    return (
      <div className="sw-buttons">
        <button type="button" className="sw-button sw-primary" disabled data-cy="slicewise-run">
          {texts.run}
        </button>
        <button
          type="button"
          className="sw-button"
          data-cy="slicewise-run-anyway"
          onClick={() => {
            setIsAsking(true);
          }}
        >
          {texts.runAnyway}…
        </button>
      </div>
    );
  }
  return (
    <div className="sw-question" role="alertdialog" aria-label={texts.runAnyway} aria-describedby="sw-question">
      <p id="sw-question">{texts.runAnywayQuestion}</p>
      <div className="sw-buttons">
        <button
          type="button"
          className="sw-button sw-danger"
          data-cy="slicewise-run-forced"
          onClick={() => {
            onRun();
          }}
        >
          {texts.runAnyway}
        </button>
        <button
          type="button"
          className="sw-button"
          autoFocus
          onClick={() => {
            setIsAsking(false);
          }}
        >
          {texts.back}
        </button>
      </div>
    </div>
  );
}

interface ScopeChoiceProps {
  readonly scope: Scope;
  readonly sliceCount: number;
  readonly onChange: (scope: Scope) => void;
}

function ScopeChoice({ scope, sliceCount, onChange }: ScopeChoiceProps): ReactElement {
  const whole: Scope = { kind: 'range', first: 0, last: sliceCount - 1 };
  const choices: readonly Scope[] = [{ kind: 'series' }, { kind: 'slice' }, scope.kind === 'range' ? scope : whole];
  return (
    <fieldset className="sw-scope">
      <legend className="sw-hidden">{texts.scope}</legend>
      <div className="sw-segmented">
        {choices.map((choice) => (
          <label key={choice.kind} className={choice.kind === scope.kind ? 'sw-chosen' : ''}>
            <input
              type="radio"
              name="slicewise-scope"
              checked={choice.kind === scope.kind}
              onChange={() => {
                onChange(choice);
              }}
            />
            {texts.scopes[choice.kind]}
          </label>
        ))}
      </div>
      {scope.kind === 'range' && (
        <div className="sw-range">
          <SliceNumber
            label={texts.rangeFrom}
            slice={scope.first}
            from={0}
            to={scope.last}
            onChange={(first) => {
              onChange({ ...scope, first });
            }}
          />
          <SliceNumber
            label={texts.rangeTo}
            slice={scope.last}
            from={scope.first}
            to={sliceCount - 1}
            onChange={(last) => {
              onChange({ ...scope, last });
            }}
          />
        </div>
      )}
    </fieldset>
  );
}

interface SliceNumberProps {
  readonly label: string;
  /** Counted from 0, as all slices inside; shown and typed from 1, as the viewport does. */
  readonly slice: number;
  readonly from: number;
  readonly to: number;
  readonly onChange: (slice: number) => void;
}

function SliceNumber({ label, slice, from, to, onChange }: SliceNumberProps): ReactElement {
  return (
    <label>
      {label}
      <input
        type="number"
        min={from + 1}
        max={to + 1}
        value={slice + 1}
        onChange={({ target }) => {
          if (target.validity.valid && target.value !== '') onChange(target.valueAsNumber - 1);
        }}
      />
    </label>
  );
}

interface RunProgressProps {
  readonly run: RunState;
  readonly isElsewhere: boolean;
  readonly onCancel: () => void;
}

function RunProgress({ run, isElsewhere, onCancel }: RunProgressProps): ReactElement {
  const { phase, done, total, slicesPerSecond, secondsLeft, loaded } = run;
  const isCounting = phase === 'running' && total > 0;
  return (
    <section className="sw-run" data-cy="slicewise-progress">
      <div className="sw-progress-head">
        <span>{isElsewhere ? texts.otherSeries : texts.phase[phase]}</span>
        {total > 0 && <span className="sw-number">{texts.slices(done, total)}</span>}
      </div>
      <progress aria-label={texts.progress} {...(isCounting && { max: total, value: done })} />
      <div className="sw-progress-foot">
        <span className="sw-number">
          {phase === 'opening' && loaded && texts.loaded(loaded.loadedBytes, loaded.totalBytes)}
          {isCounting && slicesPerSecond !== undefined && texts.rate(slicesPerSecond)}
          {isCounting && secondsLeft !== undefined && ` · ${texts.timeLeft(secondsLeft)}`}
        </span>
        <button
          type="button"
          className="sw-button"
          disabled={phase === 'cancelling'}
          data-cy="slicewise-cancel"
          onClick={() => {
            onCancel();
          }}
        >
          {texts.cancel}
        </button>
      </div>
    </section>
  );
}
