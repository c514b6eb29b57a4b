import type { Version } from './version.js';

/** Versions in the order in which they were written, of all types and of each type. */
export type VersionLog = {
  of(resourceType?: string): readonly Version[];
  push(version: Version): void;
  /** Takes back the last version that was pushed. */
  pop(version: Version): void;
  /** Counts a version that is gone. When half of a log is gone, the log is filtered. */
  noteGone(version: Version): void;
  clear(): void;
};

/** A log with fewer gone versions is not filtered: filtering reads the whole log. */
const MIN_GONE = 1_000;

export function createVersionLog(): VersionLog {
  const logs = new Map<string, { versions: Version[]; gone: number }>();

  return {
    of: (resourceType = '') => logs.get(resourceType)?.versions ?? [],
    push: (version) => eachLog(version, ({ versions }) => versions.push(version)),
    pop: (version) => eachLog(version, ({ versions }) => versions.pop()),
    noteGone(version) {
      eachLog(version, (log) => {
        log.gone += 1;
        if (log.gone < MIN_GONE || log.gone * 2 < log.versions.length) return;
        log.versions = log.versions.filter(({ isGone }) => !isGone);
        log.gone = 0;
      });
    },
    clear: () => logs.clear(),
  };

  function eachLog({ of }: Version, change: (log: { versions: Version[]; gone: number }) => void): void {
    for (const name of ['', of.resourceType]) {
      const log = logs.get(name) ?? { versions: [], gone: 0 };
      if (log.versions.length === 0) logs.set(name, log);
      change(log);
    }
  }
}
