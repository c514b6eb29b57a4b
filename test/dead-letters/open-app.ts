import { deadLettersOf, type Filter } from '../../src/dead-letters/list.js';
import type { ListedDeadLetter } from '../../src/dead-letters/listed.js';
import { defineWorkflow, fhir, NonRetriableError, seconds } from '../../src/workflow.js';
import { composeMemoryApp } from '../functions/memory-app.js';
import { rawFhirEvent } from '../testing/raw-events.js';

/** The app with two workflows that end as the test says, and the stores of its dead letters. */
export function openApp(env: Record<string, string> = {}) {
  let ends: () => void = giveUp;
  const runs: string[] = [];
  const workflow = (name: string, more = {}) =>
    defineWorkflow({
      name,
      on: fhir('*'),
      ...more,
      handle(event) {
        runs.push(`${name} ${event.resourceId}`);
        ends();
      },
    });
  const retry = { tries: 2, from: seconds(10), to: seconds(10) };
  const workflows = [workflow('one', { retry }), workflow('two', { retry })];
  const { app, clock, stores, lines, ...composed } = composeMemoryApp({ workflows, env });
  const { deadLetterStores } = app;

  return {
    app,
    clock,
    stores,
    deadLetterStores,
    lines,
    /** The runs so far, each as `workflow resource`. */
    runs,
    endsAs(next: () => void): void {
      ends = next;
    },
    deliver: (...events: unknown[]) => app.pipeline.deliver(events),

    /** Delivers an event that makes two dead letters, one of each workflow. */
    async die(fields: Parameters<typeof rawFhirEvent>[0] = {}): Promise<void> {
      ends = giveUp;
      await app.pipeline.deliver([rawFhirEvent(fields)]);
      ends = () => {};
    },

    /** Moves the clock, then runs the rows that are due. */
    async runDueRows(): Promise<void> {
      clock.advance(1);
      await composed.runDueRows();
    },

    rows: () => stores.tables.inspect('waiting'),
    records: () => stores.tables.inspect('ledger20260101').map(({ row }) => row),
    letters: async (filter: Filter = {}): Promise<ListedDeadLetter[]> => allOf(deadLettersOf(deadLetterStores, filter)),
    ids: async (filter: Filter = {}): Promise<string[]> =>
      (await allOf(deadLettersOf(deadLetterStores, filter))).map(({ id }) => id),
    /** Returns the blobs' names without digests: `pending/failed/2026-01-01/….0.json`. */
    async names(store: 'deadLetters' | 'undelivered' = 'deadLetters'): Promise<string[]> {
      const { blobs } = await app.stores[store].list('', { limit: 5000 });
      return blobs.map(({ name }) => name.replaceAll(/[\w-]{22}/g, '…')).sort();
    },
    async contentOf(prefix: string, store: 'deadLetters' | 'undelivered' = 'deadLetters') {
      const { blobs } = await app.stores[store].list(prefix, { limit: 1 });
      return JSON.parse((await app.stores[store].read(blobs[0]?.name ?? '')) ?? 'null');
    },
  };
}

export function giveUp(): void {
  throw new NonRetriableError('no');
}

export function fail(): void {
  throw Object.assign(new Error('not now'), { code: 'down' });
}

export async function allOf<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const one of items) all.push(one);
  return all;
}
