/** Text without the given characters at its end. A regular expression for that starts anew at each run of them, which
 * takes time by the square of a long run. */
export function trimEnd(text: string, characters: string): string {
  let end = text.length;
  while (end > 0 && characters.includes(text.charAt(end - 1))) end--;
  return text.slice(0, end);
}
