import { texts } from './texts.ts';

/** Keys of our commands, as OHIF takes them; a user can change them in OHIF's preferences. Shift, because OHIF has the
 * plain letters. */
export const hotkeys = [
  { commandName: 'slicewiseRun', label: texts.hotkeys.run, keys: ['shift+r'], isEditable: true },
  { commandName: 'slicewiseCancel', label: texts.hotkeys.cancel, keys: ['shift+c'], isEditable: true },
  { commandName: 'slicewiseSave', label: texts.hotkeys.save, keys: ['shift+s'], isEditable: true },
  { commandName: 'slicewiseNextSegment', label: texts.hotkeys.nextSegment, keys: ['shift+n'], isEditable: true },
];
