import { Readable } from 'node:stream';
import {
  bearerTokenAuthenticationPolicy,
  createEmptyPipeline,
  createHttpHeaders,
  createPipelineRequest,
  type HttpClient,
  type PipelineRequest,
  proxyPolicy,
  type SendRequest,
} from '@azure/core-rest-pipeline';
import type { TokenCredential } from '@azure/identity';
import type { Endpoint } from './endpoint.js';
import { readError, type ServiceKind } from './read-error.js';
import { isLoopbackUri } from './service-host.js';

/** The time limit of one request: to the end of a text, or to the headers of a stream. */
export const REQUEST_MS = 10_000;

/** Returns the GET of a path after the service's URL; with `body`, the POST of this FHIR JSON. */
export function requestTo(
  { url: base }: Endpoint,
  { path, accept, signal, body }: { path: string; accept: string; signal: AbortSignal; body?: string },
): PipelineRequest {
  const url = `${base}${path}`;
  // Asks for no compression: a broken answer must end with an error, and its size must be known before it is in memory.
  const headers = { accept, 'accept-encoding': 'identity' };
  return createPipelineRequest({
    url,
    method: body === undefined ? 'GET' : 'POST',
    headers: createHttpHeaders(body === undefined ? headers : { ...headers, ...OF_A_BATCH }),
    ...(body !== undefined && { body }),
    allowInsecureConnection: url.startsWith('http:'),
    streamResponseStatusCodes: new Set([Number.POSITIVE_INFINITY]),
    abortSignal: signal,
  });
}

/** Without the second header, the FHIR service of Azure Health Data Services runs the entries one after the other. */
const OF_A_BATCH = { 'content-type': 'application/fhir+json', 'x-bundle-processing-logic': 'parallel' };

/**
 * Returns a function that makes the `send` of an endpoint. A request follows no redirect, logs nothing and is not repeated.
 * Each audience has one pipeline, with one token.
 */
export function createSend(credential: TokenCredential, httpClient: HttpClient) {
  const withToken = new Map<string, SendRequest>();
  const withoutToken: SendRequest = (request) => httpClient.sendRequest(request);

  return (kind: ServiceKind, url: string, audience: string): SendRequest => {
    if (isLoopbackUri(url) && url.startsWith('http:')) return withoutToken; // a test service on this machine
    if (!url.startsWith('https:'))
      throw new TypeError('The URL of a service must begin with https://, unless the service is on this machine.');
    const name = `${kind} ${audience}`;
    const send = withToken.get(name) ?? withTokenFor(kind, audience);
    withToken.set(name, send);
    return send;
  };

  function withTokenFor(kind: ServiceKind, audience: string): SendRequest {
    const pipeline = createEmptyPipeline();
    pipeline.addPolicy(proxyPolicy());
    pipeline.addPolicy(
      bearerTokenAuthenticationPolicy({
        scopes: `${audience}/.default`,
        credential: { getToken: (scopes, { abortSignal: _, ...options } = {}) => getToken(kind, scopes, options) },
      }),
      { phase: 'Sign' },
    );
    return (request) => pipeline.sendRequest(httpClient, request);
  }

  /** Reads that wait for a token share its request, so the abort of one read does not end the request. */
  async function getToken(kind: ServiceKind, ...args: Parameters<TokenCredential['getToken']>) {
    try {
      return await credential.getToken(...args);
    } catch {
      throw readError(kind, 'no-token', 'was not read: the identity of this app got no token.');
    }
  }
}

/** A service in the memory of this process. `path` is relative to the base, without a leading slash. */
export type InProcessService = (request: {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Headers;
  readonly body: Uint8Array;
}) => InProcessAnswer | Promise<InProcessAnswer>;

type InProcessAnswer = {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string;
};

/** Returns a function that sends requests under `base` to `service`, without a network. */
export function sendInProcess(service: InProcessService, base: string): SendRequest {
  return async (request) => {
    const { pathname, search } = new URL(request.url);
    const answer = await service({
      method: request.body === undefined ? 'GET' : 'POST',
      path: pathname.slice(new URL(base).pathname.length),
      query: new URLSearchParams(search),
      headers: new Headers(request.headers.toJSON()),
      body: Buffer.from((request.body ?? '') as string),
    });
    const { status, headers = {}, body = '' } = answer;
    const content = Buffer.from(body as Uint8Array);
    return { request, status, headers: createHttpHeaders(headers), readableStreamBody: Readable.from([content]) };
  };
}
