import { Readable } from 'node:stream';
import { createHttpHeaders, type SendRequest } from '@azure/core-rest-pipeline';

/** A service in the memory of this process. `path` is relative to the base, without a leading slash. */
export type InProcessService = (request: {
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Headers;
}) => {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string;
};

/** Returns a function that sends requests under `base` to `service`, without a network. */
export function sendTo(service: InProcessService, base: string): SendRequest {
  return async (request) => {
    const { pathname, search } = new URL(request.url);
    const answer = service({
      path: pathname.slice(new URL(base).pathname.length),
      query: new URLSearchParams(search),
      headers: new Headers(request.headers.toJSON()),
    });
    const { status, headers = {}, body = '' } = answer;
    const content = Buffer.from(body as Uint8Array);
    return { request, status, headers: createHttpHeaders(headers), readableStreamBody: Readable.from([content]) };
  };
}
