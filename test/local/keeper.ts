import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The process that keeps the Azurite of `appRoot`; undefined when none runs. */
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
