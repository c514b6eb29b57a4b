/**
 * Returns a string as the real host hands it to Node: its parser (Newtonsoft, in UTC) rewrites a string that looks like
 * a date, with a fraction without trailing zeros, `Z` for UTC, `+00:00` for another offset, and no offset where the
 * string has none. Any other string is returned unchanged.
 */
export function rewriteDate(text: string): string {
  if (text.length < 9) return text;
  const first = text.charCodeAt(0);
  if (first === SLASH) return rewriteAjaxDate(text);
  const isCandidate = first >= ZERO && first <= NINE && text.length >= 19 && text.length <= 40 && text[10] === 'T';
  return isCandidate ? rewriteIsoDate(text) : text;
}

const SLASH = 0x2f;
const ZERO = 0x30;
const NINE = 0x39;
const ISO = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,7}))?(?:([Zz])|([+-])(\d\d)(?::?(\d\d))?)?$/;
const AJAX = /^\/Date\((-?\d+)([+-]\d\d(?:\d\d)?)?\)\/$/;
const FIRST_MS = Date.parse('0001-01-01T00:00:00Z');
const LAST_MS = Date.parse('9999-12-31T23:59:59.999Z');
const MINUTE_MS = 60_000;

function rewriteIsoDate(text: string): string {
  const match = ISO.exec(text);
  if (!match) return text;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match.slice(1, 7).map(Number);
  const [fraction = '', utc, sign, offsetHours = '0', offsetMinutes = '0'] = match.slice(7);
  if (year === 0 || month === 0 || month > 12 || day === 0 || day > daysIn(year, month)) return text;
  if (hour > 24 || minute > 59 || second > 59 || (hour === 24 && minute + second + Number(fraction) > 0)) return text;
  const kept = withoutZeros(fraction);
  if (hour < 24 && sign === undefined) return `${text.slice(0, 19)}${kept}${utc ? 'Z' : ''}`;
  const offsetMs = (Number(offsetHours) * 60 + Number(offsetMinutes)) * MINUTE_MS * (sign === '-' ? -1 : 1);
  const ms = new Date(0).setUTCFullYear(year, month - 1, day) + ((hour * 60 + minute) * 60 + second) * 1000 - offsetMs;
  if (ms < FIRST_MS || ms > LAST_MS) return text;
  return `${wholeSeconds(ms)}${kept}${sign ? '+00:00' : utc ? 'Z' : ''}`;
}

function rewriteAjaxDate(text: string): string {
  const match = AJAX.exec(text);
  const ms = Number(match?.[1]);
  if (!(ms >= FIRST_MS && ms <= LAST_MS)) return text;
  const fraction = String(((ms % 1000) + 1000) % 1000).padStart(3, '0');
  return `${wholeSeconds(ms)}${withoutZeros(fraction)}${match?.[2] ? '+00:00' : 'Z'}`;
}

function wholeSeconds(ms: number): string {
  return new Date(ms).toISOString().slice(0, 19);
}

function withoutZeros(fraction: string): string {
  const kept = fraction.replace(/0+$/, '');
  return kept && `.${kept}`;
}

function daysIn(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}
