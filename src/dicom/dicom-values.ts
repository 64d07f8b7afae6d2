/** A number as DS: at most 16 characters (PS3.5 table 6.2-1), with the most digits that fit. */
export function decimalString(value: number): string {
  for (let digits = 17; ; digits--) {
    const rounded = Number(value.toPrecision(digits));
    const text = [String(rounded), rounded.toExponential()].find(({ length }) => length <= 16);
    if (text !== undefined) return text;
  }
}

/** A source's own DS string, digit by digit; one that is longer than the standard allows is written again from its number. */
export function copiedDecimalString(text: string): string {
  const trimmed = text.trim();
  return trimmed.length <= 16 ? trimmed : decimalString(Number(trimmed));
}

/** DA of a moment, in local time as DICOM has it unless an offset is given (PS3.5 6.2). */
export function dateString(moment: Date): string {
  return `${String(moment.getFullYear()).padStart(4, '0')}${twoDigits(moment.getMonth() + 1)}${twoDigits(moment.getDate())}`;
}

/** TM of a moment, in local time. */
export function timeString(moment: Date): string {
  return [moment.getHours(), moment.getMinutes(), moment.getSeconds()].map(twoDigits).join('');
}

/** LO and SH are cut to their characters, never within a surrogate pair. */
export function shortened(text: string, characters: number): string {
  return Array.from(text).slice(0, characters).join('').trimEnd();
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0');
}
