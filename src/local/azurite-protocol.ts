import { join } from 'node:path';

/** What a keeper of Azurite tells each of its users, as one line of JSON. */
export type KeeperMessage = { readonly folder: string; readonly connectionString: string };

/** Says where the keeper of `folder` is: `{ pid, port }`. */
export function keeperFile(folder: string): string {
  return join(folder, 'keeper.json');
}

export type KeeperOptions = {
  readonly folder: string;
  /** Of blob, queue and table; 0 for any that is free. */
  readonly ports: readonly number[];
};

export function keeperArguments({ folder, ports }: KeeperOptions): string[] {
  return [folder, ...ports.map(String)];
}

export function parseKeeperOptions([folder = '', ...ports]: readonly string[]): KeeperOptions {
  return { folder, ports: ports.map(Number) };
}
