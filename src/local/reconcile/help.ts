import { APP_HELP } from '../app-client.js';

/**
 * The maxima per second and at a time. Storage serves about 20,000 requests a second for the app and this command. With
 * more at a time, each page of changes would begin with a burst that live events wait for.
 */
export const PACE = { perSecond: 5000, broughtInPerSecond: 100, atOnce: 16 };

export const HELP = `npm run reconcile -- --since TIME [options]

Compares the changes in the history of each FHIR and DICOM service with those that the app knows, and lets the app run
its workflows for what is missing: events that Event Grid dropped, and changes from before the subscription. Bodies are
neither kept nor logged. Changes of the last 10 minutes are left out, because their events may still arrive.

It is safe to end the command, to repeat it, and to run it twice at once: no job runs twice. The same command goes on
where an earlier one was ended.

  --since TIME      compares changes from this time on: 2026-03-14, or 2026-03-14T12:00Z
  --until TIME      compares changes before this time, or until the end of this day in UTC; if left out, 10 minutes ago
  --service HOST    only this service, a host name in FHIR_HOSTS or DICOM_HOSTS
  --types A,B       only these FHIR types
  --workflow NAME   only for this workflow, such as a new one. With ordering 'latest' and named types, the command reads
                    only the current version of each resource, and finds no deletions
  --rows-lost       after the table waiting was lost: also brings in changes with a job that is not settled, so that a
                    new row continues the job. A job whose row is still there runs once
  --find-removed    instead, compares the resources in the table of the workflow resource-index with those in the FHIR
                    services, and lets the app run its workflows for the deletion of each one that is gone: a hard
                    delete makes no event and leaves no history. Without --since, --until and --workflow
  --dry-run         counts what is missing, and changes nothing
  --rate N          at most N look-ups a second, by default ${PACE.perSecond}; with --find-removed, N resources. At most ${PACE.broughtInPerSecond} missing
                    changes a second are brought in
  --json            the counts, and a message, as JSON
  --help            this text

Cost of --find-removed: a storage request for each 1,000 resources in the table, a service request for each 50 of one
type, and for each resource that is gone 2 service requests more and some 10 storage requests for each day of
LEDGER_RETENTION_DAYS. It starts at the beginning each time.

Storage and services are those of npm start, from the environment or local.settings.json. Without FHIR_HOSTS and
DICOM_HOSTS, the services are the simulator's, while npm start runs.
  --account NAME           a storage account in Azure, with the identity that DefaultAzureCredential finds. The other
                           settings must be those of the app there, above all FHIR_HOSTS, DICOM_HOSTS and WORKSPACES
  --workflow-account NAME  the account of the workflows' tables, if it is another: --find-removed reads it

${APP_HELP}The app compares with its own settings, once a minute, and this command waits for it. Ctrl-C ends the command, not the
request. --json has one state instead of an end of each part; there is no --rate.

Exit code: 0 all changes were compared, and what was missing is brought in; 1 a service was not compared to the end, or
entries were left out; 2 an option is wrong, 3 settings are wrong or storage does not answer, 130 ended by Ctrl-C.
`;
