import type { RemovedProgress, RemovedReport } from './find-removed.js';
import { endTexts } from './report-text.js';

/** Returns a report of the command in words: a sentence or two for each service. */
export function removedSentencesOf(parts: readonly RemovedReport[], isDryRun: boolean): string[] {
  return [...removedCountsOf(parts, isDryRun), ...parts.flatMap((part) => endTexts(part, 'starts at the beginning'))];
}

/** Returns the counts in words: a sentence or two for each service. */
export function removedCountsOf(parts: readonly RemovedProgress[], isDryRun: boolean): string[] {
  return [
    ...(isDryRun ? ['Dry run: nothing was changed.'] : []),
    ...parts.flatMap((part) => [countsText(part, isDryRun), ...leftOutTexts(part)]),
  ];
}

function countsText({ host, counts }: RemovedProgress, isDryRun: boolean): string {
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
