/** The names of the app's own tables. The ledger has others: one for each day, by `tableOfDay`. */
export const APP_TABLES = {
  /** The pauses, the actions of people, and the first day whose jobs are known by their changes. */
  state: 'appstate',
  instances: 'instances',
  looks: 'looks',
  reconcile: 'reconcile',
  waiting: 'waiting',
  watermarks: 'watermarks',
} as const;

/** The first letters of the name of each table of the ledger. */
export const LEDGER_PREFIX = 'ledger';

const NAMES: ReadonlySet<string> = new Set(Object.values(APP_TABLES));

/** Returns whether a table belongs to the app, so that no workflow may use it. Table Storage ignores case in names. */
export function isAppTable(name: string): boolean {
  const lowerCase = name.toLowerCase();
  return NAMES.has(lowerCase) || lowerCase.startsWith(LEDGER_PREFIX);
}
