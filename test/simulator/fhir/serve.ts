import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { FhirService } from '../../../src/simulator/fhir/fhir-service.js';

/** The service by HTTP, on a port of its own, for clients that know nothing of it. */
export async function serve(service: FhirService): Promise<{ base: string; close: () => Promise<void> }> {
  const server = createServer(async (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', base);
    const body = new TextEncoder().encode(await text(request));
    const answer = service.answer({
      method: request.method ?? 'GET',
      path: pathname.replace(/^\/fhir\/?/, ''),
      query: searchParams,
      headers: new Headers(request.headers as Record<string, string>),
      body,
      base,
    });
    response.writeHead(answer.status, answer.headers).end(answer.body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}/fhir`;
  return {
    base,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
