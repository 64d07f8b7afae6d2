import { createElement, type ReactElement } from 'react';
import { createRoot, type Root } from 'react-dom/client';
import type { Slicewise } from '../slicewise.ts';
import { Panel } from './panel.tsx';

/** The panel as OHIF wants it: a component of the host's React that holds one element, in which our own React, which the
 * host does not share, has a root of its own. It uses no hook, since hooks belong to the React that renders.
 * @returns one function, to be used for the whole life of the page: a new ref callback would remount the panel */
export function createHostPanel(slicewise: Slicewise): () => ReactElement {
  let root: Root | undefined;
  const mount = (element: HTMLDivElement | null): void => {
    root?.unmount();
    root = element ? createRoot(element) : undefined;
    root?.render(<Panel slicewise={slicewise} />);
  };
  return () => createElement('div', { ref: mount, className: 'slicewise-host' });
}
