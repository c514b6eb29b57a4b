import { LETTER_STAGES, WORDS } from '../../dead-letters/letter.js';
import { MOST_REDRIVES } from '../../dead-letters/redrive.js';

export const VERBS = ['list', 'show', 'redrive', 'discard', 'export'] as const;
export type Verb = (typeof VERBS)[number];

const WHICH = `Which letters; what is left out matches all:
  --stage NAME          ${LETTER_STAGES.join(', ')}
  --reason NAME         as list shows them; of Event Grid's own, why it gave up
  --workflow NAME
  --error CODE
  --type NAME           FhirResourceUpdated, or the whole name of the type
  --resource-type NAME
  --from, --to TIME     written in this time: 2026-03-14, or 2026-03-14T12:00Z; a day is all of it, in UTC
`;

const WHERE = `Where they are; as npm start has it where left out (environment, then local.settings.json):
  --account NAME              a storage account in Azure, as whom DefaultAzureCredential finds
  --undelivered-account NAME  where Event Grid puts what it could not deliver, if that is another one
`;

const CODES = `Exit code: 0 done, 1 something could not be done or has failed, 2 an option is wrong, 3 storage could not be
reached, 130 ended by Ctrl-C.
`;

export const HELP = `npm run dead-letters -- VERB [options]

What nobody could act on, and what Event Grid could not deliver.

  list       shows them, or counts them by cause
  show       all that is known of one
  redrive    lets the app run them again
  discard    puts them away, with a note of why
  export     writes them with their payloads, a line of JSON each

VERB --help has the rest. npm run -s leaves out what npm says itself.
`;

export const VERB_HELP: Readonly<Record<Verb, string>> = {
  list: `npm run dead-letters -- list [options]

Shows the dead letters that are pending, without payloads.

  --by NAMES            counts them by cause instead: of ${WORDS.join(', ')}, with commas between
  --limit N             so many at the most
  --json                a line of JSON for each

${WHICH}
${WHERE}
${CODES}`,

  show: `npm run dead-letters -- show ID [options]

Shows all that is known of one, pending or resolved, without its payload.

  --payload             and the payload, which may be clinical data
  --out FILE            writes the payload alone to a file: to correct it for redrive --edit
  --json                as JSON

${WHERE}
Exit code: 0 shown, 1 there is none of this id, 2 an option is wrong, 3 storage could not be reached.
`,

  redrive: `npm run dead-letters -- redrive ID … | --all | which letters [options]

Asks the app to run them again, under their own ids: it must be running. A letter moves to resolved/ when its job has
completed, or waits for its next try; one that fails again is a new letter. Of Event Grid's own, the events are taken
up as if they had just been delivered. It can be ended and run again at any time, also twice at once: what has
completed never runs again.

  --all                 all there are
  --dry-run             says what would be done
  --edit FILE           one letter: runs this event, of the same id, in place of its own, which stays beside it
  --force               also what was redriven ${MOST_REDRIVES} times in vain, and what is no event to this version of the tool
  --rate N              so many a second, 100 where left out
  --at-once N           so many under way at a time: 16 where left out, with --wait 200
  --wait                waits for what becomes of each
  --stop-after SHARE    waits, and ends when more than this share of ten or more has failed, such as 20%
  --json                the counts as JSON

${WHICH}
${WHERE}
Exit code: 0 all asked for, or with --wait completed; 1 some failed, were refused or are still open, or it ended early;
2 an option is wrong, 3 storage could not be reached, 130 ended by Ctrl-C.
`,

  discard: `npm run dead-letters -- discard ID … | --all | which letters --why TEXT [options]

Puts letters away: they move to resolved/ with a note. Nothing runs. By its id, one can still be redriven.

  --why TEXT            the note
  --all                 all there are
  --dry-run             says what would be done
  --rate N              so many a second, 200 where left out
  --json                the counts as JSON

${WHICH}
${WHERE}
${CODES}`,

  export: `npm run dead-letters -- export [options]

Writes the dead letters that are pending with their payloads, which may be clinical data: a line of JSON each.

  --out FILE            where to; standard output where left out

${WHICH}
${WHERE}
${CODES}`,
};
