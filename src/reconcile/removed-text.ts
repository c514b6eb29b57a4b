import type { RemovedReport } from './find-removed.js';
import { adviceFor } from './report-text.js';

/** Returns a report of `findRemoved` in words: a sentence or two for each service. */
export function removedSentencesOf(parts: readonly RemovedReport[], isDryRun: boolean): string[] {
  return [
    ...(isDryRun ? ['Dry run: nothing was changed.'] : []),
    ...parts.flatMap((part) => [countsText(part, isDryRun), ...endTexts(part)]),
  ];
}

function countsText({ host, counts }: RemovedReport, isDryRun: boolean): string {
  const { compared, present, recent, removed, known, broughtIn } = counts;
  const missing = isDryRun
    ? `${removed - known} deletions missing, which the command brings in without --dry-run`
    : `${broughtIn} deletions brought in`;
  const resources = compared === 1 ? 'resource' : 'resources';
  const found = `${present} present, ${recent} changed in the last 10 minutes, ${removed} removed`;
  return `${host}: ${compared} ${resources} compared, ${found}; ${known} deletions known, ${missing}.`;
}

function endTexts(part: RemovedReport): string[] {
  const { host, counts } = part;
  return [
    ...(counts.unreadable > 0
      ? [`Left out, because no FHIR service has such a type or id: ${counts.unreadable}.`]
      : []),
    ...(part.end === 'failed'
      ? [`${host} was not compared to the end. ${part.error.message} ${adviceFor(part.error)}`]
      : []),
    ...(part.end === 'stopped' ? ['Stopped. The same command starts at the beginning.'] : []),
  ];
}
