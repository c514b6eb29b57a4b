import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';

const DATE = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });
const CLOCK = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium' });
const NUMBER = new Intl.NumberFormat();
const TICK_MS = 5000;
const UNITS = [
  ['d', 86_400],
  ['h', 3600],
  ['min', 60],
] as const;

type TimeProps = {
  readonly at: string | number | null | undefined;
  readonly isShort?: boolean;
  readonly textOf?: (date: Date) => string;
};

/** Shows a time in the reader's zone; its tooltip has UTC. `isShort`: without the date. `textOf`: in another form. */
export function Time({ at, isShort = false, textOf = (isShort ? CLOCK : DATE).format }: TimeProps) {
  const date = new Date(at ?? Number.NaN);
  if (Number.isNaN(date.getTime())) return <>–</>;
  const utc = date.toISOString();
  return (
    <time dateTime={utc} title={`${utc.slice(0, 19).replace('T', ' ')} UTC`}>
      {textOf(date)}
    </time>
  );
}

const INSTANT = /(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z)/;

/** Shows a sentence of the app, with its times in the reader's zone. */
export function Sentence({ children }: { children: string }) {
  return <>{children.split(INSTANT).map((part, index) => (index % 2 === 0 ? part : <Time key={index} at={part} />))}</>;
}

/** Shows how long ago a time was, and keeps that up to date. */
export function Ago({ at }: Pick<TimeProps, 'at'>) {
  const now = useNow();
  return <Time at={at} textOf={(date) => agoText((now - date.getTime()) / 1000)} />;
}

/** Returns the time now, and renders its component again every few seconds. */
export function useNow(): number {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), TICK_MS);
    return () => clearInterval(timer);
  }, []);
  return now;
}

function agoText(seconds: number): string {
  if (seconds < -5) return `in ${durationText(Math.round(-seconds))}`;
  return seconds < 5 ? 'just now' : `${durationText(Math.round(seconds))} ago`;
}

/** Returns a duration in its two largest units: `3 min 20 s`. */
export function durationText(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined) return '–';
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 60) return `${seconds < 10 ? Math.round(seconds * 10) / 10 : Math.round(seconds)} s`;
  const at = UNITS.findIndex(([, size]) => seconds >= size);
  const [unit, size] = UNITS[at] ?? ['min', 60];
  const [smaller, smallerSize] = UNITS[at + 1] ?? ['s', 1];
  const rest = Math.floor((seconds % size) / smallerSize);
  return `${Math.floor(seconds / size)} ${unit}${rest > 0 ? ` ${rest} ${smaller}` : ''}`;
}

/** Returns a number in the reader's format. With `isMore`, the number is a lower limit. */
export function numberText(number: number, isMore = false): string {
  return `${isMore ? 'more than ' : ''}${NUMBER.format(number)}`;
}

/** Returns `1 dead letter`, `2 dead letters`. */
export function counted(number: number, noun: string, plural = `${noun}s`): string {
  return `${numberText(number)} ${number === 1 ? noun : plural}`;
}

/** Returns a type of events without the part that all types share. */
export function shortType(type: string): string {
  return type.replace('Microsoft.HealthcareApis.', '');
}

type EventNameProps = {
  readonly event: { readonly type: string; readonly resourceType: string };
  /** Where the name leads; undefined for a name without a link. */
  readonly href: string | undefined;
  readonly children: ComponentChildren;
};

/** Shows an event in a table: its id, or another name of it, with its type below. */
export function EventName({ event: { type, resourceType }, href, children }: EventNameProps) {
  return (
    <>
      {href ? (
        <a class="cut" href={href}>
          {children}
        </a>
      ) : (
        children
      )}
      <span class="quiet cut">
        {shortType(type)} {resourceType}
      </span>
    </>
  );
}

/** Shows a fact in a list of facts (`<dl class="facts">`). Nothing without a value. */
export function Fact({ name, value }: { name: string; value: ComponentChildren }) {
  if (!value) return null;
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}
