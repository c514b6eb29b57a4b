import type { Place, Row, Tables } from '../../workflow.js';
import { type ObservationKey, placeOfAlert } from './alert.js';
import { putResult, type Result, type ResultPlace, removeResult } from './results.js';

/**
 * Table `resultplaces`, a row for each Observation that has results in `results`. The handler writes the row before the
 * rows that it names, and clears it after them:
 *
 *   column   content
 *   places   all places where a result of the Observation may be: old and new places while a result moves
 *   owed     pending alerts: alerts of other Observations that the handler is about to write. If the process dies first,
 *            the next try evaluates them again, even if the result has moved since
 *
 * Two handlers never write one row at once, because the handler holds the Observation.
 */
export type ResultPlaces = { readonly places: readonly ResultPlace[]; readonly pending: readonly PendingAlert[] };

/** An alert that the handler must evaluate again. */
export type PendingAlert = { readonly rule: string; readonly observationId: string };

/** A result, and the place where it can be compared. */
type Move = { readonly place: ResultPlace; readonly result: Result };

/** Returns the places and pending alerts of an Observation; none if it has no row. */
export async function readResultPlaces(tables: Tables, observation: ObservationKey): Promise<ResultPlaces> {
  const { partition, key } = placeOfRow(observation);
  const row = await tables('resultplaces').get(partition, key);
  return { places: JSON.parse(String(row?.places ?? '[]')), pending: JSON.parse(String(row?.owed ?? '[]')) };
}

/** Stores the places and pending alerts of an Observation; removes the row if there are none. */
export async function writeResultPlaces(
  tables: Tables,
  observation: ObservationKey,
  { places, pending, isNew }: ResultPlaces & { readonly isNew?: boolean },
): Promise<void> {
  const { partition, key } = placeOfRow(observation);
  const row: Row = { places: JSON.stringify(places), owed: JSON.stringify(pending) };
  const decide = () => (places.length + pending.length === 0 ? 'remove' : row);
  await tables('resultplaces').change(partition, key, decide, isNew ? { expect: 'absent' } : {});
}

/**
 * Writes the results of an Observation to their places and removes them from former places. Returns the new places, and all of
 * these places: the next result after each may have another previous result now. `resultplaces` names them until their alerts are
 * right.
 */
export async function moveResults(
  tables: Tables,
  observation: ObservationKey,
  { before, moves }: { before: ResultPlaces; moves: readonly Move[] },
): Promise<{ newPlaces: readonly ResultPlace[]; allPlaces: readonly ResultPlace[] }> {
  const old = new Set(before.places.map(nameOf));
  const wanted = new Map(moves.map((move) => [nameOf(move.place), move]));
  const added = [...wanted].flatMap(([name, { place }]) => (old.has(name) ? [] : [place]));
  const allPlaces = [...before.places, ...added];
  const isNew = before.places.length + before.pending.length === 0;
  if (allPlaces.length > before.places.length)
    await writeResultPlaces(tables, observation, { ...before, places: allPlaces, isNew });
  const gone = before.places.filter((place) => !wanted.has(nameOf(place)));
  await Promise.all([
    ...[...wanted].map(([name, { place, result }]) => putResult(tables, place, { result, isNew: !old.has(name) })),
    ...gone.map((place) => removeResult(tables, place)),
  ]);
  return { newPlaces: [...wanted.values()].map(({ place }) => place), allPlaces };
}

function placeOfRow(observation: ObservationKey): Place {
  return placeOfAlert(observation, 'places');
}

function nameOf({ partition, key }: Place): string {
  return `${partition} ${key}`;
}
