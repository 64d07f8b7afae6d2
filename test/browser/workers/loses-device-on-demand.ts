import '../../../src/browser/worker.ts';

// Destroys the graphics devices of this worker when it is told to.
const devices: GPUDevice[] = [];
const { gpu } = globalThis.navigator;
const requestAdapter = gpu.requestAdapter.bind(gpu);
gpu.requestAdapter = async (options) => {
  const adapter = await requestAdapter(options);
  if (adapter === null) return null;
  const requestDevice = adapter.requestDevice.bind(adapter);
  adapter.requestDevice = async (descriptor) => {
    const device = await requestDevice(descriptor);
    devices.push(device);
    return device;
  };
  return adapter;
};
new BroadcastChannel('lose-device').onmessage = () => {
  for (const device of devices) device.destroy();
};
