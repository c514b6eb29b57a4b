import type { SimulatorAnswer } from '../http.js';
import type { BundleResult } from './bundle/bundle.js';
import { type Call, etagOf, type Prefer, type Result } from './call.js';
import { FhirError, outcomeText } from './content/outcome.js';
import type { Version } from './store/version.js';

const FHIR_JSON = 'application/fhir+json; charset=utf-8';

const EVERY_ANSWER = { 'X-Content-Type-Options': 'nosniff' } as const;

/** Returns the HTTP answer for a result. */
export function answerOf(result: Result, call: Call): SimulatorAnswer {
  const { location, version, text } = partsOf(result, call);
  // The real service also sends a location after a creation, or where the resource existed already.
  const hasLocation = result.kind === 'version' && (result.status === 201 || result.text !== undefined);
  return {
    status: result.status,
    headers: {
      ...EVERY_ANSWER,
      ...(version && { ETag: etagOf(version) }),
      ...(version?.text !== undefined && { 'Last-Modified': new Date(version.atMs).toUTCString() }),
      ...(location !== undefined && hasLocation && { Location: location }),
      ...(result.kind === 'empty' && result.headers),
      ...(text !== undefined && { 'Content-Type': FHIR_JSON }),
    },
    ...(text !== undefined && { body: text }),
  };
}

/** Returns the answer to a refused request, with an OperationOutcome as its body. */
export function errorAnswer({ status, headers, issues }: FhirError): SimulatorAnswer {
  return { status, headers: { ...EVERY_ANSWER, ...headers, 'Content-Type': FHIR_JSON }, body: outcomeText(issues) };
}

/** Returns the Bundle that answers a bundle, with the result of each entry. */
export function bundleResponseText({ type, results }: BundleResult, call: Call): string {
  const head = JSON.stringify({ resourceType: 'Bundle', type: `${type}-response` });
  if (results.length === 0) return head;
  const entries = results.map((result) =>
    result instanceof FhirError ? errorEntry(result) : resultEntry(result, call),
  );
  return `${head.slice(0, -1)},"entry":[${entries.join(',')}]}`;
}

function resultEntry(result: Result, call: Call): string {
  const { location, version, text } = partsOf(result, call);
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

function partsOf(result: Result, call: Call): { version?: Version | undefined; location?: string; text?: string } {
  if (result.kind === 'text') return { text: result.text };
  const { version } = result;
  if (result.kind === 'empty') return { version };
  const { stored, number } = result.version;
  const text = textOf(result, result.isWrite ? call.prefer.returns : 'representation');
  return {
    version,
    ...(result.isWrite && { location: `${call.base}/${stored.resourceType}/${stored.id}/_history/${number}` }),
    ...(text !== undefined && { text }),
  };
}

function textOf({ version, text }: Result & { kind: 'version' }, returns: Prefer['returns']): string | undefined {
  if (returns === 'minimal') return undefined;
  if (returns === 'representation') return version.text;
  const diagnostics = text ?? 'The resource was updated.';
  return outcomeText([{ severity: 'information', code: 'informational', diagnostics, details: { text: diagnostics } }]);
}
