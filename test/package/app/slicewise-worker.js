import 'slicewise/browser/worker';
