import type { BlobStore } from '../../src/storage/blob-store.js';
import type { QueueStore } from '../../src/storage/queue-store.js';
import { StorageError, type TableStore } from '../../src/storage/table-store.js';

/**
 *   ok            as if there were no wrapper
 *   fail-before   throws; takes no effect
 *   fail-after    takes effect, then throws
 *   never         takes no effect; never answers
 *   never-after   takes effect; never answers
 *   late          takes effect at `release()`, which waits for it; never answers
 */
export type Fault = 'ok' | 'fail-before' | 'fail-after' | 'never' | 'never-after' | 'late';

/** `number` counts the calls of one wrapper from 1. `on` is the table, the prefix, the blob; '' for a queue. */
export type CallInfo = { number: number; method: string; on: string };
export type Plan = (call: CallInfo) => Fault;
export type Faulty<Store> = Store & { release(): Promise<void> };

export function faultyTables(store: TableStore, plan: Plan): Faulty<TableStore> {
  const { through, release } = createFaults(plan);
  return {
    commit: (table, ...rest) => through('commit', table, () => store.commit(table, ...rest)),
    read: (table, ...rest) => through('read', table, () => store.read(table, ...rest)),
    query: (table, ...rest) => through('query', table, () => store.query(table, ...rest)),
    create: (table, ...rest) => through('create', table, () => store.create(table, ...rest)),
    drop: (table, ...rest) => through('drop', table, () => store.drop(table, ...rest)),
    list: (prefix, ...rest) => through('list', prefix, () => store.list(prefix, ...rest)),
    release,
  };
}

export function faultyBlobs(store: BlobStore, plan: Plan): Faulty<BlobStore> {
  const { through, release } = createFaults(plan);
  return {
    prepare: (...all) => through('prepare', '', () => store.prepare(...all)),
    create: (name, ...rest) => through('create', name, () => store.create(name, ...rest)),
    read: (name, ...rest) => through('read', name, () => store.read(name, ...rest)),
    readText: (name, ...rest) => through('read', name, () => store.readText(name, ...rest)),
    copy: (from, to, ...rest) => through('copy', to, () => store.copy(from, to, ...rest)),
    delete: (name, ...rest) => through('delete', name, () => store.delete(name, ...rest)),
    list: (prefix, ...rest) => through('list', prefix, () => store.list(prefix, ...rest)),
    release,
  };
}

export function faultyQueue(store: QueueStore, plan: Plan): Faulty<QueueStore> {
  const { through, release } = createFaults(plan);
  return {
    send: (...all) => through('send', '', () => store.send(...all)),
    length: (...all) => through('length', '', () => store.length(...all)),
    oldestAt: (...all) => through('oldestAt', '', () => store.oldestAt(...all)),
    receive: (...all) => through('receive', '', () => store.receive(...all)),
    delete: (...all) => through('delete', '', () => store.delete(...all)),
    create: (...all) => through('create', '', () => store.create(...all)),
    release,
  };
}

function createFaults(plan: Plan) {
  const late: (() => Promise<unknown>)[] = [];
  let calls = 0;

  async function through<T>(method: string, on: string, call: () => Promise<T>): Promise<T> {
    calls += 1;
    const fault = plan({ number: calls, method, on });
    switch (fault) {
      case 'ok':
        return call();
      case 'fail-before':
        throw new StorageError('fault', `${method} failed before it took effect.`);
      case 'fail-after':
        await call();
        throw new StorageError('fault', `${method} failed after it took effect.`);
      case 'never':
        return never();
      case 'never-after':
        await call();
        return never();
      case 'late':
        late.push(call);
        return never();
      default:
        throw new TypeError(`unhandled ${JSON.stringify(fault satisfies never)}`);
    }
  }

  async function release(): Promise<void> {
    for (const call of late.splice(0)) await call().catch(() => undefined);
  }

  return { through, release };
}

function never<T>(): Promise<T> {
  return new Promise(() => undefined);
}
