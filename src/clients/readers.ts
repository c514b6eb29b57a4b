import { createDefaultHttpClient, type HttpClient } from '@azure/core-rest-pipeline';
import type { TokenCredential } from '@azure/identity';
import type { Clock, Random } from '../clock.js';
import { NonRetriableError } from '../errors.js';
import type { DicomEvent, FhirEvent, HealthEvent } from '../events/health-event.js';
import type { Telemetry } from '../telemetry/telemetry.js';
import { createDicomReader, type DicomReader } from './dicom-reader.js';
import type { Endpoint } from './endpoint.js';
import { createFhirReader, type FhirReader, type ReaderDeps } from './fhir-reader.js';
import { GetWithRetry } from './get-with-retry.js';
import { createReadBatches } from './read-batches.js';
import { SERVICE_NAMES, type ServiceKind } from './read-error.js';
import { createSend, type InProcessService, sendInProcess } from './send.js';
import type { ServiceHost } from './service-host.js';
import { createServicePages, type ServicePages } from './service-pages.js';
import { createShare } from './share.js';

/**
 * The reader for the resource of events `E`. For events of both services, `resource.service` tells the readers apart.
 */
export type ReaderOf<E extends HealthEvent> =
  | ([Extract<E, FhirEvent>] extends [never] ? never : FhirReader<Extract<E, FhirEvent>['resourceType']>)
  | ([Extract<E, DicomEvent>] extends [never] ? never : DicomReader);

/** Returns the service with this host name if it runs in this process. */
export type FindInProcess = (kind: ServiceKind, host: string) => InProcessService | undefined;

export type Readers = {
  /** Returns the reader of a handler. `signal` ends all its reads. No request is sent before the first read. */
  of(event: HealthEvent, signal: AbortSignal): FhirReader | DicomReader;
  /**
   * Returns the reader of a service's history or change feed. `signal` ends all its reads.
   * @throws NonRetriableError if the host is not listed.
   */
  pagesOf(service: ServiceName, signal: AbortSignal): ServicePages;
  /** From now on, hosts that `find` knows are read in this process, without token and network: the simulator. */
  answerInProcess(find: FindInProcess): void;
};

/** A service by its host name in events. */
export type ServiceName = { readonly service: ServiceKind; readonly host: string };

/** Readers send requests only to `fhirHosts` and `dicomHosts`. */
export type ReadersDeps = {
  fhirHosts: readonly ServiceHost[];
  dicomHosts: readonly ServiceHost[];
  /** Not used before the first read of a listed service. */
  credential: TokenCredential;
  clock: Clock;
  random: Random;
  telemetry: Telemetry;
  /** Reads many resources of a FHIR service with one request. Default: true. */
  fhirBatchReads?: boolean;
  httpClient?: HttpClient;
};

/**
 * Returns the readers of all listed services. A host in an event is only compared with the lists; URLs come from the
 * lists.
 */
export function createReaders(deps: ReadersDeps): Readers {
  const { credential, clock, random, telemetry, fhirBatchReads = true } = deps;
  const { httpClient = createDefaultHttpClient() } = deps;
  const sendWith = createSend(credential, httpClient);
  const listed = {
    fhir: endpointsOf('fhir', deps.fhirHosts, sendWith),
    dicom: endpointsOf('dicom', deps.dicomHosts, sendWith),
  };
  const batches = fhirBatchReads ? createReadBatches({ clock, random, telemetry }) : undefined;
  const getWithRetry = new GetWithRetry({ clock, random, telemetry, batches });
  const share = createShare({ clock, onShared: () => telemetry.count('readsShared') });
  let findInProcess: FindInProcess = () => undefined;

  return {
    of(event, signal) {
      const own: ReaderDeps = { getWithRetry, share, endpoint: () => endpointOf(event), signal };
      return event.service === 'fhir' ? createFhirReader(event, own) : createDicomReader(event, own);
    },
    pagesOf: (service, signal) => createServicePages(endpointOf(service), { getWithRetry, signal }),
    answerInProcess(find) {
      findInProcess = find;
    },
  };

  function endpointOf({ service: kind, host }: ServiceName): Endpoint {
    const service = findInProcess(kind, host);
    if (service) return inProcessEndpoint(kind, host, service);
    const endpoint = listed[kind].get(host);
    if (endpoint) return endpoint;
    const setting = kind === 'fhir' ? 'FHIR_HOSTS' : 'DICOM_HOSTS';
    throw new NonRetriableError(
      `The ${SERVICE_NAMES[kind]} service is not listed in ${setting}. No token was requested, and no request was sent.`,
      { code: 'host-not-listed' },
    );
  }
}

function endpointsOf(
  kind: ServiceKind,
  hosts: readonly ServiceHost[],
  sendWith: ReturnType<typeof createSend>,
): ReadonlyMap<string, Endpoint> {
  const endpoints = hosts.map(({ host, url, audience }) => {
    const send = sendWith(kind, url, audience);
    return [host, { kind, url, alias: `https://${host}`, audience, send }] as const;
  });
  return new Map(endpoints);
}

function inProcessEndpoint(kind: ServiceKind, host: string, service: InProcessService): Endpoint {
  const url = `https://${host}`;
  return { kind, url, alias: url, audience: url, send: sendInProcess(service, url) };
}
