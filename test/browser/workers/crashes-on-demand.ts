import '../../../src/browser/worker.ts';

new BroadcastChannel('crash').onmessage = () => {
  setTimeout(() => {
    throw new Error('out of memory, say');
  });
};
