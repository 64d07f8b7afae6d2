import type { Slicewise } from './slicewise.ts';

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
      slicewiseSave: { commandFn: () => void actions.save() },
      slicewiseNextSegment: {
        commandFn: () => {
          actions.selectNextSegment();
        },
      },
    },
  };
}
