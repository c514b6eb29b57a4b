import { createChangeQueue } from '../../src/handler/change-queue.js';
import { resourceIndex } from '../../src/workflows/resource-index.js';
import { createAccount, rawEvent, startApp, watched } from '../pipeline/memory-app.js';

const stored = (version: number) => ({ stored: { row: { version }, etag: `e${version}` } });

describe('when several change a row', () => {
  it('given two changes of one row, then the second starts from the row that the first has written', async () => {
    const inTurn = createChangeQueue();
    const seen: unknown[] = [];

    const first = inTurn('r', async (known) => {
      seen.push(known);
      return stored(1);
    });
    const second = inTurn('r', async (known) => {
      seen.push(known);
      return stored(2);
    });
    await Promise.all([first, second]);

    expect(seen).toEqual([undefined, stored(1)]);
  });

  it('given the first change has ended before the second comes, then the second gets no known row', async () => {
    const inTurn = createChangeQueue();
    const seen: unknown[] = [];

    for (const version of [1, 2]) {
      await inTurn('r', async (known) => {
        seen.push(known);
        return stored(version);
      });
    }

    expect(seen).toEqual([undefined, undefined]);
  });

  it('given the first change fails, then its caller gets the error, and the second runs without a known row', async () => {
    const inTurn = createChangeQueue();
    const seen: unknown[] = [];

    const first = inTurn('r', () => Promise.reject(new Error('lost')));
    const second = inTurn('r', async (known) => {
      seen.push(known);
      return stored(2);
    });

    await expect(first).rejects.toThrow('lost');
    await second;
    expect(seen).toEqual([undefined]);
  });

  it('given changes of two rows, then neither waits for the other', async () => {
    const inTurn = createChangeQueue();
    void inTurn('slow', () => new Promise(() => undefined));

    await expect(inTurn('r', async () => stored(1))).resolves.toBeUndefined();
  });
});

describe('when versions of resources arrive in one POST', () => {
  it('given a created and an updated event of each of 50 resources, then no write is refused', async () => {
    const account = createAccount();
    const refusals: string[] = [];
    const { commit } = account.tables;
    account.tables.commit = async (...args) => {
      const answer = await commit(...args);
      if (answer.kind === 'refused') refusals.push(args[0]);
      return answer;
    };
    const app = startApp(account, { workflows: [resourceIndex] });
    const events = [1, 2].flatMap((version) =>
      Array.from({ length: 50 }, (_, n) =>
        rawEvent({
          id: `e${n}-${version}`,
          resourceId: `r${n}`,
          version,
          change: version === 1 ? 'created' : 'updated',
        }),
      ),
    );

    const delivery = watched(app.pipeline.deliver(events));
    await account.pass(0);

    expect(delivery.state).toBe('resolved');
    expect(account.tables.inspect('resources').map(({ row }) => row.version)).toEqual(Array(50).fill(2));
    expect(refusals).toEqual([]);
  });

  it('given another process writes the row in between, then the write is refused, and the newest version stands', async () => {
    const account = createAccount();
    const [one, other] = [
      startApp(account, { workflows: [resourceIndex] }),
      startApp(account, { workflows: [resourceIndex] }),
    ];
    const version = (n: number) =>
      rawEvent({ id: `e${n}`, resourceId: 'r', version: n, change: n === 1 ? 'created' : 'updated' });

    const deliveries = [
      one.pipeline.deliver([version(1), version(2), version(4)]),
      other.pipeline.deliver([version(3)]),
    ];
    await account.pass(1000);
    await Promise.all(deliveries);

    expect(account.tables.inspect('resources').map(({ row }) => row.version)).toEqual([4]);
  });
});
