import { HttpError } from '../http-error.ts';

/** A media type that a client accepts, or that is offered: RFC 9110 8.3.1, 12.5.1. */
export interface MediaType {
  /** In lower case; wild cards as they are. */
  readonly type: string;
  /** Names in lower case; without q. */
  readonly parameters: ReadonlyMap<string, string>;
  readonly quality: number;
}

/** Longer lists come from no client. */
const MAX_LENGTH = 4096;

/** Parses the value of Accept, or of the query parameter of this name (PS3.18 8.3.3). An absent one accepts everything. */
export function parseAccept(accept: string | undefined): MediaType[] {
  const text = (accept ?? '').slice(0, MAX_LENGTH).trim();
  if (text === '') return [{ type: '*/*', parameters: new Map(), quality: 1 }];
  return splitOutsideQuotes(text, ',').flatMap((range) => {
    const [type = '', ...pairs] = splitOutsideQuotes(range, ';').map((part) => part.trim());
    if (type === '') return [];
    const parameters = new Map(pairs.map(parseParameter));
    const quality = Number(parameters.get('q') ?? 1);
    parameters.delete('q');
    return [{ type: type.toLowerCase(), parameters, quality: Number.isFinite(quality) ? quality : 0 }];
  });
}

/** What a client is offered. */
export interface Offer {
  readonly type: string;
  /** Of the parts, if the type is multipart/related. */
  readonly partType?: string;
  /** Undefined where there is none to choose: JSON. */
  readonly transferSyntaxUID?: string;
}

/** The offer that a client likes best; of equal ones the first. Undefined if it accepts none (406). */
export function chooseOffer<T extends Offer>(accepted: readonly MediaType[], offers: readonly T[]): T | undefined {
  let best: { readonly offer: T; readonly quality: number } | undefined;
  for (const offer of offers) {
    const matching = accepted.filter((range) => accepts(range, offer));
    const quality = Math.max(0, ...matching.map((range) => range.quality));
    if (quality > 0 && quality > (best?.quality ?? 0)) best = { offer, quality };
  }
  return best?.offer;
}

function accepts({ type, parameters }: MediaType, offer: Offer): boolean {
  if (!matchesType(type, offer.type)) return false;
  const partType = parameters.get('type')?.toLowerCase();
  if (partType !== undefined && (offer.partType === undefined || !matchesType(partType, offer.partType))) return false;
  const transferSyntax = parameters.get('transfer-syntax');
  return (
    transferSyntax === undefined ||
    transferSyntax === '*' ||
    offer.transferSyntaxUID === undefined ||
    transferSyntax === offer.transferSyntaxUID
  );
}

function matchesType(range: string, type: string): boolean {
  if (range === '*/*' || range === '*' || range === type) return true;
  return range.endsWith('/*') && type.startsWith(range.slice(0, -1));
}

function parseParameter(pair: string): [string, string] {
  const at = pair.indexOf('=');
  const name = (at < 0 ? pair : pair.slice(0, at)).trim().toLowerCase();
  const value = at < 0 ? '' : pair.slice(at + 1).trim();
  return [name, value.length >= 2 && value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1) : value];
}

function splitOutsideQuotes(text: string, separator: string): string[] {
  const parts: string[] = [];
  let isQuoted = false;
  let start = 0;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (character === '"') isQuoted = !isQuoted;
    if (character === separator && !isQuoted) {
      parts.push(text.slice(start, at));
      start = at + 1;
    }
  }
  parts.push(text.slice(start));
  return parts;
}

/** Chooses what of the offers is accepted.
 * @throws HttpError 406 */
export function choose<T extends Offer>(accepted: readonly MediaType[], offers: readonly T[]): T {
  const offer = chooseOffer(accepted, offers);
  if (offer !== undefined) return offer;
  const names = offers.map(({ type, partType }) => (partType === undefined ? type : `${type}; type="${partType}"`));
  throw new HttpError(406, `This can be had as ${names.join(' or ')}, in the transfer syntax of the file.`);
}
