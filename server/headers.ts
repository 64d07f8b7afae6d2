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
  return policy(inline);
}

/** The policy of the one worker that decodes compressed images: Emscripten's glue for C++ builds functions from text. A
 * worker has the policy of its own script, so the page does without. */
export const CODEC_WORKER_POLICY = policy(["'unsafe-eval'"]);

function policy(scripts: readonly string[]): string {
  return [
    "default-src 'none'",
    ['script-src', "'self'", "'wasm-unsafe-eval'", ...scripts].join(' '),
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data: blob:",
    "font-src 'self'",
    "manifest-src 'self'",
    "connect-src 'self'",
    "worker-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}

function hashSource(source: string): string {
  return `'sha256-${createHash('sha256').update(source).digest('base64')}'`;
}
