/** The fields that a filter of dead letters can have, named as in the API, each with its label. */
export const LABELS = {
  stage: 'Stage',
  reason: 'Reason',
  workflow: 'Workflow',
  error: 'Error',
  frame: 'Place in the code',
  type: 'Event type',
  resourceType: 'Resource type',
  from: 'Written from',
  to: 'Written until',
} as const;
type Field = keyof typeof LABELS;
const FIELDS = Object.keys(LABELS) as Field[];
/** `resolved`: `true` for the resolved dead letters. Without it: the pending ones. */
export type Filter = Readonly<Partial<Record<Field | 'resolved', string>>>;

/** The API's name for the value of a field that a dead letter lacks. */
export const NONE = '(none)';

export const STAGES: Readonly<Record<string, string>> = {
  failed: 'failed: every try, or for good',
  invalid: 'invalid: no valid event',
  crash: 'crash: ended the process',
  'unknown-workflow': 'unknown workflow',
  undelivered: "undelivered: Event Grid's own",
};

/** Returns the filter in the query of the page's URL. */
export function filterOf(query: Readonly<Record<string, string>>): Filter {
  const given = Object.fromEntries(FIELDS.flatMap((field) => (query[field] ? [[field, query[field]]] : [])));
  return query.resolved === 'true' ? { ...given, resolved: 'true' } : given;
}

/** Returns a path of the API with these parameters. */
export function pathOf(path: string, parameters: Readonly<Record<string, string | undefined>>): string {
  const given = Object.entries(parameters).filter((entry): entry is [string, string] => Boolean(entry[1]));
  return `${path}?${new URLSearchParams(given)}`;
}

/** Returns a filter in words, for a person who is about to act on it. */
export function filterText(filter: Filter): string {
  const parts = FIELDS.flatMap((field) => (filter[field] ? [`${LABELS[field].toLowerCase()} ${filter[field]}`] : []));
  return parts.length === 0 ? 'all that are pending' : parts.join(', ');
}
