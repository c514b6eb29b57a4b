import { registerFunctions } from '../../src/functions/register.js';
import { stopApp } from '../../src/functions/stop-app.js';
import { createMemoryTableStore } from '../../src/storage/memory-table-store.js';
import { createFakeClock } from '../../src/testing/index.js';
import { defineWorkflow, fhir } from '../../src/workflow.js';
import { createFakeFunctions } from '../functions/fake-functions.js';
import { composeMemoryApp } from '../functions/memory-app.js';
import { allThatFollows } from '../pipeline/memory-app.js';
import { type CallInfo, type Fault, faultyTables } from '../storage/faults.js';
import { rawFhirEvent } from '../testing/raw-events.js';

const note = defineWorkflow({ name: 'note', on: fhir('*'), handle() {} });

/** Storage, and the apps over it. Time passes a second at a time. */
function createWorld() {
  const clock = createFakeClock();
  const tables = createMemoryTableStore({ clock });
  let events = 0;
  return {
    clock,
    tables,
    rows: () => tables.inspect('instances'),
    /** A started app. `plan` decides the fate of its calls to tables. */
    async start(plan: (call: CallInfo) => Fault = () => 'ok') {
      let isDead = false;
      const calls: string[] = [];
      const faulty = faultyTables(tables, (call) => {
        if (call.on === 'instances') calls.push(call.method);
        return isDead ? 'never' : plan(call);
      });
      const composed = composeMemoryApp({ workflows: [note], clock, stores: { tables: faulty } });
      const { app } = composed;
      app.instances.start();
      await allThatFollows();
      return {
        ...composed,
        calls,
        id: app.instance.id,
        die() {
          isDead = true;
        },
        async deliver(count = 1) {
          const sent = Array.from({ length: count }, () => {
            events += 1;
            return rawFhirEvent({ id: `e${events}`, resourceId: `r${events}` });
          });
          await app.pipeline.deliver(sent);
        },
        states: async () => Object.fromEntries((await app.instances.all()).map(({ id, state }) => [id, state])),
      };
    },
    async pass(ms: number): Promise<void> {
      const stepMs = Math.max(1000, ms / 1000);
      for (let leftMs = ms; leftMs > 0; leftMs -= stepMs) {
        clock.advance(Math.min(stepMs, leftMs));
        await allThatFollows();
      }
    },
  };
}

describe('when three instances run over one storage', () => {
  it('given one dies and one stops, then the others show it: silent, stopped, and gone after an hour', async () => {
    const world = createWorld();
    const [stays, dies, stops] = [await world.start(), await world.start(), await world.start()];
    await dies.deliver(3);
    await stops.deliver(2);
    await world.pass(11_000);
    expect(await stays.states()).toEqual({ [stays.id]: 'running', [dies.id]: 'running', [stops.id]: 'running' });

    dies.die();
    await stops.app.instances.stop();
    await world.pass(20_000);
    expect(await stays.states()).toEqual({ [stays.id]: 'running', [dies.id]: 'running', [stops.id]: 'stopped' });
    await world.pass(15_000);
    expect(await stays.states()).toEqual({ [stays.id]: 'running', [dies.id]: 'silent', [stops.id]: 'stopped' });

    const seen = await stays.app.instances.all();
    expect(seen).toHaveLength(3);
    expect(seen[0]?.id).toBe(stays.id);
    expect(seen.map(({ id, recent }) => [id, recent.length])).toEqual(
      expect.arrayContaining([
        [stays.id, 0],
        [dies.id, 3],
        [stops.id, 2],
      ]),
    );
    await world.pass(3_600_000);
    expect(await stays.states()).toEqual({ [stays.id]: 'running' });
    expect(world.rows().map(({ key }) => key)).toEqual([stays.id]);
  });

  it('given two instances read old rows at once, then both answer, and the rows are deleted', async () => {
    const world = createWorld();
    const dies = await world.start();
    dies.die();
    await world.pass(1000);
    world.clock.advance(3_600_000);
    const [one, other] = [await world.start(), await world.start()];
    world.clock.advance(5000);

    const answers = await Promise.all([one.states(), other.states()]);

    expect(answers.map((states) => states[dies.id])).toEqual([undefined, undefined]);
    expect(world.rows().map(({ key }) => key)).not.toContain(dies.id);
  });

  it('given an instance starts, then it deletes old rows, although nobody looks at the page', async () => {
    const world = createWorld();
    const dies = await world.start();
    dies.die();
    world.clock.advance(3_601_000);

    const starts = await world.start();

    expect(world.rows().map(({ key }) => key)).toEqual([starts.id]);
  });

  it('given a delete of rows fails, then the answer has the other rows', async () => {
    const world = createWorld();
    let fault: Fault = 'ok';
    const dies = await world.start();
    dies.die();
    const stays = await world.start(({ on, method }) => (on === 'instances' && method === 'commit' ? fault : 'ok'));
    world.clock.advance(3_601_000);
    fault = 'fail-before';

    expect(await stays.states()).toEqual({ [stays.id]: 'running' });
    expect(world.rows().map(({ key }) => key)).toContain(dies.id);
  });

  it('given a process was suspended for an hour, and writes between read and delete of another, then its row stays', async () => {
    const world = createWorld();
    const sleeper = await world.start();
    sleeper.die();
    let wakes = false;
    const reader = await world.start(({ on, method }) => {
      if (wakes && on === 'instances' && method === 'commit') {
        wakes = false;
        const row = { startedAt: '2026-01-01T12:00:00.000Z', state: 'running' };
        void world.tables.commit('instances', 'instances', [{ kind: 'upsert', key: sleeper.id, row }]);
      }
      return 'ok';
    });
    await world.pass(3_590_000);
    world.clock.advance(11_000); // the next heartbeat of the reader is under way
    await allThatFollows();
    wakes = true;

    await reader.states();

    expect(wakes).toBe(false);
    world.clock.advance(5000);
    expect(await reader.states()).toHaveProperty(sleeper.id, 'running');
  });
});

describe('when an instance writes heartbeats', () => {
  it('given an idle instance, then it writes one at the start and one a minute, and makes no other request', async () => {
    const world = createWorld();
    const { calls } = await world.start();
    expect(calls.splice(0)).toEqual(['commit', 'query', 'create', 'commit']);

    await world.pass(10 * 60_000);

    expect(calls).toEqual(new Array(10).fill('commit'));
  });

  it('given a busy instance, then it writes one every 10 s, and one more when it has become idle', async () => {
    const world = createWorld();
    const { calls, deliver } = await world.start();
    for (let times = 0; times < 6; times += 1) {
      await deliver();
      await world.pass(10_000);
    }
    expect(calls.filter((call) => call === 'commit').length - 2).toBe(6);
    calls.length = 0;

    await world.pass(60_000);

    expect(calls).toEqual(['commit']);
    expect(world.rows()[0]?.row.nextInMs).toBe(60_000);
  });

  it('given writes fail for ten minutes, then one line says so, and one more after the next success', async () => {
    const world = createWorld();
    let fault: Fault = 'ok';
    const { lines } = await world.start(({ on, method }) => (on === 'instances' && method === 'commit' ? fault : 'ok'));
    fault = 'fail-before';
    await world.pass(10 * 60_000);
    fault = 'ok';
    await world.pass(60_000);
    expect(lines).toHaveLength(1);
    fault = 'fail-before';
    await world.pass(120_000);

    expect(lines).toHaveLength(2);
    expect(lines[0]).toMatch(/^warn \{"what":"heartbeat-not-written","errorCode":/);
  });

  it('given storage does not answer, then jobs run, and the next heartbeat comes after the limit of the call', async () => {
    const world = createWorld();
    let fault: Fault = 'ok';
    const { app, deliver } = await world.start(({ on }) => (on === 'instances' ? fault : 'ok'));
    fault = 'never';
    await world.pass(60_000);

    await deliver();
    expect(app.telemetry.counters.jobsCompleted).toBe(1);
    fault = 'ok';
    await world.pass(15_000);

    expect(world.rows()[0]?.row.recent).toContain('"note"');
  });

  it('given a stop, then nothing more is written, and a second stop writes nothing', async () => {
    const world = createWorld();
    const { app, calls } = await world.start();
    calls.length = 0;

    await Promise.all([app.instances.stop(), app.instances.stop()]);
    await world.pass(180_000);

    expect(calls).toEqual(['commit']);
    expect(world.rows()[0]?.row.state).toBe('stopped');
  });

  it('given a stop while a heartbeat is under way, then the row says stopped all the same', async () => {
    const world = createWorld();
    let fault: Fault = 'ok';
    const { app, deliver } = await world.start(({ on }) => (on === 'instances' ? fault : 'ok'));
    await deliver();
    fault = 'never';
    await world.pass(11_000);

    const stopped = app.instances.stop();
    fault = 'ok';
    await world.pass(3000);
    await stopped;

    expect(world.rows()[0]?.row.state).toBe('stopped');
  });

  it('given an instance that has never started, then a stop writes nothing', async () => {
    const { app, stores } = composeMemoryApp();

    await app.instances.stop();

    expect(stores.tables.inspect('instances')).toEqual([]);
  });
});

describe('when the host starts and ends the app', () => {
  it('given a start and an end, then the row says running, later stopped', async () => {
    const functions = createFakeFunctions();
    const { app, stores } = composeMemoryApp();
    registerFunctions(functions.app, app);
    const states = () => stores.tables.inspect('instances').map(({ row }) => row.state);

    await functions.start();
    await allThatFollows();
    expect(states()).toEqual(['running']);
    await functions.terminate();

    expect(states()).toEqual(['stopped']);
  });

  it('given storage does not take the last heartbeat, then the end waits for half a second', async () => {
    const world = createWorld();
    let fault: Fault = 'ok';
    const { app, clock } = await world.start(({ on }) => (on === 'instances' ? fault : 'ok'));
    fault = 'never';
    let isOver = false;

    void stopApp(app).then(() => {
      isOver = true;
    });
    await allThatFollows();
    clock.advance(499);
    await allThatFollows();
    expect(isOver).toBe(false);
    clock.advance(1);
    await allThatFollows();

    expect(isOver).toBe(true);
  });
});
