import type { ServiceName } from '../clients/readers.js';
import { isResourceType, nearestResourceType } from '../fhir-types.js';
import { didYouMean, nearest } from '../nearest.js';
import { printable } from '../printable.js';
import type { Workflow } from '../workflow.js';
import { GRACE_MS } from './compare.js';
import type { NewRequest } from './request-rows.js';

/** `code` is for scripts, `message` for people: what was found, and what is allowed. */
type RequestProblem = { readonly path: string; readonly code: string; readonly message: string };

type Known = {
  readonly now: Date;
  readonly services: readonly ServiceName[];
  readonly workflows: readonly Workflow[];
};

const MAX_QUOTED = 80;

/** Returns the problems of a request that can be found without storage and without a service. */
export function checkRequest(request: NewRequest, known: Known): RequestProblem[] {
  return [
    ...(request.isFindRemoved ? problemsOfRemoved(request) : problemsOfTimes(request, known.now)),
    ...problemsOfService(request, known.services),
    ...problemsOfWorkflow(request.workflow, known.workflows),
    ...problemsOfTypes(request, known.workflows),
  ];
}

/** Returns the services that a request compares. */
export function servicesToCompare(
  { isFindRemoved, service }: Pick<NewRequest, 'isFindRemoved' | 'service'>,
  services: readonly ServiceName[],
): ServiceName[] {
  return services.filter((one) => one.host === (service ?? one.host) && (one.service === 'fhir' || !isFindRemoved));
}

function problemsOfRemoved(request: NewRequest): RequestProblem[] {
  const given = { ...request, rowsLost: request.areRowsLost };
  return (['since', 'until', 'workflow', 'rowsLost'] as const)
    .filter((path) => given[path])
    .map((path) => ({
      path,
      code: 'not-with-find-removed',
      message: 'does not go with findRemoved, which compares the present state of a service',
    }));
}

function problemsOfTimes({ since, until }: NewRequest, now: Date): RequestProblem[] {
  if (since === '') return [{ path: 'since', code: 'invalid-type', message: 'is missing, must be a text' }];
  const at = now.toISOString();
  const inFuture = (path: string, time: string) => ({
    path,
    code: 'in-future',
    message: `is '${time}', must not be in the future: it is ${at}`,
  });
  const problems = [
    ...(since > at ? [inFuture('since', since)] : []),
    ...(until !== undefined && until > at ? [inFuture('until', until)] : []),
  ];
  if (until !== undefined && until <= since)
    problems.push({ path: 'until', code: 'not-after-since', message: `is '${until}', must be after since '${since}'` });
  if (since <= at && now.getTime() - Date.parse(since) < GRACE_MS)
    problems.push({
      path: 'since',
      code: 'too-new',
      message: `is '${since}', must be at least ${GRACE_MS / 60_000} minutes ago: events of newer changes may still arrive`,
    });
  return problems;
}

function problemsOfService({ service, isFindRemoved }: NewRequest, services: readonly ServiceName[]): RequestProblem[] {
  const names = servicesToCompare({ isFindRemoved }, services).map(({ host }) => host);
  if (names.length === 0) {
    const settings = isFindRemoved ? 'FHIR_HOSTS is' : 'FHIR_HOSTS and DICOM_HOSTS are';
    const message = `is missing in the settings: ${settings} absent, so there is no service to compare`;
    return [{ path: 'service', code: 'no-service', message }];
  }
  if (service === undefined || names.includes(service)) return [];
  const what = `a host name in ${isFindRemoved ? 'FHIR_HOSTS, since findRemoved compares FHIR services only' : 'FHIR_HOSTS or DICOM_HOSTS'}`;
  return [unknown('service', service, { what, names })];
}

function problemsOfWorkflow(name: string | undefined, workflows: readonly Workflow[]): RequestProblem[] {
  const names = workflows.map((workflow) => workflow.name);
  if (name === undefined || names.includes(name)) return [];
  return [unknown('workflow', name, { what: 'a workflow that is on in this app', names })];
}

/** A type must be one that the named workflow, or any workflow, wants. */
function problemsOfTypes({ types = [], workflow }: NewRequest, workflows: readonly Workflow[]): RequestProblem[] {
  const named = workflows.filter(({ name }) => workflow === undefined || name === workflow);
  return unwantedTypes(types, named).map(({ at, type, similar }) => {
    const message = `is '${quoted(type)}', which no workflow wants.${didYouMean(similar)}`;
    return { path: `types.${at}`, code: 'unknown-name', message };
  });
}

/** Returns the FHIR types that no workflow wants, each with its index and with a similar wanted type. */
export function unwantedTypes(types: readonly string[], workflows: readonly Workflow[]) {
  const selected = workflows
    .flatMap(({ on }) => on)
    .flatMap(({ service, resourceTypes }) => (service === 'fhir' ? resourceTypes : []));
  const isAny = selected.includes('*');
  return [...types.entries()]
    .filter(([, type]) => !selected.includes(type) && !(isAny && isResourceType(type)))
    .map(([at, type]) => {
      const similar = nearest(type, selected) ?? (isAny ? nearestResourceType(type) : undefined);
      return { at, type, similar };
    });
}

function unknown(
  path: string,
  found: string,
  { what, names }: { what: string; names: readonly string[] },
): RequestProblem {
  const message = `is '${quoted(found)}', must be ${what}: ${names.join(', ')}.${didYouMean(nearest(found, names))}`;
  return { path, code: 'unknown-name', message };
}

function quoted(text: string): string {
  return printable(text.slice(0, MAX_QUOTED));
}
