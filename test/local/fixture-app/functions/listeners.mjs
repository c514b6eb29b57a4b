import { app } from '@azure/functions';
import { queued, record } from '../calls.mjs';

if (process.env.FIXTURE_QUEUE) {
  app.storageQueue('queued', {
    queueName: '%FIXTURE_QUEUE%',
    connection: 'FixtureStorage',
    handler(message, context) {
      record('queued', message, context);
      queued.resolve();
      if (message.fail) throw new Error('failed');
    },
  });
}

if (process.env.FIXTURE_TIMER) {
  app.timer('everySecond', {
    schedule: '%FIXTURE_TIMER%',
    runOnStartup: true,
    handler(timer, context) {
      record('everySecond', timer, context);
    },
  });
}
