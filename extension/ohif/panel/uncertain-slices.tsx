import type { ReactElement } from 'react';
import type { Actions } from '../slicewise.ts';
import type { SegmentationEntry } from '../state.ts';
import { texts } from '../texts.ts';

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
              <meter min={0} max={1} value={uncertainty} aria-hidden="true" />
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
    </section>
  );
}
