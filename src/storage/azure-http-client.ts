import { Agent, type IncomingMessage, type RequestOptions, request as requestPlain } from 'node:http';
import { request as requestTls, Agent as TlsAgent } from 'node:https';
import {
  createHttpHeaders,
  type HttpClient,
  type PipelineRequest,
  type PipelineResponse,
  RestError,
} from '@azure/core-rest-pipeline';

/** Both agents keep connections open. */
const plainAgent = new Agent({ keepAlive: true });
const tlsAgent = new TlsAgent({ keepAlive: true });

/** The result of a request over a kept connection that the server had closed before the request arrived. */
const STALE = Symbol('stale');

/**
 * Sends and reads texts by Node's own HTTP, without streams, progress and compression. If the server has closed a kept
 * connection, a GET is sent again over a new one, because it changes nothing. Only the group commit sends writes again.
 */
export const leanHttpClient: HttpClient = {
  async sendRequest(request) {
    const response = await send(request, false);
    return response === STALE ? ((await send(request, true)) as PipelineResponse) : response;
  },
};

function send(request: PipelineRequest, isAgain: boolean): Promise<PipelineResponse | typeof STALE> {
  const { method, abortSignal, body } = request;
  if (abortSignal?.aborted) throw aborted();
  const { open, options } = connectionOf(request, isAgain);
  return new Promise((resolve, reject) => {
    const outgoing = open(options, (incoming) => {
      incoming.once('error', () => fail(new RestError('The answer broke off.', { code: RestError.PARSE_ERROR })));
      readAnswer(incoming, request, end);
    });
    const abort = () => {
      fail(aborted());
      outgoing.destroy();
    };
    const end = (response: PipelineResponse | typeof STALE) => {
      abortSignal?.removeEventListener('abort', abort);
      resolve(response);
    };
    const fail = (error: Error) => {
      abortSignal?.removeEventListener('abort', abort);
      reject(error);
    };
    abortSignal?.addEventListener('abort', abort);
    outgoing.once('error', ({ message, code = RestError.REQUEST_SEND_ERROR }: NodeJS.ErrnoException) => {
      const isStale = method === 'GET' && outgoing.reusedSocket && !isAgain && code === 'ECONNRESET';
      if (isStale) end(STALE);
      else fail(new RestError(message, { code }));
    });
    outgoing.end(body);
  });
}

function connectionOf(
  request: PipelineRequest,
  isAgain: boolean,
): { open: typeof requestTls; options: RequestOptions } {
  const { protocol, hostname, port, pathname, search } = new URL(request.url);
  const isTls = protocol === 'https:';
  if (!isTls && !request.allowInsecureConnection) throw new RestError('A connection without TLS is not allowed.');
  const agent = isAgain ? false : (request.agent ?? (isTls ? tlsAgent : plainAgent)); // a proxy has its own agent
  const headers = request.headers.toJSON({ preserveCase: true });
  const options = {
    agent: agent as Agent,
    hostname,
    port,
    path: `${pathname}${search}`,
    method: request.method,
    headers,
  };
  return { open: isTls ? requestTls : requestPlain, options };
}

function readAnswer(
  incoming: IncomingMessage,
  request: PipelineRequest,
  end: (answer: PipelineResponse) => void,
): void {
  const chunks: Buffer[] = [];
  incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
  incoming.once('end', () => {
    const { statusCode: status = 0 } = incoming;
    const headers = createHttpHeaders(incoming.headers as Record<string, string>);
    end({ request, status, headers, bodyAsText: Buffer.concat(chunks).toString() });
  });
}

function aborted(): Error {
  return Object.assign(new Error('The request was aborted.'), { name: 'AbortError' });
}
