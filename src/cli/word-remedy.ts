import type { Problem, ErrorDetails } from '../errors.ts';
import type { CommandSpec } from './parse-arguments.ts';

type Advice = Pick<ErrorDetails, 'option' | 'choices'>;

/** The remedy in the command line's words: "Choose one of the volumes (--phase 1 … 2)."
 * @param spec of the command at hand; an option that it lacks is not named */
export function wordRemedy({ remedy, ...advice }: Pick<Problem, 'remedy'> & Advice, spec?: CommandSpec): string {
  return wordAdvice(remedy, advice, spec);
}

/** A sentence with the option that it speaks of in brackets before its full stop. */
export function wordAdvice(sentence: string, { option, choices = [] }: Advice, spec?: CommandSpec): string {
  if (option === undefined || spec === undefined || !Object.hasOwn(spec.options, option)) return sentence;
  const own = spec.options[option];
  const name = `--${option}`;
  const words = own?.type === 'boolean' ? name : wordChoices(name, own?.value ?? 'value', option, choices);
  return `${sentence.replace(/\.$/, '')} (${words}).`;
}

/** More values than these are not listed again: the message has them. */
const MOST_LISTED = 4;
const LONGEST_LISTED = 20;

function wordChoices(name: string, placeholder: string, option: string, choices: readonly (string | number)[]): string {
  const [first, last] = [choices[0], choices.at(-1)];
  if (option === 'limit' && first !== undefined) return `${name} ${first}=N`;
  const isRange = choices.length > 1 && choices.every((choice, n) => choice === Number(first) + n);
  if (isRange) return `${name} ${String(first)} … ${String(last)}`;
  const isShort = choices.length <= MOST_LISTED && choices.every((choice) => String(choice).length <= LONGEST_LISTED);
  if (choices.length > 0 && isShort) return choices.map((choice) => `${name} ${choice}`).join(' or ');
  return `${name} <${placeholder}>`;
}
