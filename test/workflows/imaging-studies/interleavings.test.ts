import { mulberry32 } from '../../../src/simulator/seeded.js';
import { dicomEvent } from '../../../src/testing/index.js';
import type { Context, DicomEvent, HealthEvent, TaskContext, Workflow } from '../../../src/workflow.js';
import { createImagingStudies } from '../../../src/workflows/imaging-studies/imaging-studies.js';
import { studyPlaceOf } from '../../../src/workflows/imaging-studies/places.js';
import { createAccount } from '../../pipeline/memory-app.js';
import { watchOrder } from '../row-order.js';
import { type Actor, type Choose, chooseFrom, nameOf, play, playAll } from './interleave.js';
import { openTables } from './tables.js';

const image = (number: number, more: Parameters<typeof dicomEvent>[0] = {}) =>
  dicomEvent({ seriesUid: '1.2', instanceUid: `1.2.${number}`, version: number, ...more });
const gone = image(9, { change: 'deleted', instanceUid: '1.2.1' } as never);

const { partition: PARTITION } = studyPlaceOf(image(1));

/** Initial states. Each leaves the timer some work. */
const BEFORE = {
  'a study that has been quiet for long enough': async (world: World) => {
    await world.handle(image(1));
    await world.runTimer(1);
    world.account.clock.advance(10 * 60_000);
  },
  'a settled study whose row in openstudies was left behind': async (world: World) => {
    await world.handle(image(1));
    await world.runTimer(1);
    const [left] = world.account.tables.inspect('openstudies');
    await world.runTimer(12);
    if (!left) throw new Error('Nothing was open.');
    const { _by, ...row } = left.row;
    await openTables(world.account)('openstudies').change(left.partition, left.key, () => row);
    expect(world.studies()).toMatchObject([{ status: 'settled' }]);
  },
  nothing: async () => {},
};

type World = ReturnType<typeof start>;

function start() {
  const account = createAccount();
  const regressions: string[] = [];
  const story = [image(1), image(2), image(3), gone].map((event) => ({ event }));
  watchOrder(account.tables, story, (wrong) => regressions.push(wrong));
  const { task } = createImagingStudies();
  let jobs = 0;
  const runTask = (tables: Context['tables']) =>
    task?.run({
      ...contextOf(onlyItsPartition(tables)),
      now: account.clock.now,
    } as unknown as TaskContext<string>);
  return {
    account,
    regressions,
    studies: () => account.tables.inspect('studies').map(({ row }) => row),
    open: () => account.tables.inspect('openstudies').map(({ row }) => row),
    handle: (event: DicomEvent) => handle(event, createImagingStudies(), openTables(account)),
    /** Runs the timer `times` times, a minute apart. */
    async runTimer(times: number) {
      for (let at = 0; at < times; at += 1) {
        await runTask(openTables(account));
        account.clock.advance(60_000);
      }
    },
    /** Returns the job of `event`, by default in its own process. */
    job: (event: DicomEvent, workflow = createImagingStudies()): Actor => ({
      name: `job ${++jobs}`,
      run: (tables) => handle(event, workflow, tables),
    }),
    timer: { name: 'timer', run: async (tables) => runTask(tables) } satisfies Actor,
  };
}

/** Lists only the study's partition: the others are empty. */
function onlyItsPartition(tables: Context['tables']): Context['tables'] {
  return (name) => {
    const table = tables(name);
    return {
      ...table,
      list: async (partition, range) => (partition === PARTITION ? table.list(partition, range) : []),
    };
  };
}

async function handle(event: DicomEvent, workflow: Workflow, tables: Context['tables']): Promise<void> {
  const resource = { instance: async () => ({ '00080060': { vr: 'CS', Value: ['CT'] } }) };
  await workflow.handle(event, { ...contextOf(tables), resource, idempotencyKey: event.id } as unknown as Context<
    HealthEvent,
    string
  >);
}

function contextOf(tables: Context['tables']) {
  return { tables, signal: new AbortController().signal, setting: () => undefined };
}

/** Runs the events' jobs beside the timer; then the jobs that died run again. */
async function live(
  before: (world: World) => Promise<void>,
  events: readonly DicomEvent[],
  choose: Choose,
  { timers = 1, inOneProcess = false } = {},
) {
  const world = start();
  await before(world);
  const shared = inOneProcess ? createImagingStudies() : undefined;
  const jobs = events.map((event) => ({ event, actor: world.job(event, shared) }));
  const timersToo = Array.from({ length: timers }, (_, at) => ({ ...world.timer, name: `timer ${at}` }));
  const { steps, died } = await play(
    [...jobs.map(({ actor }) => actor), ...timersToo],
    openTables(world.account),
    choose,
  );
  for (const { event, actor } of jobs) if (died.includes(actor.name)) await world.handle(event);

  const [study] = world.studies();
  // An event has just arrived, so the study is not quiet, and a row exists that the timer will find.
  expect({ steps, status: study?.status, open: world.open() }).toMatchObject({ status: 'arriving', open: [{}] });
  const found = { steps, instances: study?.instances };
  await world.runTimer(1);
  world.account.clock.advance(10 * 60_000);
  await world.runTimer(2);
  expect({ steps, regressions: world.regressions }).toEqual({ steps, regressions: [] });
  return { found, status: world.studies()[0]?.status, open: world.open(), steps };
}

describe('when an image and the timer come at the same time', () => {
  it.each(Object.entries(BEFORE))(
    'given %s, then after every order of their steps, with every death, the study settles, and none stays open',
    async (_given, before) => {
      const held = before === BEFORE.nothing ? 1 : 2;
      const runs = await playAll(async (choose) => {
        const { found, status, open, steps } = await live(before, [image(2)], choose);
        expect({ ...found, status, open }).toEqual({ steps, instances: held, status: 'settled', open: [] });
      });
      expect(runs).toBeGreaterThan(5);
    },
  );
});

describe('when the timer stands still before it removes the row of a settled study', () => {
  it('given a job that dies before it has opened the study again, then the row of its next try stays', async () => {
    const stands = ['timer 0', 'timer 0', 'timer 0']; // it has read both rows
    const dies = [...Array<string>(5).fill('job 1'), 'job 1 dies']; // it has written the study's row
    const script = [...stands, ...dies];
    const before = BEFORE['a settled study whose row in openstudies was left behind'];
    const choose: Choose = (options) => {
      const names = options.map(nameOf);
      return names.indexOf(script.shift() ?? (names.includes('job 2') ? 'job 2' : 'timer 0'));
    };

    const { found, status, open } = await live(before, [image(2), image(2)], choose);

    expect({ script, instances: found.instances, status, open }).toEqual({
      script: [],
      instances: 2,
      status: 'settled',
      open: [],
    });
  });
});

describe('when two processes count a study at the same time', () => {
  it.each([
    { given: 'two processes', inOneProcess: false, orders: 200 },
    { given: 'one process, which shares counts', inOneProcess: true, orders: 50 },
  ])('given two images that come to $given, then after every order of their steps both are counted', async (one) => {
    const { inOneProcess, orders } = one;
    const playOnce = async (choose: Choose) => {
      const { found, steps } = await live(BEFORE.nothing, [image(1), image(2)], choose, { timers: 0, inOneProcess });
      expect(found).toEqual({ steps, instances: 2 });
    };
    const runs = await playAll(playOnce, { inOneProcess });
    expect(runs).toBeGreaterThan(orders);
  });

  it.each(Object.entries(BEFORE))(
    'given %s, arriving images, one twice, a deleted one, and two timers, then after 300 orders the study settles',
    async (_given, before) => {
      for (let seed = 1; seed <= 300; seed += 1) {
        const choose = chooseFrom(mulberry32(seed));
        const { found, status, open, steps } = await live(before, [image(2), image(3), image(2), gone], choose, {
          timers: 2,
        });
        expect({ ...found, status, open }).toEqual({ steps, instances: 2, status: 'settled', open: [] });
      }
    },
  );
});
