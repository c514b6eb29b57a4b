import { join } from 'node:path';

/** The message of a keeper to each of its users, one line of JSON. */
export type KeeperMessage = { readonly folder: string; readonly connectionString: string };

/** Returns the path of the file that names the keeper of `folder`: `{ pid, port }`. */
export function keeperFile(folder: string): string {
  return join(folder, 'keeper.json');
}

export type KeeperOptions = {
  readonly folder: string;
  /** The ports of blob, queue and table; 0 for any free port. */
  readonly ports: readonly number[];
};

export function keeperArguments({ folder, ports }: KeeperOptions): string[] {
  return [folder, ...ports.map(String)];
}

export function parseKeeperOptions([folder = '', ...ports]: readonly string[]): KeeperOptions {
  return { folder, ports: ports.map(Number) };
}
