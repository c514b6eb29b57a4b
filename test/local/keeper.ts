import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Returns the id of the process that keeps the Azurite of `appRoot`; undefined if there is no such process. */
export function keeperPid(appRoot: string): number | undefined {
  try {
    const { pid } = JSON.parse(readFileSync(join(appRoot, '.local/azurite/keeper.json'), 'utf8'));
    return isAlive(pid) ? pid : undefined;
  } catch {
    return undefined;
  }
}

export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
