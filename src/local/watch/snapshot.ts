import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type Clock, sleep } from '../../clock.js';

/** The size and the time of change of each watched file, by its path. */
type Snapshot = ReadonlyMap<string, string>;

/** Files are checked this often, and must not change for this long: saving several files is one change. */
const POLL_MS = 100;
/** The app reads these files when it starts. */
const SETTINGS = ['host.json', 'local.settings.json'];

/** Returns the state of the sources that a build turns into files of `dist`, and of the settings. */
export function takeSnapshot(): Snapshot {
  const sources = readdirSync('src', { recursive: true, encoding: 'utf8' })
    .filter((path) => /(?<!\.d)\.tsx?$|\.json$|\.css$|\.html$/.test(path))
    .map((path) => join('src', path));
  return new Map(
    [...sources, ...SETTINGS].flatMap((path) => {
      const stats = statSync(path, { throwIfNoEntry: false });
      return stats ? [[path, `${stats.size} ${stats.mtimeMs}`]] : [];
    }),
  );
}

/** Returns the paths of files that were added, removed or changed between two snapshots. */
export function changedPaths(before: Snapshot, after: Snapshot): string[] {
  return [...new Set([...before.keys(), ...after.keys()])].filter((path) => before.get(path) !== after.get(path));
}

/**
 * Resolves with the next snapshot that differs from `seen`, or with undefined when `signal` aborts. Polls, because
 * watchers of the operating system miss files that an editor replaces, and all changes in a mounted folder.
 */
export async function nextSnapshot(seen: Snapshot, clock: Clock, signal: AbortSignal): Promise<Snapshot | undefined> {
  let last = seen;
  while (true) {
    await sleep(clock, POLL_MS, signal);
    if (signal.aborted) return undefined;
    const now = takeSnapshot();
    if (changedPaths(seen, now).length > 0 && changedPaths(last, now).length === 0) return now;
    last = now;
  }
}
