import { createHash } from 'node:crypto';

/** What every answer carries: the page is isolated from others (threads of WebAssembly need it), and nothing of it is
 * framed, embedded or guessed at. */
export const ISOLATION_HEADERS: Readonly<Record<string, string>> = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
};

/** The policy of a page: its own origin only, no `eval`, and of inline scripts only those that the page came with.
 * @param html the page, for the hashes of its inline scripts */
export function pagePolicy(html: string): string {
  const inline = [...html.matchAll(/<script>([^]*?)<\/script>/g)].map(([, source = '']) => hashSource(source));
  return policy({ 'script-src': ["'self'", "'wasm-unsafe-eval'", ...inline] });
}

/** The policy of a worker's own script. Codecs that are compiled by Emscripten build functions from text. */
export function workerPolicy(options: { readonly isCodec: boolean }): string {
  return policy({
    'script-src': ["'self'", "'wasm-unsafe-eval'", ...(options.isCodec ? ["'unsafe-eval'"] : [])],
  });
}

function policy(directives: { readonly 'script-src': readonly string[] }): string {
  const all: Readonly<Record<string, readonly string[]>> = {
    'default-src': ["'none'"],
    ...directives,
    'style-src': ["'self'", "'unsafe-inline'"],
    'img-src': ["'self'", 'data:', 'blob:'],
    'font-src': ["'self'"],
    'manifest-src': ["'self'"],
    'connect-src': ["'self'"],
    'worker-src': ["'self'"],
    'base-uri': ["'none'"],
    'form-action': ["'none'"],
    'frame-ancestors': ["'none'"],
  };
  return Object.entries(all)
    .map(([name, sources]) => `${name} ${sources.join(' ')}`)
    .join('; ');
}

function hashSource(source: string): string {
  return `'sha256-${createHash('sha256').update(source).digest('base64')}'`;
}
