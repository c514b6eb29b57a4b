import type { ServiceName } from '../clients/readers.js';
import { isResourceType, nearestResourceType } from '../fhir-types.js';
import { nearest } from '../nearest.js';
import { printable } from '../printable.js';
import type { Workflow } from '../workflow.js';
import type { Asked } from './asked-rows.js';
import { GRACE_MS } from './compare.js';

/** `code` is for scripts, `message` for people: what was found, and what is allowed. */
export type AskedProblem = { readonly path: string; readonly code: string; readonly message: string };

type Known = {
  readonly now: Date;
  readonly services: readonly ServiceName[];
  readonly workflows: readonly Workflow[];
};

const MAX_QUOTED = 80;

/** Returns what is wrong with a request; nothing is read. */
export function problemsOfAsked(asked: Asked, known: Known): AskedProblem[] {
  return [
    ...problemsOfTimes(asked, known.now),
    ...problemsOfService(asked.service, known.services),
    ...problemsOfWorkflow(asked.workflow, known.workflows),
    ...problemsOfTypes(asked, known.workflows),
  ];
}

function problemsOfTimes({ since, until }: Asked, now: Date): AskedProblem[] {
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

function problemsOfService(host: string | undefined, services: readonly ServiceName[]): AskedProblem[] {
  const hosts = services.map((service) => service.host);
  if (hosts.length === 0) {
    const message =
      'is missing in the settings: FHIR_HOSTS and DICOM_HOSTS are absent, so there is no service to compare';
    return [{ path: 'service', code: 'no-service', message }];
  }
  if (host === undefined || hosts.includes(host)) return [];
  return [unknown('service', host, { what: 'a host name in FHIR_HOSTS or DICOM_HOSTS', names: hosts })];
}

function problemsOfWorkflow(name: string | undefined, workflows: readonly Workflow[]): AskedProblem[] {
  const names = workflows.map((workflow) => workflow.name);
  if (name === undefined || names.includes(name)) return [];
  return [unknown('workflow', name, { what: 'a workflow that is on in this app', names })];
}

/** A type must be one that the named workflow, or any workflow, wants. */
function problemsOfTypes({ types = [], workflow }: Asked, workflows: readonly Workflow[]): AskedProblem[] {
  const selected = workflows
    .filter(({ name }) => workflow === undefined || name === workflow)
    .flatMap(({ on }) => on)
    .flatMap(({ service, resourceTypes }) => (service === 'fhir' ? resourceTypes : []));
  const isAny = selected.includes('*');
  return [...types.entries()]
    .filter(([, type]) => !selected.includes(type) && !(isAny && isResourceType(type)))
    .map(([at, type]) => {
      const meant = nearest(type, selected) ?? (isAny ? nearestResourceType(type) : undefined);
      const message = `is '${quoted(type)}', which no workflow wants.${hint(meant)}`;
      return { path: `types.${at}`, code: 'unknown-name', message };
    });
}

function unknown(
  path: string,
  found: string,
  { what, names }: { what: string; names: readonly string[] },
): AskedProblem {
  const message = `is '${quoted(found)}', must be ${what}: ${names.join(', ')}.${hint(nearest(found, names))}`;
  return { path, code: 'unknown-name', message };
}

function quoted(text: string): string {
  return printable(text.slice(0, MAX_QUOTED));
}

function hint(meant: string | undefined): string {
  return meant === undefined ? '' : ` Did you mean ${meant}?`;
}
