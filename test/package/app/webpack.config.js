export default {
  mode: 'production',
  entry: './page.js',
  output: { filename: 'page.js', publicPath: 'auto' },
  // The codecs' builds for Node and the browser are one file, which asks for these in Node alone.
  resolve: { fallback: { fs: false, path: false, crypto: false } },
  performance: { hints: false },
};
