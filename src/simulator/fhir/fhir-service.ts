import type { Clock, Random } from '../../clock.js';
import type { FhirChange, Publish } from '../changes.js';
import type { SimulatorAnswer, SimulatorRequest } from '../http.js';
import { answerOf, bundleResponseText, errorAnswer } from './answers.js';
import { callOfWrite, type FhirOutcome, type FhirWrite, outcomeOf } from './apply.js';
import { type BundleResult, runBundle } from './bundle/bundle.js';
import { segmentsOf } from './bundle/bundle-entry.js';
import type { Call } from './call.js';
import { capabilityText } from './capability-statement.js';
import { FhirError, refuse } from './content/outcome.js';
import { bodyOf, checkRequest } from './negotiation.js';
import { route } from './route.js';
import { createStore, type Store } from './store/store.js';
import { Writes } from './writes.js';

export type { FhirOutcome, FhirWrite } from './apply.js';

export type FhirService = {
  readonly host: string;
  /** Answers a request of FHIR's REST interface. Never throws. Requests run one after the other. */
  answer(request: SimulatorRequest): SimulatorAnswer;
  /** Makes a change without HTTP. Never throws: a refusal is an outcome with `problem`. */
  apply(write: FhirWrite): FhirOutcome;
  /** The current version of a resource; undefined where there never was a resource, or after a hard delete. */
  current(resourceType: string, id: string): { readonly version: number; readonly deleted: boolean } | undefined;
  readonly counts: {
    /** Resources that are not deleted. */
    readonly resources: number;
    /** All versions that are kept, also the versions that mark deletions. */
    readonly versions: number;
    readonly bytes: number;
  };
  /** Removes everything, and publishes nothing. */
  clear(): void;
};

const MEGABYTE = 1024 * 1024;

type FhirServiceDeps = {
  host: string;
  clock: Clock;
  random: Random;
  publish: Publish;
  /** The memory for old versions, 128 MB by default. Beyond it the oldest versions are dropped. */
  historyBytes?: number;
  /** The memory for current versions, 1 GB by default. A write that needs more is refused. */
  currentBytes?: number;
};

export function createFhirService(deps: FhirServiceDeps): FhirService {
  return new MemoryFhirService(deps);
}

class MemoryFhirService implements FhirService {
  readonly host: string;
  readonly #random: Random;
  readonly #publish: Publish;
  readonly #store: Store;
  readonly #routed: Parameters<typeof route>[0];

  constructor({ host, clock, random, publish, historyBytes, currentBytes }: FhirServiceDeps) {
    const startedAt = clock.now();
    this.host = host;
    this.#random = random;
    this.#publish = publish;
    this.#store = createStore({
      clock,
      host,
      historyBytes: historyBytes ?? 128 * MEGABYTE,
      currentBytes: currentBytes ?? 1024 * MEGABYTE,
    });
    this.#routed = {
      store: this.#store,
      writes: new Writes(this.#store, random),
      now: () => clock.now(),
      postBundle: (call) => ({ kind: 'text', status: 200, text: bundleResponseText(this.#runBundle(call), call) }),
      capabilities: (base) => capabilityText({ base, date: startedAt }),
    };
  }

  answer(request: SimulatorRequest): SimulatorAnswer {
    let answer: SimulatorAnswer;
    try {
      checkRequest(request);
      const call = callOfRequest(request);
      answer = answerOf(route(this.#routed, call), call);
    } catch (error) {
      answer = errorAnswer(asFhirError(error));
    }
    this.#publishChanges((changes) => this.#publish(changes));
    const { body: _left, ...head } = answer;
    return request.method === 'HEAD' ? head : answer;
  }

  apply(write: FhirWrite): FhirOutcome {
    try {
      const call = callOfWrite(write, `https://${this.host}`);
      return outcomeOf(call.segments.length === 0 ? this.#runBundle(call) : route(this.#routed, call));
    } catch (error) {
      return outcomeOf(asFhirError(error));
    } finally {
      this.#publishChanges((changes) => this.#publish(changes));
    }
  }

  current(resourceType: string, id: string): { version: number; deleted: boolean } | undefined {
    const version = this.#store.get(resourceType, id)?.current;
    return version && { version: version.number, deleted: version.text === undefined };
  }

  get counts(): FhirService['counts'] {
    return this.#store.counts;
  }

  clear(): void {
    this.#store.clear();
  }

  /** The events of a bundle have no order. The events of a transaction are published at once. */
  #runBundle(call: Call): BundleResult {
    const routeEntry = (entry: Call) => route(this.#routed, entry);
    const done = runBundle({ store: this.#store, random: this.#random, route: routeEntry }, call);
    this.#publishChanges((changes) => {
      const mixed = shuffled(changes, this.#random);
      if (done.type === 'transaction') this.#publish(mixed);
      else for (const change of mixed) this.#publish([change]);
    });
    return done;
  }

  #publishChanges(publishAll: (changes: FhirChange[]) => void): void {
    const changes = this.#store.takeChanges();
    if (changes.length > 0) publishAll(changes);
  }
}

function callOfRequest(request: SimulatorRequest): Call {
  const { method, path, query, headers, base } = request;
  return {
    method: method.toUpperCase(),
    segments: segmentsOf(path),
    query,
    header: (name) => headers.get(name),
    base,
    body: bodyOf(request),
  };
}

/** A bug in the simulator becomes an answer 500 without details: it must not stop the process. */
function asFhirError(error: unknown): FhirError {
  return error instanceof FhirError
    ? error
    : (refuse(500, 'exception', 'There was an error processing your request.') as FhirError);
}

function shuffled<T>(list: readonly T[], { number }: Random): T[] {
  const mixed = [...list];
  for (let last = mixed.length - 1; last > 0; last -= 1) {
    const at = Math.floor(number() * (last + 1));
    const [a, b] = [mixed[last] as T, mixed[at] as T];
    mixed[last] = b;
    mixed[at] = a;
  }
  return mixed;
}
