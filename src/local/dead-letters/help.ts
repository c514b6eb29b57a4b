import { FILTER_FIELDS, LISTED_STAGES } from '../../dead-letters/listed.js';
import { MAX_REDRIVES } from '../../dead-letters/redrive.js';
import { APP_HELP } from '../app-client.js';

export const VERBS = ['list', 'show', 'redrive', 'discard', 'export'] as const;
export type Verb = (typeof VERBS)[number];

const FILTER = `Filter. An option that is left out matches every dead letter:
  --stage NAME          ${LISTED_STAGES.join(', ')}
  --reason NAME         a reason that list shows; for undelivered, why Event Grid gave up
  --workflow NAME       a workflow of the app, or a removed workflow that still has dead letters
  --error CODE
  --frame PLACE         where the app's own code has failed: workflows/potassium-alert.js:42
  --type NAME           FhirResourceUpdated, or the whole name of the type
  --resource-type NAME
  --from, --to TIME     when the dead letter was written: 2026-03-14, the whole day in UTC, or 2026-03-14T12:00Z
`;

const STORAGE = `Storage. Without these options, the storage of npm start, from the environment or local.settings.json:
  --account NAME              a storage account in Azure, with the identity that DefaultAzureCredential finds
  --undelivered-account NAME  the account of Event Grid's own dead letters, if it is another

${APP_HELP}`;

const WRONG = '2 an option is wrong, 3 storage or the app does not answer';
const CODES = `Exit code: 0 done, 1 something failed or was refused, ${WRONG}, 130 ended by Ctrl-C.
`;

/** The text for --help without a verb, and for a command line without a verb. */
export const HELP = `npm run dead-letters -- VERB [options]

Dead letters: events and jobs that the app could not handle, and events that Event Grid could not deliver.

  list       lists dead letters, the newest first, or counts them by cause
  show       shows one dead letter in full, without its payload
  redrive    requests that the app runs dead letters again
  discard    moves dead letters to resolved/ with a note; nothing runs
  export     writes dead letters with their payloads, a line of JSON each

VERB --help shows the options of a verb. npm run -s leaves out the lines of npm itself.
`;

/** The text for --help after a verb. */
export const VERB_HELP: Readonly<Record<Verb, string>> = {
  list: `npm run dead-letters -- list [options]

Lists the pending dead letters, the newest first, without payloads. Storage does not sort by time, so list reads the names
of all dead letters, 1,000 a request: 100,000 take some 100 requests.

  --resolved            lists resolved dead letters instead: redriven, superseded or discarded
  --by NAMES            counts by cause instead, by one or more of ${FILTER_FIELDS.join(', ')}, separated by commas
  --limit N             at most N: by default 100, with --json the maximum of 100,000; export has no limit
  --json                a line of JSON for each dead letter

${FILTER}
${STORAGE}
${CODES}`,

  show: `npm run dead-letters -- show ID [options]

Shows one dead letter in full, pending or resolved, without its payload.

  --payload             also shows the payload, which can be clinical data
  --out FILE            writes only the payload, to a file that only you can read: correct it for redrive --edit.
                        In the project, FILE must be in .local/, which git ignores
  --json                shows JSON

${STORAGE}
Exit code: 0 shown, 1 no dead letter has this id, ${WRONG}.
`,

  redrive: `npm run dead-letters -- redrive ID … | --all | filter [options]

Requests that the app runs dead letters again, under their own event ids; the app must be running. A dead letter moves to
resolved/ when its job has completed or waits for its next try. A job that fails again gets a new dead letter. The events
of undelivered dead letters are imported as new deliveries. It is safe to end the command, to repeat it, and to run it
twice at once: a completed job never runs again.

  --all                 all pending dead letters
  --dry-run             reports what the command would do, and changes nothing
  --edit FILE           for one id: runs the event in FILE, which must have the same event id; the original stays
  --force               also dead letters that ${MAX_REDRIVES} redrives did not resolve, and payloads that this version finds invalid
  --rate N              at most N a second, by default 100; not with --app, nor are the next three
  --at-once N           at most N at a time, by default 16, with --wait 200
  --wait                waits for the outcome of each redrive, up to 10 minutes
  --stop-after SHARE    waits, and stops when more than this share of ten or more has failed, such as 20%
  --json                the counts, and a message, as JSON

${FILTER}
${STORAGE}
Exit code: 0 all are requested, or with --wait completed; 1 some failed, were refused or have no outcome yet, or the
command stopped early; ${WRONG}, 130 ended by Ctrl-C.
`,

  discard: `npm run dead-letters -- discard ID … | --all | filter --why TEXT [options]

Moves dead letters to resolved/ with a note. Nothing runs. list --resolved shows their ids; redrive still accepts these.

  --why TEXT            the note
  --all                 all pending dead letters
  --dry-run             reports what the command would do, and changes nothing
  --rate N              at most N a second, by default 200; not with --app
  --json                the counts, and a message, as JSON

${FILTER}
${STORAGE}
${CODES}`,

  export: `npm run dead-letters -- export [options]

Writes the pending dead letters with their payloads, which can be clinical data: a line of JSON each.

  --out FILE            a file that only you can read; by default standard output. In the project, FILE must be in
                        .local/, which git ignores

${FILTER}
${STORAGE}
${CODES}`,
};
