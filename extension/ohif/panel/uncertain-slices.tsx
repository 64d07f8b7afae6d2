import type { ReactElement } from 'react';
import type { Actions } from '../slicewise.ts';
import type { SegmentationEntry } from '../state.ts';
import { texts } from '../texts.ts';
import { uncertaintyLevels } from '../uncertainty-overlay.ts';

interface UncertainSlicesProps {
  readonly segmentation: SegmentationEntry;
  readonly actions: Actions;
}

/** Where to look first: the slices that the model was least certain of. */
export function UncertainSlices({ segmentation, actions }: UncertainSlicesProps): ReactElement | null {
  const { segmentationId, leastCertain, isUncertaintyShown } = segmentation;
  if (leastCertain.length === 0) return null;
  return (
    <section className="sw-uncertain">
      <h3 className="sw-heading">{texts.leastCertain}</h3>
      <ul>
        {leastCertain.map(({ slice, uncertainty }) => (
          <li key={slice}>
            <button
              type="button"
              aria-label={texts.goToSlice(slice + 1, uncertainty)}
              onClick={() => {
                actions.goToSlice(slice);
              }}
            >
              <span>{texts.uncertainSlice(slice + 1)}</span>
              <span className="sw-bar">
                <i style={{ width: `${uncertainty * 100}%` }} />
              </span>
              <span className="sw-number">{texts.uncertainty(uncertainty)}</span>
            </button>
          </li>
        ))}
      </ul>
      <label className="sw-check">
        <input
          type="checkbox"
          checked={isUncertaintyShown}
          data-cy="slicewise-uncertainty"
          onChange={({ target }) => void actions.showUncertainty(segmentationId, target.checked)}
        />
        {texts.showUncertainty}
      </label>
      {isUncertaintyShown && (
        <p className="sw-scale">
          <span>{texts.uncertainty(uncertaintyLevels[0].from)}</span>
          <span aria-hidden="true">
            {uncertaintyLevels.map(({ from, colour: [red, green, blue] }) => (
              <i key={from} style={{ background: `rgb(${red} ${green} ${blue})` }} />
            ))}
          </span>
          <span>{texts.uncertainty(1)}</span>
        </p>
      )}
    </section>
  );
}
