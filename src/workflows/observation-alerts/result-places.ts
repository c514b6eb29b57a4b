import type { Context, Row } from '../../workflow.js';
import { keyOfAlert } from './alert.js';
import { type Place, putResult, type Result, type ResultPlace, removeResult } from './results.js';

/**
 * Table `resultplaces`, a row for each Observation that has results in `results`: where they are, and what its handler
 * still has to look at. It is written before what it speaks of, and cleared after it:
 *
 *   places   all where a result of it may be: those of before and those of now, while it moves
 *   owed     alerts of other Observations that its handler is about to write. Who dies between writing one and looking
 *            again leaves it to the next try, which may not find it otherwise: its result may have moved away since
 *
 * Two at once cannot be: the Observation is held.
 */
export type ResultPlaces = { readonly places: readonly ResultPlace[]; readonly pending: readonly PendingAlert[] };

export type PendingAlert = { readonly rule: string; readonly observationId: string };

type Tables = Context['tables'];
type Of = { readonly host: string; readonly observationId: string };

export async function readResultPlaces(tables: Tables, of: Of): Promise<ResultPlaces> {
  const { partition, key } = placeOfRow(of);
  const row = await tables('resultplaces').get(partition, key);
  return { places: JSON.parse(String(row?.places ?? '[]')), pending: JSON.parse(String(row?.owed ?? '[]')) };
}

export async function writeResultPlaces(
  tables: Tables,
  of: Of,
  { places, pending }: ResultPlaces,
  options: { expect?: 'absent' } = {},
): Promise<void> {
  const { partition, key } = placeOfRow(of);
  const row: Row = { places: JSON.stringify(places), owed: JSON.stringify(pending) };
  const isNothing = places.length === 0 && pending.length === 0;
  await tables('resultplaces').change(partition, key, () => (isNothing ? 'remove' : row), options);
}

/**
 * Puts the results of an Observation where they belong, and takes them from where they were. Returns all these places:
 * whoever comes next after one of them may have another previous result now. `resultplaces` goes on naming them until
 * that is settled.
 */
export async function moveResults(
  tables: Tables,
  of: Of,
  before: ResultPlaces,
  moves: readonly { place: ResultPlace; result: Result }[],
): Promise<{ wanted: readonly ResultPlace[]; all: readonly ResultPlace[] }> {
  const wanted = unique(moves.map(({ place }) => place));
  const all = unique([...before.places, ...wanted]);
  const isNew = (place: ResultPlace) => !before.places.some((one) => isSame(one, place));
  const options = before.places.length + before.pending.length === 0 ? ({ expect: 'absent' } as const) : {};
  if (all.length > before.places.length) await writeResultPlaces(tables, of, { ...before, places: all }, options);
  const put = (place: ResultPlace) => {
    const { result } = moves.find((move) => isSame(move.place, place)) as (typeof moves)[0];
    return putResult(tables, place, result, { isNew: isNew(place) });
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
