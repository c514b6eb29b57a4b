/** A FHIR dateTime of any precision: 2024, 2024-05, 2024-05-01, 2024-05-01T10:00, with seconds, with a fraction. */
const DATE_TIME = /^(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d+))?)?(Z|[+-]\d\d:\d\d)?)?)?)?$/;
const MS_PER_MINUTE = 60_000;

/** Returns the time that a date covers: from `startMs` until before `endMs`. Undefined if `text` is not a date. */
export function rangeOfDate(text: string): { startMs: number; endMs: number } | undefined {
  // A plus that is not encoded in a query arrives as a space.
  const found = DATE_TIME.exec(text.replace(/ (?=\d\d:\d\d$)/, '+'));
  if (!found) return undefined;
  const [, year = '', month = '01', day = '01', hour = '00', minute = '00', second = '00', fraction = ''] = found;
  const milliseconds = fraction.padEnd(3, '0').slice(0, 3);
  const date = `${year}-${month}-${day}`;
  const startMs = Date.parse(`${date}T${hour}:${minute}:${second}.${milliseconds}${found[8] ?? 'Z'}`);
  const isRealDay = !Number.isNaN(startMs) && new Date(`${date}T00:00:00Z`).toISOString().startsWith(date);
  if (!isRealDay) return undefined;
  return { startMs, endMs: endOf(found, startMs) };
}

function endOf(found: RegExpExecArray, startMs: number): number {
  const [, year, month, day, hour, , second, fraction] = found;
  if (fraction !== undefined) return startMs + 1;
  if (second !== undefined) return startMs + 1_000;
  if (hour !== undefined) return startMs + MS_PER_MINUTE;
  if (day !== undefined) return startMs + 24 * 60 * MS_PER_MINUTE;
  return month === undefined ? Date.UTC(Number(year) + 1, 0) : Date.UTC(Number(year), Number(month));
}
