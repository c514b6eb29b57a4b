import type { Clock, Random } from '../../clock.js';
import type { FhirChange, Publish } from '../changes.js';
import type { SimulatorAnswer, SimulatorRequest } from '../http.js';
import { answerOf, bundleResponseText, errorAnswer } from './answers.js';
import { callOfWrite, type FhirOutcome, type FhirWrite, outcomeOf } from './apply.js';
import { runBundle } from './bundle/bundle.js';
import { segmentsOf } from './bundle/bundle-entry.js';
import type { Call, Result } from './call.js';
import { capabilityText } from './capability-statement.js';
import { FhirError, refuse } from './content/outcome.js';
import { bodyOf, checkRequest } from './negotiation.js';
import { route } from './route.js';
import { createStore } from './store/store.js';
import { createWrites } from './writes.js';

export type { FhirOutcome, FhirWrite } from './apply.js';

export type FhirService = {
  readonly host: string;
  /** Answers a request of FHIR's REST interface. Never throws. A request is done before the next one begins. */
  answer(request: SimulatorRequest): SimulatorAnswer;
  /** Makes a change from within, as if it came by HTTP. Never throws: a refusal is an outcome with `problem`. */
  apply(write: FhirWrite): FhirOutcome;
  /** What is stored of a resource; undefined where it never was, or was hard deleted. */
  current(resourceType: string, id: string): { readonly version: number; readonly deleted: boolean } | undefined;
  readonly counts: {
    /** Those that are not deleted. */
    readonly resources: number;
    /** All that are kept, those that say that something was deleted included. */
    readonly versions: number;
    readonly bytes: number;
  };
  /** Forgets everything. It publishes nothing. */
  clear(): void;
};

const MEGABYTE = 1024 * 1024;

export function createFhirService(deps: {
  host: string;
  clock: Clock;
  random: Random;
  publish: Publish;
  /** What old versions may take in memory; beyond it the oldest are dropped. 128 MB unless told. */
  historyBytes?: number;
  /** What current versions may take; beyond it what needs more is refused. 1 GB unless told. */
  currentBytes?: number;
}): FhirService {
  const { host, clock, random, publish, historyBytes = 128 * MEGABYTE, currentBytes = 1024 * MEGABYTE } = deps;
  const store = createStore({ clock, host, historyBytes, currentBytes });
  const now = () => clock.now();
  const startedAt = now();
  const inside = { store, writes: createWrites({ store, random }), now, postBundle, capabilities };

  return {
    host,

    answer(request) {
      let answer: SimulatorAnswer;
      try {
        checkRequest(request);
        const call = callOfRequest(request);
        answer = answerOf(route(inside, call), call);
      } catch (error) {
        answer = errorAnswer(asFhirError(error));
      }
      publishChanges((changes) => publish(changes));
      const { body: _left, ...head } = answer;
      return request.method === 'HEAD' ? head : answer;
    },

    apply(write) {
      try {
        const call = callOfWrite(write, `https://${host}`);
        return outcomeOf(call.segments.length === 0 ? bundle(call) : route(inside, call));
      } catch (error) {
        return outcomeOf(asFhirError(error));
      } finally {
        publishChanges((changes) => publish(changes));
      }
    },

    current(resourceType, id) {
      const version = store.get(resourceType, id)?.current;
      return version && { version: version.number, deleted: version.text === undefined };
    },

    get counts() {
      return store.counts;
    },

    clear: () => store.clear(),
  };

  function postBundle(call: Call): Result {
    return { kind: 'text', status: 200, text: bundleResponseText(bundle(call), call) };
  }

  /** The events of a bundle come in no order; those of a transaction come at once. */
  function bundle(call: Call) {
    const done = runBundle({ store, random, route: (entry) => route(inside, entry) }, call);
    publishChanges((changes) => {
      const mixed = shuffled(changes, random);
      if (done.type === 'transaction') publish(mixed);
      else for (const change of mixed) publish([change]);
    });
    return done;
  }

  function publishChanges(publishAll: (changes: FhirChange[]) => void): void {
    const changes = store.takeChanges();
    if (changes.length > 0) publishAll(changes);
  }

  function capabilities(base: string): string {
    return capabilityText({ base, date: startedAt });
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

/** A bug must not take down what runs beside it: it is answered, without what it was about. */
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
