import type { Clock, Random } from '../../clock.js';
import type { FhirChange, Publish } from '../changes.js';
import type { SimulatorAnswer, SimulatorRequest } from '../http.js';
import { answerOf, bundleResponseText, errorAnswer } from './answers.js';
import { type BundleResult, runBundle } from './bundle/bundle.js';
import type { Call } from './call.js';
import { capabilityText } from './capability-statement.js';
import { FhirError, refuse } from './content/outcome.js';
import { callOfRequest } from './negotiation.js';
import { route } from './route.js';
import { Store } from './store/store.js';
import { Writes } from './writes.js';

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

/** The FHIR service of a workspace, in memory. Each change takes effect at once, and is then published. */
export class FhirService {
  readonly host: string;
  readonly #deps: FhirServiceDeps;
  readonly #store: Store;
  readonly #routed: Parameters<typeof route>[0];

  constructor(deps: FhirServiceDeps) {
    const { host, clock, random, historyBytes = 128 * MEGABYTE, currentBytes = 1024 * MEGABYTE } = deps;
    const startedAt = clock.now();
    const store = new Store({ clock, host, historyBytes, currentBytes });
    this.host = host;
    this.#deps = deps;
    this.#store = store;
    this.#routed = {
      store,
      writes: new Writes({ store, random }),
      now: () => clock.now(),
      postBundle: (call) => ({ kind: 'text', status: 200, text: bundleResponseText(this.#runBundle(call), call) }),
      capabilities: (base) => capabilityText({ base, date: startedAt }),
    };
  }

  /** Answers a request of FHIR's REST interface. Never throws. Requests run one after the other. */
  answer(request: SimulatorRequest): SimulatorAnswer {
    let answer: SimulatorAnswer;
    try {
      const call = callOfRequest(request);
      answer = answerOf(route(this.#routed, call), call);
    } catch (error) {
      answer = errorAnswer(asFhirError(error));
    }
    this.#publishChanges(this.#deps.publish);
    const { body: _left, ...head } = answer;
    return request.method === 'HEAD' ? head : answer;
  }

  get counts() {
    return this.#store.counts;
  }

  /** Removes everything, and publishes nothing. */
  clear(): void {
    this.#store.clear();
  }

  /** The events of a bundle have no order. The events of a transaction are published at once. */
  #runBundle(call: Call): BundleResult {
    const { random, publish } = this.#deps;
    const done = runBundle({ store: this.#store, random, route: (entry) => route(this.#routed, entry) }, call);
    this.#publishChanges((changes) => {
      const mixed = shuffled(changes, random);
      if (done.type === 'transaction') publish(mixed);
      else for (const change of mixed) publish([change]);
    });
    return done;
  }

  #publishChanges(publish: (changes: FhirChange[]) => void): void {
    const changes = this.#store.takeChanges();
    if (changes.length > 0) publish(changes);
  }
}

/** A bug in the simulator becomes an answer 500 without details: it must not stop the process. */
function asFhirError(error: unknown): FhirError {
  if (error instanceof FhirError) return error;
  return refuse(500, 'exception', 'There was an error processing your request.');
}

function shuffled<T>(list: readonly T[], { number }: Random): T[] {
  const placed = list.map((value) => ({ value, place: number() }));
  return placed.sort((a, b) => a.place - b.place).map(({ value }) => value);
}
