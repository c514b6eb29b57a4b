import { defineWorkflow, fhir, seconds } from '../../src/workflow.js';
import { addressOfRaw, createAccount, rawEvent, startApp, watched } from './memory-app.js';

describe('jobs that have crashed twice', () => {
  it('given a workflow with few places, then they leave some to what is new', async () => {
    const account = createAccount();
    const ran: string[] = [];
    const start = (concurrency: number) =>
      startApp(account, {
        workflows: [
          defineWorkflow({
            name: 'few',
            on: fhir('*'),
            concurrency,
            timeout: seconds(14),
            retry: { tries: 50 },
            handle(event) {
              ran.push(event.id);
              return event.id.startsWith('suspect') ? new Promise<void>(() => undefined) : undefined;
            },
          }),
        ],
      });
    const suspects = Array.from({ length: 5 }, (_, n) => rawEvent({ id: `suspect-${n}`, resourceId: `r${n}` }));
    for (const crash of [1, 2]) {
      const dying = start(100);
      if (crash === 1) watched(dying.pipeline.deliver(suspects));
      else void dying.runDueRows();
      await account.pass(crash === 1 ? 16_000 : 2000);
      dying.crash();
      await account.pass(70_000);
    }
    expect(suspects.map((raw) => account.record(addressOfRaw(raw, 'few'))?.crashes)).toEqual([1, 1, 1, 1, 1]);
    const app = start(4);
    void app.runDueRows();
    await account.pass(1000);

    const answer = watched(app.pipeline.deliver([rawEvent({ id: 'healthy', resourceId: 'h' })]));
    await account.pass(1000);

    expect(answer.state).toBe('resolved');
    expect(ran).toContain('healthy');
  });
});
