import { app, trigger } from '@azure/functions';
import { calls, record } from './calls.mjs';

app.http('calls', { methods: ['GET'], route: 'calls', handler: () => ({ jsonBody: calls.splice(0) }) });

app.generic('batch', {
  trigger: trigger.generic({ type: 'eventGridTrigger', cardinality: 'many' }),
  handler(events, context) {
    record('batch', events, context);
    if (events.some((event) => event.fail)) throw new Error(`secret ${events[0].id}`);
  },
});

app.eventGrid('single', {
  handler(event, context) {
    record('single', event, context);
    if (event.fail) throw new Error('failed');
    if (event.hang) return new Promise(() => {});
  },
});
