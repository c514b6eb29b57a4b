import { PendingChanges } from '../../src/handler/pending-changes.js';
import { createFakeClock } from '../../src/testing/index.js';
import type { WorkflowTable } from '../../src/workflow.js';

describe('the time that a handler waits for its tables', () => {
  it.each(['get', 'list', 'change'] as const)(
    'given calls of %s that overlap, then each moment counts once',
    async (method) => {
      const clock = createFakeClock();
      const calls: PromiseWithResolvers<never>[] = [];
      const call = () => {
        const made = Promise.withResolvers<never>();
        calls.push(made);
        return made.promise;
      };
      const pendingChanges = new PendingChanges(clock);
      const table = pendingChanges.watched({ get: call, list: call, change: call } as unknown as WorkflowTable);
      const ask = () => (table[method] as (...all: unknown[]) => Promise<unknown>)('p', 'k').catch(() => {});
      const waits: number[] = [];

      clock.advance(1000);
      const asked = [ask()];
      clock.advance(1000);
      asked.push(ask());
      clock.advance(1000);
      waits.push(pendingChanges.waitedMs());
      calls[0]?.resolve(undefined as never);
      await asked[0];
      clock.advance(1000);
      calls[1]?.reject(new Error('no answer'));
      await asked[1];
      clock.advance(9000);
      waits.push(pendingChanges.waitedMs());

      expect(waits).toEqual([2000, 3000]);
    },
  );
});
