import type { Random } from '../../src/clock.js';
import type { Scenario } from '../../src/simulator/scenarios/scenario.js';

/** The median and the 99th percentile of a time. */
export type Latency = { readonly p50Ms: number; readonly p99Ms: number };

/** A simulation of one of several equal deployments, each with services and storage of its own. */
export type Plan = {
  readonly scenario: Scenario;
  /** Events a second, of all deployments together. */
  readonly rate: number;
  readonly deployments: number;
  /** Storage accounts of each deployment: 2 with SEPARATE_WORKFLOW_STORAGE. */
  readonly accounts: 1 | 2;
  /** Instances of each deployment. */
  readonly instances: number;
  readonly seconds: number;
  readonly seed: number;
  /** How many times slower the processor is than the measured one. */
  readonly cpu: number;
  readonly storage: Latency;
  readonly service: Latency;
  readonly maxEventsPerBatch: number;
  /** The maximum number of POSTs of a subscription at a time. */
  readonly posts: number;
};

/** The 99th percentile of the standard normal distribution. */
const Z99 = 2.3263;

/** Returns a function that draws times of a log-normal distribution. */
export function createLatency({ p50Ms, p99Ms }: Latency, { number }: Random): () => number {
  const sigma = Math.log(p99Ms / p50Ms) / Z99;
  return () => {
    const normal = Math.sqrt(-2 * Math.log(1 - number())) * Math.cos(2 * Math.PI * number());
    return p50Ms * Math.exp(sigma * normal);
  };
}
