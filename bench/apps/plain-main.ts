import { RestError, TableClient } from '@azure/data-tables';
import { app, trigger } from '@azure/functions';

// The simplest deduplication: a row for each event, inserted before the work and updated after it. An existing row
// means that the event is a duplicate. All events of a POST run at once.

type RawEvent = { id: string; topic: string; eventType: string; eventTime: string };

const tables = new Map<string, Promise<TableClient>>();

app.generic('fhirEvents', {
  trigger: trigger.generic({ type: 'eventGridTrigger', cardinality: 'many' }),
  handler: (events: RawEvent[]) => Promise.all(events.map(handle)),
});

async function handle({ id, topic, eventType, eventTime }: RawEvent): Promise<void> {
  const table = await tableOf(eventTime.slice(0, 10).replaceAll('-', ''));
  const keys = { partitionKey: id.slice(-1), rowKey: id };
  try {
    await table.createEntity({ ...keys, state: 'running', source: topic, type: eventType, time: eventTime });
  } catch (error) {
    if (error instanceof RestError && error.statusCode === 409) return;
    throw error;
  }
  await table.updateEntity({ ...keys, state: 'settled', settledAt: new Date().toISOString() }, 'Merge');
}

function tableOf(day: string): Promise<TableClient> {
  const table = tables.get(day) ?? makeTable(`plain${day}`);
  tables.set(day, table);
  return table;
}

async function makeTable(name: string): Promise<TableClient> {
  const connection = process.env.AzureWebJobsStorage ?? '';
  const table = TableClient.fromConnectionString(connection, name, { allowInsecureConnection: true });
  await table.createTable();
  return table;
}
