import { registerTasks } from '../../src/functions/tasks.js';
import { defineWorkflow, fhir, type TaskContext } from '../../src/workflow.js';
import { createFakeFunctions } from './fake-functions.js';
import { composeMemoryApp } from './memory-app.js';

function start(run: (context: TaskContext<'tidied' | 'rows'>) => Promise<void>, env = {}) {
  const functions = createFakeFunctions();
  const task = { name: 'tidyNotes', schedule: '0 * * * * *', run };
  const workflow = defineWorkflow({
    name: 'notes',
    on: fhir('*'),
    codes: ['tidied', 'rows', 'down'],
    handle() {},
    task,
  });
  const idle = defineWorkflow({ name: 'idle', on: fhir('*'), handle() {} });
  const composed = composeMemoryApp({ workflows: [workflow, idle], env });
  registerTasks(functions.app, composed.app);
  return { ...composed, functions };
}

describe('when a task is due', () => {
  it('given its schedule, then a timer has its name', () => {
    const { functions } = start(async () => {});

    expect(functions.names()).toEqual(['tidyNotes']);
    expect(functions.optionsOf('tidyNotes')).toMatchObject({ schedule: '0 * * * * *' });
  });

  it('given a task that changes rows, then its tables, codes, time and settings are those of the workflow', async () => {
    const { functions, stores, lines } = start(
      async ({ tables, now, setting, log }) => {
        await tables('notes').change('all', 'n1', (current) => ({ times: Number(current?.times ?? 0) + 1 }));
        await tables('notes').change('all', 'n2', () => ({ at: now().toISOString(), mood: setting('MOOD') ?? '' }));
        log.info('tidied', { rows: 2 });
        log.warn('Not A Word: secret-marker' as 'tidied');
      },
      { MOOD: 'fine' },
    );

    await functions.call('tidyNotes');
    await functions.call('tidyNotes');

    expect(stores.tables.inspect('notes').map(({ key, row }) => [key, row])).toMatchObject([
      ['n1', { times: 2 }],
      ['n2', { at: '2026-01-01T12:00:00.000Z', mood: 'fine' }],
    ]);
    expect(lines.slice(0, 2)).toEqual([
      'info {"what":"workflow","workflow":"notes","code":"tidied","numbers":{"rows":2}}',
      'warn {"what":"workflow","workflow":"notes","code":"undeclared-code"}',
    ]);
  });

  it('given several runs that change a row at once, then no run overwrites another', async () => {
    const { functions, stores } = start(async ({ tables }) => {
      await tables('notes').change('all', 'n', (current) => ({ times: Number(current?.times ?? 0) + 1 }));
    });

    await Promise.all(Array.from({ length: 5 }, () => functions.call('tidyNotes')));

    expect(stores.tables.inspect('notes')).toMatchObject([{ row: { times: 5 } }]);
  });

  it('given a task that throws, then its code is logged, and the timer continues', async () => {
    const { functions, lines } = start(() =>
      Promise.reject(Object.assign(new Error('secret-marker'), { code: 'down' })),
    );

    await functions.call('tidyNotes');

    expect(lines).toEqual(['error {"what":"task-failed","workflow":"notes","errorCode":"down"}']);
  });

  it('given a change that fails and is not awaited, then its code is logged, and the process continues', async () => {
    const { functions, lines } = start(async ({ tables, log }) => {
      void tables('notes').change('all', 'n', () => ({ _reserved: 1 }));
      log.info('tidied', { 'Secret-Marker Name': 1 } as object);
    });

    await functions.call('tidyNotes');

    expect(lines).toEqual([
      'info {"what":"workflow","workflow":"notes","code":"tidied","numbers":{"undeclared-code":1}}',
      'error {"what":"task-failed","workflow":"notes","errorCode":"reserved-property"}',
    ]);
  });

  it('given the process ends, then its signal aborts', async () => {
    let aborted = false;
    const { functions } = start(async ({ signal }) => {
      await functions.terminate();
      aborted = signal.aborted;
    });

    await functions.call('tidyNotes');

    expect(aborted).toBe(true);
  });
});
