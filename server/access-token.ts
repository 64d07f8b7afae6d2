import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { HttpError } from './http-error.ts';

/** Where a page asks whether its token is the right one, and what it shows if it is not. */
export const ACCESS_PATH = '/slicewise/access';

/** A secret of 256 bits for one run of the server, in characters that an address may hold. */
export function createAccessToken(): string {
  return randomBytes(32).toString('base64url');
}

/** @throws HttpError 401 unless the request carries the token: `Authorization: Bearer <token>` (RFC 6750 2.1). Cookies are
 * not looked at, for a browser sends them to every port of this computer. */
export function assertAuthorized(request: IncomingMessage, token: string | undefined): void {
  if (token === undefined || isAuthorized(request, token)) return;
  throw new HttpError(
    401,
    'This archive is open to whoever has its token: it stands in the address that `npm start` printed, and scripts send it as "Authorization: Bearer <token>".',
    { 'WWW-Authenticate': 'Bearer realm="Slicewise"' },
  );
}

export function isAuthorized(request: IncomingMessage, token: string): boolean {
  const [, given] = /^Bearer +([\w.~+/=-]{1,512})$/i.exec(request.headers.authorization ?? '') ?? [];
  // Of one length, so that the time to compare tells nothing.
  return given !== undefined && timingSafeEqual(sha256(given), sha256(token));
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/** For a person whose browser has no token, or one of an earlier run. */
export const ACCESS_PAGE = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Slicewise: open it by its whole address</title>
<style>
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 36em; margin: 15vh auto; padding: 0 1em; color: #dde; background: #0b0f1a }
  code { background: #1c2536; padding: .1em .3em; border-radius: 3px }
</style>
<h1>This viewer opens by its whole address</h1>
<p>The address stands in the terminal where <code>npm start</code> runs, and ends with <code>?token=…</code>. Open that one;
the browser keeps the token until the server is started anew, and each start makes another.</p>
<p>It keeps other users of this computer from the scans.</p>
</html>
`;

/** JavaScript for the head of a page: takes the token from the page's address into this origin's storage, out of sight, and
 * defines `accessToken`. A page without the right one is left for the {@link ACCESS_PAGE}. */
export const ACCESS_SCRIPT = `const accessToken = (() => {
  const KEY = 'slicewise-access-token';
  const address = new URL(location.href);
  const given = address.searchParams.get('token');
  if (given !== null) {
    address.searchParams.delete('token');
    history.replaceState(history.state, '', address);
  }
  const token = given ?? localStorage.getItem(KEY);
  const leave = () => location.replace('${ACCESS_PATH}');
  if (token === null) leave();
  else {
    fetch('${ACCESS_PATH}', { cache: 'no-store', headers: { Authorization: 'Bearer ' + token } }).then(({ status }) => {
      // Kept once it is known to be right: a link with a wrong one takes nothing from anybody.
      if (status === 204) localStorage.setItem(KEY, token);
      else if (status === 401) leave();
    }, () => undefined);
  }
  return token ?? undefined;
})();
`;
