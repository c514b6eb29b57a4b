import { FILTER_FIELDS, LISTED_STAGES } from '../../dead-letters/listed.js';
import { MAX_REDRIVES } from '../../dead-letters/redrive.js';

export const VERBS = ['list', 'show', 'redrive', 'discard', 'export'] as const;
export type Verb = (typeof VERBS)[number];

const FILTER = `Filter; an option that is left out matches all:
  --stage NAME          ${LISTED_STAGES.join(', ')}
  --reason NAME         as list shows it; for undelivered, why Event Grid gave up
  --workflow NAME       a workflow of the app, or a removed workflow that still has dead letters
  --error CODE
  --type NAME           FhirResourceUpdated, or the whole name of the type
  --resource-type NAME
  --from, --to TIME     written in this time: 2026-03-14, or 2026-03-14T12:00Z; a day is the whole day, in UTC
`;

const STORAGE = `Storage; left out, the storage of npm start (environment, then local.settings.json):
  --account NAME              a storage account in Azure, with the identity that DefaultAzureCredential finds
  --undelivered-account NAME  the account of Event Grid's own dead letters, if it differs
`;

const WRONG = '2 an option is wrong, 3 storage cannot be reached';
const CODES = `Exit code: 0 done, 1 something failed or was refused, ${WRONG}, 130 ended by Ctrl-C.
`;

export const HELP = `npm run dead-letters -- VERB [options]

Dead letters: events and jobs that the app could not handle, and events that Event Grid could not deliver.

  list       shows them, the newest first, or counts them by cause
  show       shows one in full, without its payload
  redrive    lets the app run them again
  discard    moves them to resolved/ with a note; nothing runs
  export     writes them with their payloads, a line of JSON each

VERB --help shows the options of a verb. npm run -s leaves out the lines of npm itself.
`;

export const VERB_HELP: Readonly<Record<Verb, string>> = {
  list: `npm run dead-letters -- list [options]

Lists the pending dead letters, the newest first, without payloads. Storage has no order of time: list reads the names of
all dead letters, 1,000 a request, so 100,000 take some 100 requests.

  --resolved            the resolved dead letters instead: redriven, superseded or discarded
  --by NAMES            counts them by cause instead, by one or more of ${FILTER_FIELDS.join(', ')}, with commas between
  --limit N             at most N: 100 if left out, with --json 100,000, which is the most; export writes any number
  --json                a line of JSON for each

${FILTER}
${STORAGE}
${CODES}`,

  show: `npm run dead-letters -- show ID [options]

Shows one dead letter in full, pending or resolved, without its payload.

  --payload             with the payload, which can be clinical data
  --out FILE            writes only the payload, to a file that only you can read; correct it there for redrive --edit.
                        In the project, FILE must be in .local/, which git ignores
  --json                as JSON

${STORAGE}
Exit code: 0 shown, 1 no dead letter has this id, ${WRONG}.
`,

  redrive: `npm run dead-letters -- redrive ID … | --all | filter [options]

Requests that the app runs dead letters again, under their own event ids; the app must be running. A dead letter moves to
resolved/ when its job has completed or waits for its next try. A job that fails again gets a new dead letter. For
undelivered, the events are imported as new deliveries. It is safe to end the command, to repeat it, and to run it twice
at once: a completed job never runs again.

  --all                 all pending dead letters
  --dry-run             reports what would be done, and does nothing
  --edit FILE           one id: runs the event in FILE, which must have the same event id; the original stays beside it
  --force               also those redriven ${MAX_REDRIVES} times without success, and payloads that are no event to this version
  --rate N              at most N a second, 100 if left out
  --at-once N           at most N at a time: 16 if left out, with --wait 200
  --wait                waits for the outcome of each, up to 10 minutes
  --stop-after SHARE    waits, and stops when more than this share of ten or more has failed, such as 20%
  --json                the counts, and a message, as JSON

${FILTER}
${STORAGE}
Exit code: 0 all requested, or with --wait completed; 1 some failed, were refused or have no outcome yet, or it stopped
early; ${WRONG}, 130 ended by Ctrl-C.
`,

  discard: `npm run dead-letters -- discard ID … | --all | filter --why TEXT [options]

Moves dead letters to resolved/ with a note. Nothing runs. list --resolved shows the ids, by which they can still be redriven.

  --why TEXT            the note
  --all                 all pending dead letters
  --dry-run             reports what would be done, and does nothing
  --rate N              at most N a second, 200 if left out
  --json                the counts, and a message, as JSON

${FILTER}
${STORAGE}
${CODES}`,

  export: `npm run dead-letters -- export [options]

Writes the pending dead letters with their payloads, which can be clinical data: a line of JSON each.

  --out FILE            a file that only you can read; standard output if left out. In the project, FILE must be in
                        .local/, which git ignores

${FILTER}
${STORAGE}
${CODES}`,
};
