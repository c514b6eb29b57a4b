import type { Random } from '../../clock.js';
import { Refusal, type SimulatorAnswer, type SimulatorRequest } from '../http.js';
import type { ImageStore } from './image-store.js';
import { accepts } from './media-types.js';
import type { Operations } from './operations.js';

/** A request to one resource of the service, with all that its answer needs. */
export type Call = {
  readonly request: SimulatorRequest;
  readonly store: ImageStore;
  readonly operations: Operations;
  readonly random: Random;
  readonly maxBodyBytes: number;
  readonly partition: string;
  /** The URL of the partition's studies: links to images begin with it. */
  readonly studies: string;
  /** The values in the path, by their names in the route. */
  readonly params: Readonly<Partial<Record<'studyUid' | 'seriesUid' | 'instanceUid' | 'frames' | 'operation', string>>>;
};

type Headers = Readonly<Record<string, string>>;

const VERSIONS = { 'api-supported-versions': '2.0' };

/** Returns the refusal of a request, for the caller to throw. `message` is a sentence in the words of the service. */
export function refuse(status: number, message: string, headers: Headers = {}): Refusal<SimulatorAnswer> {
  const type = { 'content-type': 'text/plain; charset=utf-8' };
  return new Refusal({ status, headers: { ...VERSIONS, ...headers, ...type }, body: message }, message);
}

export function answerJson(status: number, value: unknown, headers: Headers = {}): SimulatorAnswer {
  const type = { 'content-type': 'application/json; charset=utf-8' };
  return { status, headers: { ...VERSIONS, ...type, ...headers }, body: JSON.stringify(value) };
}

/** Returns an answer in DICOM JSON. */
export function answerDicomJson(status: number, value: unknown, headers: Headers = {}): SimulatorAnswer {
  return answerJson(status, value, { ...headers, 'content-type': 'application/dicom+json; charset=utf-8' });
}

/** Throws a Refusal where the client does not accept DICOM JSON. `what` is the content that has no other format. */
export function checkAcceptsJson({ headers }: SimulatorRequest, what: string): void {
  if (accepts(headers.get('accept'), 'application/dicom+json')) return;
  throw refuse(406, `${what} is application/dicom+json, which the Accept header does not name.`);
}

export function answerBytes(contentType: string, body: Uint8Array): SimulatorAnswer {
  return { status: 200, headers: { ...VERSIONS, 'content-type': contentType }, body };
}

export function answerNothing(status: 204 | 304): SimulatorAnswer {
  return { status, headers: VERSIONS };
}
