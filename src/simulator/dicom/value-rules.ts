import { textOfValue } from './dataset.js';

/**
 * Returns the problem of a value for its VR; undefined if the value is right. Lengths count characters without padding.
 */
export function problemOfValue(vr: string, value: unknown): string | undefined {
  if (typeof value === 'number') return undefined; // how it was written is no longer known
  const rule = RULES[vr];
  const text = textOfValue(value).replace(/\0+$/, '');
  return rule && text !== '' ? rule(text) : undefined;
}

type Rule = (text: string) => string | undefined;

const CONTROL = /\p{Cc}/u;
const ESC = '\u001b'; // it switches between character sets
const NUMBER = /^ *[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)? *$/;
const UID = /^(0|[1-9]\d*)(\.(0|[1-9]\d*))*$/;
const TIME = /^([01]\d|2[0-3])([0-5]\d([0-5]\d|60)?(\.\d{1,6})?)?$/;
const DATE_TIME =
  /^\d{4}((0[1-9]|1[0-2])((0[1-9]|[12]\d|3[01])(([01]\d|2[0-3])([0-5]\d([0-5]\d|60)?)?)?)?)?(\.\d{1,6})?([-+]\d{4})?$/;

const RULES: Readonly<Record<string, Rule>> = {
  AE: (text) => tooLong(text, 16) ?? oneLine(text),
  AS: matching(/^\d{3}[DWMY]$/, 'value does not have pattern 000[DWMY]'),
  CS: (text) => tooLong(text, 16) ?? matching(/^[A-Z0-9_ ]*$/, 'value contains invalid character')(text),
  DA: (text) =>
    text.split('-').every(isDate) ? undefined : 'one of the date values does not match the pattern YYYYMMDD',
  DS: (text) => tooLong(text, 16) ?? matching(NUMBER, 'value is not a decimal number')(text),
  DT: matching(DATE_TIME, 'value does not match pattern YYYY[MM[DD[HH[MM[SS[.F{1-6}]]]]]]'),
  IS: (text) => tooLong(text, 12) ?? matching(/^ *[-+]?\d+ *$/, 'value is not an integer string')(text),
  LO: (text) => tooLong(text, 64) ?? oneLine(text),
  LT: (text) => tooLong(text, 10_240),
  PN: problemOfName,
  SH: (text) => tooLong(text, 16) ?? oneLine(text),
  ST: (text) => tooLong(text, 1024),
  TM: (text) =>
    text.split('-').every((part) => TIME.test(part.trim())) ? undefined : 'value is not a time HHMMSS.FFFFFF',
  UI: (text) => tooLong(text, 64) ?? matching(UID, 'value is not a UID of digits and dots without leading zeros')(text),
};

/** Returns whether the text is a date YYYYMMDD, with or without blanks around it, or blank: the open end of a range. */
export function isDate(text: string): boolean {
  const [, year, month, day] = /^(\d{4})(\d\d)(\d\d)$/.exec(text.trim()) ?? [];
  if (!year || !month || !day) return text.trim() === '';
  const date = new Date(0);
  date.setUTCFullYear(Number(year), Number(month) - 1, Number(day));
  return date.getUTCMonth() === Number(month) - 1 && date.getUTCDate() === Number(day);
}

function problemOfName(text: string): string | undefined {
  const groups = text.split('=');
  if (groups.length > 3) return 'value contains too many component groups';
  if (groups.some((group) => group.split('^').length > 5)) return 'value contains too many components';
  return groups.some((group) => group.length > 64) ? 'value exceeds maximum length of 64 characters' : oneLine(text);
}

function tooLong(text: string, max: number): string | undefined {
  return text.length > max ? `value exceeds maximum length of ${max} characters` : undefined;
}

function oneLine(text: string): string | undefined {
  return CONTROL.test(text.replaceAll(ESC, '')) || text.includes('\\') ? 'value contains invalid character' : undefined;
}

function matching(pattern: RegExp, problem: string): Rule {
  return (text) => (pattern.test(text) ? undefined : problem);
}
