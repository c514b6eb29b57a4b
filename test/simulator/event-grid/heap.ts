import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

export const MEGABYTE = 1024 * 1024;

/** The memory in use after garbage collection. */
export function heapNow(): number {
  collectGarbage();
  return process.memoryUsage().heapUsed;
}
