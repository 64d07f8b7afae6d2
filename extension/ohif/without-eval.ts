import { provideNdarrayWithoutEval } from './store/ndarray-without-eval.ts';

// For a page whose Content-Security-Policy has no 'unsafe-eval', loaded before a stored segmentation is opened: it takes the
// place of the page's `Function`. A page that allows 'unsafe-eval' does without it.
provideNdarrayWithoutEval();
