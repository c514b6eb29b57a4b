import type { DicomChange } from '../../../src/simulator/changes.js';
import { DicomService, type DicomServiceDeps } from '../../../src/simulator/dicom/dicom-service.js';
import { DEFAULT_PARTITION } from '../../../src/simulator/dicom/image-store.js';
import { storeImage } from '../../../src/simulator/dicom/store-image.js';
import type { DicomVersion, SimulatorAnswer } from '../../../src/simulator/http.js';
import { seededRandom } from '../../../src/simulator/seeded.js';
import { createFakeClock } from '../../../src/testing/index.js';

export const BASE = 'http://localhost/api/simulator/dicom/v2';

type Sent = { body?: Uint8Array | string; headers?: Record<string, string>; version?: DicomVersion };

/** Opens an empty service. Returns the service, the changes that it publishes, and short functions for requests. */
export function openService(options: Partial<DicomServiceDeps> = {}) {
  const clock = createFakeClock();
  const published: DicomChange[] = [];
  const service = new DicomService({
    host: 'test.dicom.azurehealthcareapis.com',
    clock,
    random: seededRandom(1),
    publish: (changes) => published.push(...(changes as DicomChange[])),
    ...options,
  });

  function send(method: string, url: string, { body = '', headers = {}, version }: Sent = {}): SimulatorAnswer {
    const [path = '', query = ''] = url.split('?');
    return service.answer({
      method,
      path,
      query: new URLSearchParams(query),
      headers: new Headers(headers),
      body: typeof body === 'string' ? Buffer.from(body) : body,
      base: BASE,
      ...(version && { version }),
    });
  }

  return {
    service,
    clock,
    published,
    send,
    get: (url: string, headers: Record<string, string> = {}) => send('GET', url, { headers }),
    remove: (url: string) => send('DELETE', url),
    store: (files: readonly Uint8Array[], url = 'studies') => send('POST', url, multipartOf(files)),
    /** The JSON answer of a search or of metadata. */
    json: (url: string, headers: Record<string, string> = {}) => jsonOf(send('GET', url, { headers })),
  };
}

/** Stores a file without HTTP. */
export function storeFile({ images: store }: DicomService, file: Uint8Array, partition = DEFAULT_PARTITION) {
  return storeImage(file, { store, partition });
}

export function multipartOf(files: readonly Uint8Array[], boundary = 'limit'): Required<Omit<Sent, 'version'>> {
  const parts = files.flatMap((file) => [
    Buffer.from(`--${boundary}\r\nContent-Type: application/dicom\r\n\r\n`),
    file,
    Buffer.from('\r\n'),
  ]);
  return {
    headers: { 'content-type': `multipart/related; type="application/dicom"; boundary=${boundary}` },
    body: Buffer.concat([...parts, Buffer.from(`--${boundary}--`)]),
  };
}

// biome-ignore lint/suspicious/noExplicitAny: what JSON holds is for the test to say
export function jsonOf({ body }: SimulatorAnswer): any {
  return body === undefined || body.length === 0 ? undefined : JSON.parse(String(Buffer.from(body as Uint8Array)));
}

export function bytesOf({ body = '' }: SimulatorAnswer): Uint8Array {
  return typeof body === 'string' ? Buffer.from(body) : body;
}

/** Returns the parts of an answer, without the code of the service. */
export function partsOf(answer: SimulatorAnswer): { type: string; content: Uint8Array }[] {
  const boundary = /boundary=(.*)$/.exec(answer.headers?.['content-type'] ?? '')?.[1] ?? 'none';
  const text = Buffer.from(bytesOf(answer)).toString('latin1');
  const [, ...parts] = text.slice(0, text.lastIndexOf(`--${boundary}--`)).split(`--${boundary}\r\n`);
  return parts.map((part) => {
    const blank = part.indexOf('\r\n\r\n');
    return {
      type: part.slice('Content-Type: '.length, blank),
      content: new Uint8Array(Buffer.from(part.slice(blank + 4, -2), 'latin1')),
    };
  });
}
