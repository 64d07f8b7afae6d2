import type { ReactElement } from 'react';
import type { ShownNotice } from '../state.ts';
import { texts } from '../texts.ts';
import { CloseIcon, InfoIcon, WarningIcon } from './icons.tsx';

interface NoticeListProps {
  readonly notices: readonly ShownNotice[];
  readonly onDismiss: (id: number) => void;
}

export function NoticeList({ notices, onDismiss }: NoticeListProps): ReactElement {
  return (
    <ul className="sw-notices" aria-label={texts.notices} aria-live="polite">
      {notices.map(({ id, severity, message, remedy }) => (
        <li key={id} className={`sw-notice sw-notice-${severity}`} data-cy="slicewise-notice">
          {severity === 'info' ? <InfoIcon /> : <WarningIcon />}
          {/* What went wrong is read at once; what is merely to be known, when it is asked for. */}
          <details open={severity === 'error'}>
            <summary title={texts.wholeNotice}>
              <span className="sw-hidden">{texts.severity[severity]}: </span>
              {message}
            </summary>
            {remedy !== undefined && <p className="sw-remedy">{remedy}</p>}
          </details>
          <button
            type="button"
            className="sw-icon-button"
            aria-label={texts.dismiss}
            onClick={() => {
              onDismiss(id);
            }}
          >
            <CloseIcon />
          </button>
        </li>
      ))}
    </ul>
  );
}
