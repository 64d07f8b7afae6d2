/** Names by which OHIF knows us; they appear in URLs and configuration, so they stay. */
export const EXTENSION_ID = 'slicewise';
export const MODE_ID = 'slicewise';
const PANEL_NAME = 'slicewise';

/** Where the panel is asked for in a mode's layout: `<extension id>.panelModule.<name>`. */
export const PANEL_MODULE_ID = `${EXTENSION_ID}.panelModule.${PANEL_NAME}`;
export { PANEL_NAME };
