import type { Version } from './version.js';

type Log = { versions: Version[]; gone: number };

/** A log with fewer gone versions is not filtered: filtering reads the whole log. */
const MIN_GONE = 1_000;

/** Versions in the order in which they were written, of all types and of each type. */
export class VersionLog {
  readonly #logs = new Map<string, Log>();

  of(resourceType = ''): readonly Version[] {
    return this.#logs.get(resourceType)?.versions ?? [];
  }

  push(version: Version): void {
    for (const { versions } of this.#logsOf(version)) versions.push(version);
  }

  /** Takes back the last version that was pushed. */
  pop(version: Version): void {
    for (const { versions } of this.#logsOf(version)) versions.pop();
  }

  /** Counts a version that is gone. When half of a log is gone, the log is filtered. */
  noteGone(version: Version): void {
    for (const log of this.#logsOf(version)) {
      log.gone += 1;
      if (log.gone < MIN_GONE || log.gone * 2 < log.versions.length) continue;
      log.versions = log.versions.filter(({ isGone }) => !isGone);
      log.gone = 0;
    }
  }

  clear(): void {
    this.#logs.clear();
  }

  #logsOf({ stored }: Version): Log[] {
    return ['', stored.resourceType].map((name) => {
      const log = this.#logs.get(name) ?? { versions: [], gone: 0 };
      this.#logs.set(name, log);
      return log;
    });
  }
}
