import { isResourceType, nearestResourceType } from '../fhir-types.js';
import type { Workflow } from './options.js';
import type { Selector } from './selector.js';

const MAX_TIMEOUT_MS = 25 * 60_000;

/** Returns a message for each problem of the options that `w` was made of. */
export function problemsOf(w: Workflow): string[] {
  const between = (what: string, value: number, from: number, to: number, unit: string) =>
    value >= from && value <= to ? [] : [`${what} is ${value}${unit}, must be ${from} to ${to}${unit}`];
  return [
    ...(/^[a-z][a-z0-9-]{0,62}$/.test(w.name) ? [] : ["its name must be 1 to 63 of a-z, 0-9 and '-', a letter first"]),
    ...(w.on.length > 0 && w.on.every((s) => s.changes.length > 0 && s.resourceTypes.length > 0)
      ? []
      : ['`on` selects nothing']),
    ...w.on.flatMap(typeProblemsOf),
    ...w.codes
      .filter((code) => !/^[a-z][a-z0-9-]{0,63}$/.test(code))
      .map((code) => `the code '${code}' must be 1 to 64 of a-z, 0-9 and '-', a letter first`),
    ...(typeof w.handle === 'function' ? [] : ['`handle` must be a function']),
    ...(w.lookup === undefined || /^[a-z][a-z0-9-]{0,30}$/.test(w.lookup.name)
      ? []
      : ["the name of `lookup` must be 1 to 31 of a-z, 0-9 and '-', a letter first"]),
    ...(w.task === undefined || /^[a-z][A-Za-z0-9]{0,62}$/.test(w.task.name)
      ? []
      : ['the name of `task` must be 1 to 63 letters and digits, a small letter first']),
    ...(['any', 'latest'].includes(w.ordering) ? [] : ["`ordering` must be 'any' or 'latest'"]),
    ...between('`timeout`', w.timeoutMs, 1, MAX_TIMEOUT_MS, ' ms'),
    ...between('`concurrency`', w.concurrency, 1, 10_000, ''),
    ...(Number.isInteger(w.concurrency) ? [] : ['`concurrency` must be whole']),
    ...between('`retry.tries`', w.retry.tries, 1, 100, ''),
    ...(Number.isInteger(w.retry.tries) ? [] : ['`retry.tries` must be whole']),
    ...between('`retry.from`', w.retry.fromMs, 1, w.retry.toMs, ' ms'),
    ...between('`retry.to`', w.retry.toMs, w.retry.fromMs, 7 * 24 * 3_600_000, ' ms'),
    ...between('`retry.giveUpAfter`', w.retry.giveUpAfterMs, 1, 7 * 24 * 3_600_000, ' ms'),
  ];
}

function typeProblemsOf({ service, resourceTypes, isCustom }: Selector): string[] {
  if (service !== 'fhir' || resourceTypes === '*') return [];
  if (isCustom) {
    return resourceTypes
      .filter((type) => !/^[A-Z][A-Za-z0-9]*$/.test(type))
      .map((type) => `'${type}' cannot be a resource type, which has a capital letter first, then letters and digits`);
  }
  return resourceTypes
    .filter((type) => !isResourceType(type))
    .map((type) => {
      const nearest = nearestResourceType(type);
      const hint = nearest === undefined ? '' : ` (did you mean '${nearest}'?)`;
      return `FHIR R4 has no resource type '${type}'${hint}; a type of your own is selected by fhir.custom('${type}')`;
    });
}
