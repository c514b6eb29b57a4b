import { app, trigger } from '@azure/functions';
import { PgBoss } from 'pg-boss';

// A job queue on PostgreSQL: a POST is answered when its events are jobs in the database, whose ids are those of the
// events. An id that exists is left out. Completed jobs stay for a week.

type RawEvent = { id: string };

const QUEUE = 'events';
/** Of the options tried, the ones with the most events a second: pg-boss runs 1 job every 2 s without them. */
const WORK = { batchSize: 500, localConcurrency: 2, pollingIntervalSeconds: 0.5, burstWhenBatchFull: true };

const boss = new PgBoss({
  connectionString: process.env.POSTGRES_URL ?? '',
  useListenNotify: true,
  schedule: false,
});
boss.on('error', (error) => console.error(error));
const started = start();

app.generic('fhirEvents', {
  trigger: trigger.generic({ type: 'eventGridTrigger', cardinality: 'many' }),
  async handler(events: RawEvent[]) {
    await started;
    await boss.insert(
      QUEUE,
      events.map((event) => ({ id: event.id, data: event })),
    );
  },
});

async function start(): Promise<void> {
  await boss.start();
  await boss.createQueue(QUEUE, { notify: true });
  await boss.work(QUEUE, WORK, async () => {});
}
