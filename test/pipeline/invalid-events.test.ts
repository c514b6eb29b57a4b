import { createAccount, startApp, watched } from './memory-app.js';

describe('invalid events, when their container is down', () => {
  it('given their POSTs have failed, then nobody goes on writing them: they come again', async () => {
    const account = createAccount();
    const app = startApp(account);
    app.storageIs(({ method }) => (method === 'create' ? 'fail-before' : 'ok'));
    const post = Array.from({ length: 500 }, (_, n) => ({ none: n }));

    const answers = [];
    for (let posts = 0; posts < 3; posts += 1) {
      answers.push(watched(app.pipeline.deliver(post)));
      await account.pass(30_000);
    }
    app.calls.length = 0;
    await account.pass(600_000);

    expect(answers.map(({ state }) => state)).toEqual(['rejected', 'rejected', 'rejected']);
    expect(app.calls).toEqual([]);
  });
});
