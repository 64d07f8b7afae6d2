import '../../../src/browser/worker.ts';

// A server, or someone on the way, that changes a byte of every model file.
const fetchFile = globalThis.fetch.bind(globalThis);
globalThis.fetch = async (input, init) => {
  const answer = await fetchFile(input, init);
  if (!answer.url.endsWith('.onnx')) return answer;
  const bytes = new Uint8Array(await answer.arrayBuffer());
  bytes[1000] = 255 - (bytes[1000] ?? 0);
  return new Response(bytes);
};
