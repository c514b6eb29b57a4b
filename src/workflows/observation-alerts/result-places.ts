import type { Context, Row } from '../../workflow.js';
import { keyOfAlert } from './alert.js';
import { type Place, putResult, type Result, type ResultPlace, removeResult } from './results.js';

/**
 * Table `resultplaces`, a row for each Observation that has results in `results`. The handler writes the row before the
 * rows that it names, and clears it after them:
 *
 *   places   all places where a result of the Observation may be: old and new places while a result moves
 *   owed     pending alerts: alerts of other Observations that the handler is about to write. If it dies before it has
 *            evaluated again, the next try does so, though the result may have moved away since
 *
 * Two handlers never write one row at once, because the Observation is locked.
 */
export type ResultPlaces = { readonly places: readonly ResultPlace[]; readonly pending: readonly PendingAlert[] };

/** An alert that the handler must evaluate again. */
export type PendingAlert = { readonly rule: string; readonly observationId: string };

type Tables = Context['tables'];
type Of = { readonly host: string; readonly observationId: string };

/** Returns the places and pending alerts of an Observation. */
export async function readResultPlaces(tables: Tables, of: Of): Promise<ResultPlaces> {
  const { partition, key } = placeOfRow(of);
  const row = await tables('resultplaces').get(partition, key);
  return { places: JSON.parse(String(row?.places ?? '[]')), pending: JSON.parse(String(row?.owed ?? '[]')) };
}

/** Stores the places and pending alerts of an Observation; removes the row if there are none. */
export async function writeResultPlaces(
  tables: Tables,
  of: Of,
  { places, pending, isNew }: ResultPlaces & { readonly isNew?: boolean },
): Promise<void> {
  const { partition, key } = placeOfRow(of);
  const row: Row = { places: JSON.stringify(places), owed: JSON.stringify(pending) };
  const isNothing = places.length === 0 && pending.length === 0;
  await tables('resultplaces').change(
    partition,
    key,
    () => (isNothing ? 'remove' : row),
    isNew ? { expect: 'absent' } : {},
  );
}

/**
 * Writes the results of an Observation to their places and removes them from former places. Returns all these places:
 * the next result after each may have another previous result now. `resultplaces` names them until those are settled.
 */
export async function moveResults(
  tables: Tables,
  of: Of,
  { before, moves }: { before: ResultPlaces; moves: readonly { place: ResultPlace; result: Result }[] },
): Promise<{ wanted: readonly ResultPlace[]; all: readonly ResultPlace[] }> {
  const wanted = unique(moves.map(({ place }) => place));
  const all = unique([...before.places, ...wanted]);
  const isNew = (place: ResultPlace) => !before.places.some((one) => isSame(one, place));
  const isFirst = before.places.length + before.pending.length === 0;
  if (all.length > before.places.length)
    await writeResultPlaces(tables, of, { ...before, places: all, isNew: isFirst });
  const put = (place: ResultPlace) => {
    const { result } = moves.find((move) => isSame(move.place, place)) as (typeof moves)[0];
    return putResult(tables, place, { result, isNew: isNew(place) });
  };
  const gone = all.filter((place) => !wanted.some((one) => isSame(one, place)));
  await Promise.all([...wanted.map(put), ...gone.map((place) => removeResult(tables, place))]);
  return { wanted, all };
}

function placeOfRow(of: Of): Place {
  return keyOfAlert(of, 'places');
}

function unique(places: readonly ResultPlace[]): ResultPlace[] {
  return places.filter((place, at) => places.findIndex((one) => isSame(one, place)) === at);
}

function isSame(a: Place, b: Place): boolean {
  return a.partition === b.partition && a.key === b.key;
}
