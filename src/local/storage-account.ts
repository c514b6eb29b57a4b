import { OptionError } from './option-error.js';
import { textOf, type Values } from './option-values.js';

const ACCOUNT = /^[a-z0-9]{3,24}$/;

/** Returns the storage account that an option names. @throws OptionError */
export function accountOf(values: Values, name: string): string | undefined {
  const account = textOf(values, name);
  if (account === undefined || ACCOUNT.test(account)) return account;
  throw new OptionError(`--${name} is '${account}', must be the name of a storage account: 3 to 24 of a-z and 0-9.`);
}
