import { app } from '@azure/functions';

const terminating = Promise.withResolvers();

app.hook.appStart(() => console.log('fixture: appStart'));
app.hook.appTerminate(async () => {
  await new Promise((resolve) => setImmediate(resolve));
  console.log('fixture: appTerminate');
  terminating.resolve();
});

/** Answers only when the app is told that it ends: so it must be told while this runs. */
app.http('untilTerminated', {
  methods: ['GET'],
  async handler() {
    console.log('fixture: held');
    await terminating.promise;
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
