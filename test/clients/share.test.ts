import { createShare } from '../../src/clients/share.js';
import { createQuickClock } from './quick-clock.js';
import { failureOf } from './stand-in.js';

function startShare() {
  const quick = createQuickClock();
  let joined = 0;
  const share = createShare({ clock: quick.clock, onShared: () => void joined++ });
  const reads: { signal: AbortSignal; answer: (value: unknown) => void; fail: (error: Error) => void }[] = [];
  const read = (signal: AbortSignal) =>
    new Promise<unknown>((answer, fail) => {
      reads.push({ signal, answer, fail });
      signal.addEventListener('abort', () => fail(new Error('aborted below')));
    });
  const reader = (event: object, name = 'current') => {
    const controller = new AbortController();
    const result = share({ event, name, signal: controller.signal }, read);
    result.catch(() => {});
    return { result, abort: () => controller.abort() };
  };
  return { ...quick, reads, reader, joined: () => joined };
}

const event = {};

describe('when several read the same of one event', () => {
  it('given callers during a read and after it, then they share one read', async () => {
    const { reader, reads, joined } = startShare();
    const [one, two] = [reader(event), reader(event)];
    reads[0]?.answer('text');
    expect(await Promise.all([one.result, two.result, reader(event).result])).toEqual(['text', 'text', 'text']);
    expect(reads).toHaveLength(1);
    expect(joined()).toBe(2);
  });

  it('given the resource is gone, then this answer is shared, too', async () => {
    const { reader, reads } = startShare();
    const one = reader(event);
    reads[0]?.answer(undefined);
    expect(await one.result).toBeUndefined();
    expect(await reader(event).result).toBeUndefined();
    expect(reads).toHaveLength(1);
  });

  it('given another name, or an equal event in another object, then a new read starts', () => {
    const { reader, reads, joined } = startShare();
    reader(event);
    reader(event, 'version');
    reader({});
    expect(reads).toHaveLength(3);
    expect(joined()).toBe(0);
  });

  it.each([
    { ms: 20_000, times: 1 },
    { ms: 20_001, times: 2 },
  ])('given a second caller after $ms ms, then $times reads are made', async ({ ms, times }) => {
    const { reader, reads, advance } = startShare();
    const one = reader(event);
    reads[0]?.answer('text');
    await one.result;
    advance(ms);
    reader(event);
    expect(reads).toHaveLength(times);
  });
});

describe('when a shared read lasts long', () => {
  it('given a read under way for more than 20 s, then the next caller starts a new read', () => {
    const { reader, reads, advance } = startShare();
    reader(event);
    advance(20_000);
    reader(event);
    expect(reads).toHaveLength(1);
    advance(1);
    reader(event);
    expect(reads).toHaveLength(2);
  });
});

describe('when a shared read fails', () => {
  it('given two callers, then both get the error, and the next caller tries again', async () => {
    const { reader, reads } = startShare();
    const [one, two] = [reader(event), reader(event)];
    reads[0]?.fail(new Error('failed'));
    expect((await failureOf(one.result)).message).toBe('failed');
    const three = reader(event);
    expect((await failureOf(two.result)).message).toBe('failed');
    reads[1]?.answer('text');
    expect(await three.result).toBe('text');
  });

  it('given a newer read has started since, then later callers still share the newer read', async () => {
    const { reader, reads, advance } = startShare();
    const one = reader(event);
    advance(20_001);
    reader(event);
    reads[0]?.fail(new Error('failed'));
    await failureOf(one.result);
    reader(event);
    expect(reads).toHaveLength(2);
  });
});

describe('when a caller aborts', () => {
  it('given another caller waits, then the read continues', async () => {
    const { reader, reads } = startShare();
    const [one, two] = [reader(event), reader(event)];

    one.abort();

    expect(await failureOf(one.result)).toMatchObject({ code: 'read-aborted' });
    expect(reads[0]?.signal.aborted).toBe(false);
    reads[0]?.answer('text');
    expect(await two.result).toBe('text');
  });

  it('given the last caller, then the read ends, and the next caller starts a new read', async () => {
    const { reader, reads } = startShare();
    const [one, two] = [reader(event), reader(event)];

    one.abort();
    two.abort();
    const three = reader(event);

    expect(reads[0]?.signal.aborted).toBe(true);
    expect(reads).toHaveLength(2);
    reads[1]?.answer('text');
    expect(await three.result).toBe('text');
  });

  it('given a caller that aborts twice, then it counts once, and the read continues for the other', async () => {
    const { reader, reads } = startShare();
    const [one, two] = [reader(event), reader(event)];
    one.abort();
    one.abort();
    await failureOf(one.result);
    expect(reads[0]?.signal.aborted).toBe(false);
    two.abort();
    expect(reads[0]?.signal.aborted).toBe(true);
  });

  it('given the read is over, then its signal does not abort', async () => {
    const { reader, reads } = startShare();
    const one = reader(event);
    reads[0]?.answer('text');
    await one.result;
    one.abort();
    expect(reads[0]?.signal.aborted).toBe(false);
    expect(await reader(event).result).toBe('text');
    expect(reads).toHaveLength(1);
  });
});
