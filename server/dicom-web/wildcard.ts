/** Whether a text matches a pattern with wild cards: `*` for any characters, `?` for one (PS3.4 C.2.2.2.4). Letter case is
 * ignored. At most one pass over the text for each star, whatever they hold: no pattern of outside text is made a regular
 * expression. */
export function matchesWildcard(text: string, pattern: string): boolean {
  const characters = Array.from(text.toLowerCase());
  const wanted = Array.from(pattern.toLowerCase());
  let at = 0;
  let wantedAt = 0;
  /** Of the last star, and the text that it holds so far ends here. */
  let star = -1;
  let starEnd = 0;
  while (at < characters.length) {
    if (wanted[wantedAt] === '*') {
      star = wantedAt++;
      starEnd = at;
    } else if (wantedAt < wanted.length && (wanted[wantedAt] === '?' || wanted[wantedAt] === characters[at])) {
      at++;
      wantedAt++;
    } else if (star >= 0) {
      wantedAt = star + 1;
      at = ++starEnd;
    } else return false;
  }
  while (wanted[wantedAt] === '*') wantedAt++;
  return wantedAt === wanted.length;
}
