import type { ReactElement } from 'react';

/** Line icons of 16 × 16 in the text's colour. They say nothing on their own: what holds one has a label. */
const icon = (path: string) =>
  function Icon(): ReactElement {
    return (
      <svg className="sw-icon" viewBox="0 0 16 16" aria-hidden="true" focusable="false">
        <path d={path} />
      </svg>
    );
  };

export const EyeIcon = icon(
  'M1.5 8S4 3.5 8 3.5 14.5 8 14.5 8 12 12.5 8 12.5 1.5 8 1.5 8Z M8 6.2a1.8 1.8 0 1 0 0 3.6 1.8 1.8 0 0 0 0-3.6Z',
);
export const EyeOffIcon = icon(
  'M2 2l12 12 M6.4 3.7A6.6 6.6 0 0 1 8 3.5c4 0 6.5 4.5 6.5 4.5a12 12 0 0 1-1.9 2.4 M4 4.8A11.6 11.6 0 0 0 1.5 8S4 12.5 8 12.5c1.1 0 2.1-.3 3-.8',
);
export const LockIcon = icon('M4 7.5h8v6H4Z M5.5 7.5V5a2.5 2.5 0 0 1 5 0v2.5');
export const UnlockIcon = icon('M4 7.5h8v6H4Z M5.5 7.5V5a2.5 2.5 0 0 1 4.8-1');
export const CloseIcon = icon('M4 4l8 8 M12 4l-8 8');
export const WarningIcon = icon('M8 2 14.5 13.5H1.5Z M8 6.5v3 M8 11.4v.3');
export const InfoIcon = icon('M8 1.8a6.2 6.2 0 1 0 0 12.4A6.2 6.2 0 0 0 8 1.8Z M8 7.3v3.8 M8 4.9v.3');
export const CheckIcon = icon('M3 8.5 6.5 12 13 4.5');
