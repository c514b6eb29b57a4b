import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { DicomService } from '../../../src/simulator/dicom/dicom-service.js';

/** The service over HTTP on a free port of this machine. */
export async function serve(service: DicomService): Promise<{ url: string; close(): Promise<void> }> {
  const server = createServer(async (incoming, outgoing) => {
    const chunks: Uint8Array[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Uint8Array);
    const { pathname, searchParams, origin } = new URL(incoming.url ?? '/', `http://${incoming.headers.host}`);
    const { status, headers, body } = service.answer({
      method: incoming.method ?? 'GET',
      path: pathname.replace(/^\/dicom\/v2\/?/, ''),
      query: searchParams,
      headers: new Headers(Object.entries(incoming.headersDistinct).map(([name, values]) => [name, String(values)])),
      body: Buffer.concat(chunks),
      base: `${origin}/dicom/v2`,
    });
    outgoing.writeHead(status, headers).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/dicom/v2`,
    close: () => new Promise((resolve) => void server.close(() => resolve())),
  };
}
