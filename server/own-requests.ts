import type { IncomingMessage } from 'node:http';
import { HttpError } from './http-error.ts';

/** Lets pass what this computer's own pages and programs ask for. A page of another site must not reach the scans: neither
 * by a name that it made point here (DNS rebinding), nor by a request, a frame or a form of its own. From there only a
 * link opens a page of ours, which COOP then separates from the one that it was opened by.
 * @param isArchive whether the request is for the archive, which has no pages
 * @throws HttpError 421, 403 */
export function assertOwnRequest(request: IncomingMessage, isArchive: boolean): void {
  const { host = '', origin } = request.headers;
  if (!/^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/i.test(host)) {
    throw new HttpError(421, 'This server answers requests to localhost only.');
  }
  // Clients without Sec-Fetch headers: a browser sends Origin with every request that writes, a script with none.
  if (origin !== undefined && origin.toLowerCase() !== `http://${host.toLowerCase()}`) throw foreign();
  const site = request.headers['sec-fetch-site'];
  if (site === undefined || site === 'same-origin' || site === 'none') return;
  const isLink =
    (request.method === 'GET' || request.method === 'HEAD') &&
    request.headers['sec-fetch-mode'] === 'navigate' &&
    request.headers['sec-fetch-dest'] === 'document';
  if (!isLink || isArchive) throw foreign();
}

function foreign(): HttpError {
  return new HttpError(403, 'This server answers its own pages only.');
}
