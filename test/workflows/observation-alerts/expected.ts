import type { Observation } from 'fhir/r4.js';
import type { FhirEvent, Row } from '../../../src/workflow.js';
import type { RowsOf, StoryEvent } from '../every-crash.js';
import { GLUCOSE, POTASSIUM } from './stories.js';

type Living = { host: string; id: string; version: number; content: Observation };
type Point = Living & { value: number; atMs: number; patient: string | undefined };

const HOUR_MS = 3_600_000;

/**
 * Returns the alerts that are active in the end, computed without code of the workflow: each rule of `stories.ts` is
 * applied to each existing Observation, and the previous result is the last of a sorted list.
 */
export function expectedAlerts(story: readonly StoryEvent[]): string[] {
  const alerts: string[] = [];
  const living = livingIn(story);
  for (const one of living) {
    const point = pointOf(one);
    if (!isCounting(one, ['final', 'corrected', 'preliminary'])) continue;
    if (hasCode(one, POTASSIUM) && point.value > 6) alerts.push(textOf(point, 'high', 'above 6'));
    if (hasCode(one, GLUCOSE) && point.value < 4) alerts.push(textOf(point, 'low', 'below 4'));
  }
  alerts.push(
    ...deltas(living, ['final', 'corrected', 'preliminary'], 48, 'rise', (now, then) =>
      now - then >= 1 ? 'rise 1' : undefined,
    ),
    ...deltas(living, ['final', 'corrected'], 720, 'half', (now, then) =>
      now <= then / 2 ? 'fallPercent 50' : undefined,
    ),
  );
  return alerts.sort();
}

/** Returns the active alerts that a lookup finds, in the same form. */
export function activeAlerts(rows: RowsOf): string[] {
  const listed = new Set(rows('activealerts').map(({ key }) => key));
  const active = rows('alerts').filter(({ key, row }) => row.status === 'active' && listed.has(key));
  return active.map(({ row }) => textOfRow(row)).sort();
}

function deltas(
  living: readonly Living[],
  statuses: readonly string[],
  hours: number,
  rule: string,
  says: (now: number, then: number) => string | undefined,
): string[] {
  const points = living
    .filter((one) => hasCode(one, POTASSIUM) && isCounting(one, statuses))
    .map(pointOf)
    .filter(({ patient }) => patient !== undefined)
    .sort((a, b) => a.atMs - b.atMs || (a.id < b.id ? -1 : 1));
  return points.flatMap((point, at) => {
    const same = points.slice(0, at).filter(({ host, patient }) => host === point.host && patient === point.patient);
    const before = same.at(-1);
    if (!before || point.atMs - before.atMs > hours * HOUR_MS) return [];
    const said = says(point.value, before.value);
    return said === undefined ? [] : [textOf(point, rule, said, before)];
  });
}

function livingIn(story: readonly StoryEvent[]): Living[] {
  const newest = new Map<string, Living | undefined>();
  for (const { event, content } of story) {
    const { host, resourceId, version } = event as FhirEvent;
    const state = content && { host, id: resourceId, version, content: content as Observation };
    newest.set(`${host} ${resourceId}`, state);
  }
  return [...newest.values()].filter((one) => one !== undefined);
}

function pointOf(one: Living): Point {
  const { valueQuantity, effectiveDateTime, subject } = one.content;
  return {
    ...one,
    value: valueQuantity?.value as number,
    atMs: Date.parse(effectiveDateTime as string),
    patient: subject?.reference,
  };
}

function isCounting({ content }: Living, statuses: readonly string[]): boolean {
  return statuses.includes(content.status);
}

function hasCode({ content }: Living, code: string): boolean {
  return content.code.coding?.[0]?.code === code;
}

function textOf(point: Point, rule: string, said: string, before?: Point): string {
  const after = before ? ` after ${before.value} of ${before.id} at ${new Date(before.atMs).toISOString()}` : '';
  const { host, id, version, value, atMs, patient = 'nobody' } = point;
  return `${host} ${id} v${version} ${rule}: ${value} of ${patient} at ${new Date(atMs).toISOString()}, ${said}${after}`;
}

function textOfRow(row: Row): string {
  const { host, observationId, version, rule, value, subject = 'nobody', takenAt, side, threshold } = row;
  const after =
    row.by === 'delta' ? ` after ${row.previousValue} of ${row.previousObservationId} at ${row.previousTakenAt}` : '';
  return `${host} ${observationId} v${version} ${rule}: ${value} of ${subject} at ${takenAt}, ${side} ${threshold}${after}`;
}
