import { PANEL_NAME } from './id.ts';

/** Slices, one with something found in it. */
const ICON = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" fill="none" stroke="#000" stroke-width="1.5" stroke-linejoin="round" stroke-linecap="round"><path d="M12 3 21.5 8 12 13 2.5 8Z"/><ellipse cx="12" cy="8" rx="3.4" ry="1.7" fill="#000" stroke="none"/><path d="M2.5 12 12 17 21.5 12M2.5 16 12 21 21.5 16"/></svg>`;

/** Draws our icon on the panel's tab, in the host's colour. The host takes icons by its own names only (its `Icons` are
 * not given to extensions); where this does not apply, the tab has the host's icon that is nearest. */
export function drawTabIcon(page: Document): void {
  const tab = `[data-cy="${PANEL_NAME}-btn"]`;
  const style = page.createElement('style');
  style.textContent = `
    :is(${tab}, ${tab} :not([data-cy^="side-panel-header"])) > svg {
      background: currentColor;
      mask: url('data:image/svg+xml,${encodeURIComponent(ICON)}') center / contain no-repeat;
    }
    :is(${tab}, ${tab} :not([data-cy^="side-panel-header"])) > svg > * {
      display: none;
    }`;
  page.head.append(style);
}

/** The host's nearest icon: layers. */
export const hostIcon = 'ViewportViews';
