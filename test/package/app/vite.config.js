export default {
  worker: { format: 'es' },
  // Development alone: these find their workers and WebAssembly beside themselves, which a copy in Vite's cache does not.
  optimizeDeps: {
    exclude: ['slicewise', 'onnxruntime-web'],
    include: [
      'slicewise > dcmjs',
      'slicewise > dicom-parser',
      'slicewise > nifti-reader-js',
      'slicewise > dicom-character-set',
    ],
  },
};
