import type { Slicewise } from './slicewise.ts';
import { texts } from './texts.ts';

/** What the keyboard can do, by OHIF's command names. OHIF lists them in its preferences, where keys can be changed. */
export function commandsModule({ actions }: Slicewise): object {
  return {
    defaultContext: 'CORNERSTONE',
    definitions: {
      slicewiseRun: { commandFn: () => void actions.run() },
      slicewiseCancel: {
        commandFn: () => {
          actions.cancel();
        },
      },
      slicewiseNextSegment: {
        commandFn: () => {
          actions.selectNextSegment();
        },
      },
    },
  };
}

export const hotkeys = [
  { commandName: 'slicewiseRun', label: texts.hotkeys.run, keys: ['shift+r'], isEditable: true },
  { commandName: 'slicewiseCancel', label: texts.hotkeys.cancel, keys: ['shift+c'], isEditable: true },
  { commandName: 'slicewiseNextSegment', label: texts.hotkeys.nextSegment, keys: ['shift+n'], isEditable: true },
];
