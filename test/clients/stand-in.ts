import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TokenCredential } from '@azure/identity';
import { createReaders, type ReadersDeps } from '../../src/clients/readers.js';
import { createTelemetry } from '../../src/telemetry/telemetry.js';
import { dicomEvent, fhirEvent } from '../../src/testing/index.js';
import type { DicomReader, FhirReader } from '../../src/workflow.js';
import { createQuickClock } from './quick-clock.js';

export const FHIR_HOST = 'w-f.fhir.azurehealthcareapis.com';
export const DICOM_HOST = 'w-d.dicom.azurehealthcareapis.com';
export const DICOM_AUDIENCE = 'https://dicom.healthcareapis.azure.com';

/** Returns the settings of an app whose services are at these URLs. */
export function settingsOf({ fhir, dicom }: { fhir?: string | undefined; dicom?: string | undefined }) {
  return {
    WORKSPACES: '/subscriptions/1/resourceGroups/r/providers/Microsoft.HealthcareApis/workspaces/w',
    FHIR_HOSTS: fhir && `${FHIR_HOST} ${fhir}`,
    DICOM_HOSTS: dicom && `${DICOM_HOST} ${dicom}`,
  };
}

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** A service over HTTP that gives these answers in turn, the last again and again. */
export async function startService(...answers: Answer[]) {
  const asked: { url: string; authorization: string | undefined; accept: string | undefined }[] = [];
  const waiting: (() => void)[] = [];
  const server = createServer((request, response) => {
    const { authorization, accept } = request.headers;
    asked.push({ url: request.url ?? '', authorization, accept });
    (answers[asked.length - 1] ?? answers.at(-1))?.(request, response);
    for (const tell of waiting.splice(0)) tell();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    asked,
    urls: () => asked.map((one) => one.url),
    async askedTimes(times: number): Promise<void> {
      while (asked.length < times) await new Promise<void>((resolve) => waiting.push(resolve));
    },
    connections: () => new Promise<number>((resolve) => server.getConnections((_error, count) => resolve(count))),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export const json =
  (value: unknown, status = 200, headers: Record<string, string> = {}): Answer =>
  (_request, response) =>
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(value));

export const status =
  (code: number, headers: Record<string, string> = {}, body = ''): Answer =>
  (_request, response) =>
    response.writeHead(code, headers).end(body);

export const PATIENT = { resourceType: 'Patient', id: 'p1', birthDate: '1970-02-03' };

/** Readers over `url` for both services, and all that a test looks at. `deps` replace their parts. */
export function startReaders({ url, ...deps }: { url?: string } & Partial<ReadersDeps> = {}) {
  const quick = createQuickClock();
  const lines: string[] = [];
  const telemetry = createTelemetry((level, line) => lines.push(`${level} ${line}`));
  const tokens: string[] = [];
  const credential: TokenCredential = {
    async getToken(scopes) {
      tokens.push(String(scopes));
      return { token: `token-${tokens.length}`, expiresOnTimestamp: 4_102_444_800_000 };
    },
  };
  const readers = createReaders({
    fhirHosts: [{ host: FHIR_HOST, url: url ?? `https://${FHIR_HOST}`, audience: `https://${FHIR_HOST}` }],
    dicomHosts: [{ host: DICOM_HOST, url: url ?? `https://${DICOM_HOST}`, audience: DICOM_AUDIENCE }],
    credential,
    clock: quick.clock,
    random: { number: () => 0.5, token: () => '' },
    telemetry,
    ...deps,
  });
  const controller = new AbortController();
  const { signal } = controller;
  return {
    ...quick,
    readers,
    tokens,
    lines,
    counters: telemetry.counters,
    abort: () => controller.abort(),
    fhir: (fields: Parameters<typeof fhirEvent>[0] = {}) =>
      readers.of(fhirEvent({ host: FHIR_HOST, resourceId: 'p1', ...fields }), signal) as FhirReader<'Patient'>,
    dicom: (fields: Parameters<typeof dicomEvent>[0] = {}) =>
      readers.of(dicomEvent({ host: DICOM_HOST, ...fields }), signal) as DicomReader,
  };
}

/** Returns the error of a read, as a handler gets it. */
export async function failureOf(read: Promise<unknown>): Promise<Error & { code?: string; wait?: { ms: number } }> {
  try {
    await read;
  } catch (error) {
    return error as Error;
  }
  throw new Error('The read did not fail.');
}
