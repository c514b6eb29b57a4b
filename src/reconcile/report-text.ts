import { errorCodeOf } from '../errors.js';
import type { RemovedProgress, RemovedReport } from './find-removed.js';
import type { PartReport, Report } from './reconcile.js';

/** Advice for a person, by the error's code without `fhir-` or `dicom-`. The error's message says what has happened. */
const ADVICE: Readonly<Record<string, string>> = {
  'no-token': 'Sign in with az login, or name the identity in AZURE_CLIENT_ID.',
  unauthorized: 'Give this identity the role, or correct audience=… in the setting of the service.',
  forbidden: 'The role may take some minutes to have an effect.',
  'not-found': 'Correct the URL in FHIR_HOSTS or DICOM_HOSTS.',
  throttled: 'Run the command later, or with a lower --rate.',
  unavailable: 'Run the command later.',
  'server-error': "Look at the service's own health in Azure, then run the command again.",
  unreachable: 'Check the URL in FHIR_HOSTS or DICOM_HOSTS, the network and DNS. The simulator needs npm start.',
  timeout: 'Run the command again; if it fails again, look at the health of the service.',
  'too-large': 'One entry is larger than the app can read. Use a later --since, and leave this entry out.',
  'host-not-listed': 'Add the host to FHIR_HOSTS or DICOM_HOSTS.',
};
const OTHER_SERVER = 'Correct the URL in FHIR_HOSTS or DICOM_HOSTS: another server seems to answer, or a proxy.';
const OTHER_SERVER_CODES = [
  'endless',
  'foreign-link',
  'no-list',
  'not-json',
  'other-resource',
  'out-of-order',
  'redirected',
];

/** The message of a comparison without parts. */
export const NOTHING_TO_COMPARE = 'Nothing to compare: no workflow wants changes of these services and types.';

/** Returns a report in words: a sentence or two for each part of a service. */
export function sentencesOf({ isDryRun, parts }: Report): string[] {
  if (parts.length === 0) return [NOTHING_TO_COMPARE];
  return [
    ...(isDryRun ? ['Dry run: nothing was changed.'] : []),
    ...parts.flatMap((part) => [
      countsText(part, isDryRun),
      ...unreadableTexts(part),
      ...endTexts(part, 'goes on from there'),
    ]),
  ];
}

/** Returns what a person can do about the error that ended a comparison. */
function adviceFor(error: unknown): string {
  const code = errorCodeOf(error).replace(/^(fhir|dicom)-/, '');
  if (OTHER_SERVER_CODES.includes(code) || code.startsWith('http-')) return OTHER_SERVER;
  return ADVICE[code] ?? 'Run the command again.';
}

function countsText({ host, part, counts, since, before, upTo }: PartReport, isDryRun: boolean): string {
  if (since >= before) return `${host} (${part}): nothing to compare yet, since changes are compared after 10 minutes.`;
  const { compared, known, missing, broughtIn } = counts;
  const found = isDryRun
    ? `${missing} missing, which the command brings in without --dry-run`
    : `${missing} missing, ${broughtIn} brought in`;
  const changes = compared === 1 ? 'change' : 'changes';
  return `${host} (${part}), from ${since} to ${upTo}: ${compared} ${changes} compared, ${known} known, ${found}.`;
}

/** Returns the sentences on a comparison that has failed or stopped; `again`: what the same command then does. */
function endTexts(part: PartReport | RemovedReport, again: string): string[] {
  if (part.end === 'failed')
    return [`${part.host} was not compared to the end. ${part.error.message} ${adviceFor(part.error)}`];
  return part.end === 'stopped' ? [`Stopped. The same command ${again}.`] : [];
}

function unreadableTexts(part: PartReport): string[] {
  const { unreadable } = part.counts;
  if (unreadable === 0) return [];
  return [
    `${unreadable} ${unreadable === 1 ? 'entry names' : 'entries name'} no change that an event can hold: left out.`,
  ];
}

/** Returns a message of the command for a request over HTTP: `--since` becomes `since`. */
export function withoutDashes(message: string): string {
  return message.replaceAll(/--(?=[a-z])/g, '');
}

/** Returns a report of the command in words: a sentence or two for each service. */
export function removedSentencesOf(parts: readonly RemovedReport[], isDryRun: boolean): string[] {
  return [...removedCountsOf(parts, isDryRun), ...parts.flatMap((part) => endTexts(part, 'starts at the beginning'))];
}

/** Returns the counts in words: a sentence or two for each service. */
export function removedCountsOf(parts: readonly RemovedProgress[], isDryRun: boolean): string[] {
  return [
    ...(isDryRun ? ['Dry run: nothing was changed.'] : []),
    ...parts.flatMap((part) => [removedText(part, isDryRun), ...leftOutTexts(part)]),
  ];
}

function removedText({ host, counts }: RemovedProgress, isDryRun: boolean): string {
  const { compared, present, recent, removed, known, broughtIn } = counts;
  const missing = isDryRun
    ? `${removed - known} deletions missing, which a dry run does not bring in`
    : `${broughtIn} deletions brought in`;
  const resources = compared === 1 ? 'resource' : 'resources';
  const found = `${present} present, ${recent} changed in the last 10 minutes, ${removed} removed`;
  return `${host}: ${compared} ${resources} compared, ${found}; ${known} deletions known, ${missing}.`;
}

function leftOutTexts({ counts: { unreadable } }: RemovedProgress): string[] {
  return unreadable > 0 ? [`Left out, because no FHIR service has such a type or id: ${unreadable}.`] : [];
}
