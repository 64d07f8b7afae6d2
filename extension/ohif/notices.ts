import { isSegmentationError, type ErrorDetails, type Notice } from '../../src/index.ts';
import { visibleText } from '../../src/index.ts';
import type { Cell } from './observable.ts';
import type { PanelState, ShownNotice } from './state.ts';
import { texts } from './texts.ts';

/** What the user is told outside the flow of a run, each until dismissed. */
export interface Notices {
  readonly show: (
    severity: ShownNotice['severity'],
    notice: Notice & { readonly remedy?: string; readonly details?: ErrorDetails },
  ) => void;
  /** Shows an error with its remedy. Anything that is not ours is told as it is. */
  readonly showError: (error: unknown) => void;
  readonly dismiss: (id: number) => void;
}

export function createNotices(state: Cell<PanelState>): Notices {
  let lastId = 0;
  const show: Notices['show'] = (severity, { code, message: text, remedy, option, details }) => {
    const message = visibleText(text);
    // Said again, it moves to the top instead of standing there twice.
    const others = state.get().notices.filter((shown) => shown.message !== message);
    const act = [remedy, texts.optionHere(details?.option ?? option)].filter((part) => part !== undefined).join(' ');
    const notice = { id: ++lastId, severity, code, message, ...(act !== '' && { remedy: visibleText(act) }) };
    state.update({ notices: [notice, ...others] });
  };
  return {
    show,
    showError(error) {
      if (isSegmentationError(error)) show('error', error);
      else show('error', { code: 'internal', message: texts.unexpectedError(messageOf(error)) });
    },
    dismiss(id) {
      state.update({ notices: state.get().notices.filter((notice) => notice.id !== id) });
    },
  };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
