import type { SimulatorAnswer } from '../http.js';
import type { BundleResult } from './bundle/bundle.js';
import { type Call, etagOf, type Result, urlOf } from './call.js';
import { FhirError, outcomeText } from './content/outcome.js';
import { returnPreference } from './prefer.js';

export const FHIR_JSON = 'application/fhir+json; charset=utf-8';

const EVERY_ANSWER = { 'X-Content-Type-Options': 'nosniff' } as const;

/** The HTTP answer for a result. */
export function answerOf(result: Result, call: Call): SimulatorAnswer {
  const { location, version } = aboutOf(result, call);
  const text = textOf(result, call);
  return {
    status: result.status,
    headers: {
      ...EVERY_ANSWER,
      ...(version && { ETag: etagOf(version) }),
      ...(version?.text !== undefined && { 'Last-Modified': new Date(version.atMs).toUTCString() }),
      ...(location !== undefined && result.kind === 'version' && hasLocation(result) && { Location: location }),
      ...(result.kind === 'empty' && result.headers),
      ...(text !== undefined && { 'Content-Type': FHIR_JSON }),
    },
    ...(text !== undefined && { body: text }),
  };
}

export function errorAnswer(error: FhirError): SimulatorAnswer {
  return {
    status: error.status,
    headers: { ...EVERY_ANSWER, ...error.headers, 'Content-Type': FHIR_JSON },
    body: outcomeText(error.issues),
  };
}

/** The Bundle that answers a bundle, with the result of each entry. */
export function bundleResponseText({ type, results }: BundleResult, call: Call): string {
  const head = JSON.stringify({ resourceType: 'Bundle', type: `${type}-response` });
  if (results.length === 0) return head;
  const entries = results.map((result) =>
    result instanceof FhirError ? errorEntry(result) : resultEntry(result, call),
  );
  return `${head.slice(0, -1)},"entry":[${entries.join(',')}]}`;
}

function resultEntry(result: Result, call: Call): string {
  const { location, version } = aboutOf(result, call);
  const text = textOf(result, call);
  const isOutcome = text?.startsWith('{"resourceType":"OperationOutcome"') ?? false;
  const response = JSON.stringify({
    status: String(result.status),
    ...(location !== undefined && { location }),
    ...(version && { etag: etagOf(version), lastModified: new Date(version.atMs).toISOString() }),
  });
  if (text === undefined) return `{"response":${response}}`;
  return isOutcome
    ? `{"response":${response.slice(0, -1)},"outcome":${text}}}`
    : `{"resource":${text},"response":${response}}`;
}

function errorEntry({ status, issues }: FhirError): string {
  return `{"response":{"status":"${status}","outcome":${outcomeText(issues)}}}`;
}

function aboutOf(result: Result, { base }: Call) {
  if (result.kind === 'text') return { location: undefined, version: undefined };
  const isWritten = result.kind === 'version' && result.isWrite;
  return { version: result.version, location: isWritten ? urlOf(base, result.version) : undefined };
}

/** As in the real service: after a creation, or where the resource existed already. */
function hasLocation(result: Result & { kind: 'version' }): boolean {
  return result.status === 201 || result.text !== undefined;
}

function textOf(result: Result, call: Call): string | undefined {
  if (result.kind !== 'version') return result.kind === 'text' ? result.text : undefined;
  const preference = result.isWrite ? returnPreference(call) : 'representation';
  if (preference === 'minimal') return undefined;
  if (preference === 'representation') return result.version.text;
  const diagnostics = result.text ?? 'The resource was updated.';
  return outcomeText([{ severity: 'information', code: 'informational', diagnostics, details: { text: diagnostics } }]);
}
