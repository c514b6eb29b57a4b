import { relative } from 'node:path';
import Sequencer from '@jest/test-sequencer';
import { secondsOf } from './durations.mjs';

/** Starts the longest files first: a long one that starts last keeps one processor busy while the others have ended. */
export default class LongestFirst extends Sequencer {
  /** `duration` is what jest remembers of the last run on this machine; a fresh clone has only durations.json. */
  sort(tests) {
    const lengthOf = ({ path, duration, context }) =>
      duration ?? 1000 * secondsOf(relative(context.config.rootDir, path));
    return super.sort(tests).sort((one, other) => lengthOf(other) - lengthOf(one));
  }
}
