import { app } from '@azure/functions';
import { queued } from '../calls.mjs';

app.hook.appStart(() => console.log('fixture: appStart'));
app.hook.appTerminate(async () => {
  await new Promise((resolve) => setImmediate(resolve));
  console.log('fixture: appTerminate');
});

app.http('untilQueued', {
  methods: ['GET'],
  async handler() {
    console.log('fixture: held');
    await queued.promise;
    console.log('fixture: answered');
    return { body: 'finished' };
  },
});
app.http('forever', {
  methods: ['GET'],
  handler() {
    console.log('fixture: held');
    return new Promise(() => {});
  },
});
