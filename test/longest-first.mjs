import { relative } from 'node:path';
import Sequencer from '@jest/test-sequencer';
import { secondsOf } from './durations.mjs';

/** Starts the longest files first: a long file that starts last leaves the other processors idle. */
export default class LongestFirst extends Sequencer {
  /** `duration` comes from jest's cache of the last run on this machine. A fresh clone has only durations.json. */
  sort(tests) {
    const lengthOf = ({ path, duration, context }) =>
      duration ?? 1000 * secondsOf(relative(context.config.rootDir, path));
    return super.sort(tests).sort((one, other) => lengthOf(other) - lengthOf(one));
  }
}
