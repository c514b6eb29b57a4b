const DATE_TIME = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.(\d{1,3})\d*)?(?:[Zz]|([+-]\d\d):?(\d\d))?$/;
const MINUTE_MS = 60_000;

/**
 * Returns an instant as ISO 8601, UTC, with milliseconds; undefined if `spelling` is not an instant. The host rewrites
 * the fraction and offset of times, so further digits are cut off, never rounded: the last 100 ns of a day must not
 * become the next day. A time without an offset is UTC, as in all of Azure; `Date.parse` would take the machine's time
 * zone.
 */
export function toIsoUtc(spelling: string): string | undefined {
  const parts = DATE_TIME.exec(spelling);
  if (parts === null || !isOnTheCalendar(spelling)) return undefined;
  const [, fraction = '', offsetHours = '+00', offsetMinutes = '00'] = parts;
  const written = `${spelling.slice(0, 10)}T${spelling.slice(11, 19)}.${fraction.padEnd(3, '0')}Z`;
  const hours = Number(offsetHours);
  const minutes = Number(offsetMinutes);
  if (hours === 0 && minutes === 0) return written;
  if (Math.abs(hours) > 23 || minutes > 59) return undefined;
  const sign = offsetHours.startsWith('-') ? -1 : 1;
  return new Date(Date.parse(written) - (hours * 60 + sign * minutes) * MINUTE_MS).toISOString();
}

/** Checks each field: `Date.parse` reads 30 February as 2 March, and a round trip by `toISOString` costs a microsecond. */
function isOnTheCalendar(text: string): boolean {
  const year = twoDigits(text, 0) * 100 + twoDigits(text, 2);
  const month = twoDigits(text, 5);
  const day = twoDigits(text, 8);
  return (
    month >= 1 &&
    month <= 12 &&
    day >= 1 &&
    day <= daysIn(month, year) &&
    twoDigits(text, 11) <= 23 &&
    twoDigits(text, 14) <= 59 &&
    twoDigits(text, 17) <= 59
  );
}

function daysIn(month: number, year: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

function twoDigits(text: string, at: number): number {
  return (text.charCodeAt(at) - 48) * 10 + text.charCodeAt(at + 1) - 48;
}
