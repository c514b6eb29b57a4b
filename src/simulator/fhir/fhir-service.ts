import type { Clock, Random } from '../../clock.js';
import type { FhirChange, Publish } from '../changes.js';
import type { SimulatorAnswer, SimulatorRequest } from '../http.js';
import { answerOf, bundleResponseText, errorAnswer } from './answers.js';
import { callOfWrite, type FhirOutcome, type FhirWrite, outcomeOf } from './apply.js';
import { type BundleResult, runBundle } from './bundle/bundle.js';
import type { Call, Result } from './call.js';
import { capabilityText } from './capability-statement.js';
import { FhirError, refuse } from './content/outcome.js';
import { callOfRequest } from './negotiation.js';
import { route } from './route.js';
import { Store } from './store/store.js';
import { Writes } from './writes.js';

export type { FhirOutcome, FhirWrite } from './apply.js';

export type FhirService = {
  readonly host: string;
  /** Answers a request of FHIR's REST interface. Never throws. Requests run one after the other. */
  answer(request: SimulatorRequest): SimulatorAnswer;
  /** Makes a change without HTTP. Never throws: a refusal is an outcome with `problem`. */
  apply(write: FhirWrite): FhirOutcome;
  /** Returns the current version of a resource; undefined where there never was a resource, or after a hard delete. */
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
  const { host, clock, random, publish, historyBytes = 128 * MEGABYTE, currentBytes = 1024 * MEGABYTE } = deps;
  const startedAt = clock.now();
  const store = new Store({ clock, host, historyBytes, currentBytes });
  const routed = {
    store,
    writes: new Writes({ store, random }),
    now: () => clock.now(),
    postBundle: (call: Call): Result => ({
      kind: 'text',
      status: 200,
      text: bundleResponseText(postBundle(call), call),
    }),
    capabilities: (base: string) => capabilityText({ base, date: startedAt }),
  };

  return {
    host,
    answer(request) {
      let answer: SimulatorAnswer;
      try {
        const call = callOfRequest(request);
        answer = answerOf(route(routed, call), call);
      } catch (error) {
        answer = errorAnswer(asFhirError(error));
      }
      publishChanges(publish);
      const { body: _left, ...head } = answer;
      return request.method === 'HEAD' ? head : answer;
    },
    apply(write) {
      try {
        const call = callOfWrite(write, `https://${host}`);
        return outcomeOf(call.segments.length === 0 ? postBundle(call) : route(routed, call));
      } catch (error) {
        return outcomeOf(asFhirError(error));
      } finally {
        publishChanges(publish);
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

  /** The events of a bundle have no order. The events of a transaction are published at once. */
  function postBundle(call: Call): BundleResult {
    const done = runBundle({ store, random, route: (entry) => route(routed, entry) }, call);
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
}

/** A bug in the simulator becomes an answer 500 without details: it must not stop the process. */
function asFhirError(error: unknown): FhirError {
  if (error instanceof FhirError) return error;
  return refuse(500, 'exception', 'There was an error processing your request.');
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
