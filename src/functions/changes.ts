import type { HttpRequest, HttpResponseInit } from '@azure/functions';
import { z } from 'zod';
import { digest } from '../digest.js';
import { NonRetriableError } from '../errors.js';
import { keyOf } from '../events/key.js';
import { parseEvent } from '../events/parse.js';
import { foundEvent } from '../reconcile/found-event.js';
import type { FoundChange } from '../reconcile/known-changes.js';
import { workspaceOf } from '../reconcile/workspace.js';
import type { App } from './compose.js';
import { describeEvents } from './describe-events.js';
import type { FunctionApp } from './function-app.js';
import { httpError, storageFailed } from './http-error.js';
import { readBody } from './read-body.js';

type Deps = Pick<App, 'ledger' | 'waiting' | 'config'>;
type Asked = Omit<FoundChange, 'change' | 'time'>;

const MAX_CHARACTERS = 4096;
const KINDS = ['created', 'updated', 'deleted'] as const;
/** The address of a change does not depend on its time. */
const ANY_TIME = '2026-01-01T00:00:00.000Z';

const text = z.string().min(1).max(256);
const host = text.transform((name) => name.toLowerCase());
const version = z.number().int().min(1);
const BODIES = {
  fhir: z.strictObject({ host, resourceType: text, resourceId: text, version }),
  dicom: z.strictObject({
    host,
    partition: text.default('Microsoft.Default'),
    studyUid: text,
    seriesUid: text,
    instanceUid: text,
    version,
  }),
};

/**
 * Registers `changes/fhir` and `changes/dicom`: the status of the jobs of one version of a resource, or of one image. The
 * question is a POST, because ids of resources must not be in URLs.
 */
export function registerChanges(functions: FunctionApp, deps: Deps): void {
  for (const service of ['fhir', 'dicom'] as const) {
    functions.http(`${service}Changes`, {
      methods: ['POST'],
      route: `changes/${service}`,
      authLevel: 'function',
      handler: (request) => answer(service, request, deps).catch(storageFailed),
    });
  }
}

async function answer(
  service: keyof typeof BODIES,
  request: Pick<HttpRequest, 'text' | 'headers'>,
  { ledger, waiting, config }: Deps,
): Promise<HttpResponseInit> {
  const body = await readBody(request, { schema: BODIES[service], maxCharacters: MAX_CHARACTERS });
  if (body.kind === 'wrong') return body.answer;
  const asked = { service, ...body.value } as Asked;
  const changes = digestsOf(asked, config);
  if (!Array.isArray(changes)) return changes;
  const records = await ledger.findChanges(changes);
  const ids = [...new Set(records.map(({ event }) => digest(event.id)))];
  const rows = (await Promise.all(ids.map((id) => waiting.find(id)))).flat();
  const events = describeEvents(records, rows);
  return events.length > 0 ? { jsonBody: { events } } : NOT_FOUND;
}

/** The digests of the change as a creation, an update and a deletion: an image's sequence number tells nothing of it. */
function digestsOf(asked: Asked, config: Deps['config']): string[] | HttpResponseInit {
  try {
    const source = workspaceOf(asked.host, config);
    return KINDS.map((change) => {
      const { raw } = foundEvent({ ...asked, change, time: ANY_TIME } as FoundChange, source);
      return keyOf(parseEvent(raw)).contentDigest;
    });
  } catch (error) {
    if (error instanceof NonRetriableError) return httpError(409, 'workspace-unknown', error.message);
    throw error;
  }
}

const NOT_FOUND = httpError(
  404,
  'no-such-change',
  'No job of this change has begun. Settled jobs are forgotten after LEDGER_RETENTION_DAYS. A change that no workflow wants ' +
    'has no jobs. `npm run reconcile` finds changes that the app has never heard of.',
);
