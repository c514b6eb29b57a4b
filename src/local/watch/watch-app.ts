import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../../clock.js';
import { type Azurite, joinAzurite } from '../azurite.js';
import { buildChanged } from './build-changed.js';
import { printLine, startApp, startTypeCheck } from './processes.js';
import { changedPaths, nextSnapshot, takeSnapshot } from './snapshot.js';

/** `args` are those of `npm start`, without --watch; `ended` resolves when the watch is to end. */
type WatchOptions = { readonly args: readonly string[]; readonly clock: Clock; readonly ended: Promise<void> };

/** While this file names a living process, setup.mjs leaves `dist` to that process. */
const STAMP = join('dist', '.built-from');

/**
 * Runs the app in a process of its own, and builds and restarts it after each change of a source or a setting.
 * A build that fails leaves the running app alone; an app that has ended starts again at the next change.
 * Azurite keeps running between two apps, because this process uses it, too.
 */
export async function watchApp({ args, clock, ended }: WatchOptions): Promise<void> {
  const over = new AbortController();
  ended.then(() => over.abort());
  const azurite = holdAzurite();
  let types: ReturnType<typeof startTypeCheck> | undefined;
  writeFileSync(STAMP, `watch ${process.pid}`);
  let app = startApp(args, { signal: over.signal, onServing: azurite.hold });
  try {
    for await (const { foundAt } of builds(clock, over.signal)) {
      types?.stop();
      await app.end();
      const onServing = () => {
        printLine(`The change is served, ${((clock.monotonic() - foundAt) / 1000).toFixed(1)} s after it was found.`);
        types = startTypeCheck(clock);
        azurite.hold();
      };
      app = startApp([...args, '--no-hints'], { signal: over.signal, onServing });
    }
  } finally {
    types?.stop();
    await app.end();
    await azurite.release();
    rmSync(STAMP, { force: true });
  }
}

/** Yields after each build that has succeeded, until `signal` aborts. */
async function* builds(clock: Clock, signal: AbortSignal): AsyncGenerator<{ foundAt: number }> {
  let built = takeSnapshot();
  let seen = built;
  while (true) {
    const found = await nextSnapshot(seen, clock, signal);
    if (!found) return;
    seen = found;
    const foundAt = clock.monotonic();
    const paths = changedPaths(built, seen);
    if (await buildChanged(paths)) {
      printLine(`Changed: ${paths.join(', ')}. The app starts again.`);
      built = seen;
      yield { foundAt };
    } else printLine('The build failed, see above. The app starts again when the build succeeds.');
  }
}

/** Uses the Azurite that the app has started, if it has started one. */
function holdAzurite() {
  const folder = join(process.cwd(), '.local', 'azurite');
  let held: Promise<Azurite | undefined> = Promise.resolve(undefined);
  return {
    hold() {
      held = held.then((azurite) => azurite ?? joinAzurite(folder));
    },
    release: async () => (await held)?.release(),
  };
}
