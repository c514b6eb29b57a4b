import { Agent, request } from 'node:http';
import { sleep, systemClock } from '../src/clock.js';
import type { Events } from './fhir-events.js';
import { percentile } from './statistics.js';

const MAX_TRIES = 20;

export type Load = {
  readonly url: string;
  readonly events: Events;
  readonly postSize: number;
  /** The number of POSTs at the same time. After each answer the next POST starts. */
  readonly inFlight: number;
  /** The highest number of events per second. Without it, the load has no limit. */
  readonly maxPerSecond?: number;
  readonly until: Until;
};

/** Prefer `posts` for comparisons: with `ms` the faster app fills storage more, and full storage is slower. */
export type Until = { readonly posts: number } | { readonly ms: number };

/** The times of POSTs from sending to 202. By then every job of the POST is settled or safe in storage. */
export type Measured = { posts: number; eventsPerSecond: number; p50Ms: number; p99Ms: number; p9999Ms: number };

/** Sends POSTs as fast as the host answers, and at least one POST. */
export async function postAtFullRate(load: Load): Promise<Measured> {
  const { url, events, postSize, inFlight, maxPerSecond = Number.POSITIVE_INFINITY, until } = load;
  const agent = new Agent({ keepAlive: true, maxSockets: inFlight });
  const startedAtMs = systemClock.monotonic();
  const latenciesMs: number[] = [];
  let sent = 0;
  const isOver = () => ('posts' in until ? sent >= until.posts : systemClock.monotonic() >= startedAtMs + until.ms);
  await Promise.all(
    Array.from({ length: inFlight }, async () => {
      while (sent === 0 || !isOver()) {
        const dueAtMs = startedAtMs + (sent * postSize * 1000) / maxPerSecond;
        sent += 1;
        await sleep(systemClock, Math.max(0, dueAtMs - systemClock.monotonic()));
        latenciesMs.push(await post(url, bodyOf(events, postSize), agent));
      }
    }),
  );
  agent.destroy();
  return measuredOf(latenciesMs, postSize, systemClock.monotonic() - startedAtMs);
}

/** Sends a POST every `everyMs`, whether or not earlier POSTs are answered. */
export async function postEvery(
  everyMs: number,
  { url, events, postSize, durationMs }: Pick<Load, 'url' | 'events' | 'postSize'> & { durationMs: number },
): Promise<Measured> {
  const agent = new Agent({ keepAlive: true });
  const startedAtMs = systemClock.monotonic();
  const posts: Promise<number>[] = [];
  for (let dueAtMs = startedAtMs; dueAtMs < startedAtMs + durationMs; dueAtMs += everyMs) {
    await sleep(systemClock, Math.max(0, dueAtMs - systemClock.monotonic()));
    posts.push(post(url, bodyOf(events, postSize), agent));
  }
  const latenciesMs = await Promise.all(posts);
  agent.destroy();
  return measuredOf(latenciesMs, postSize, systemClock.monotonic() - startedAtMs);
}

function bodyOf(events: Events, size: number): string {
  return `[${Array.from({ length: size }, events.next).join(',')}]`;
}

function measuredOf(latenciesMs: readonly number[], postSize: number, tookMs: number): Measured {
  return {
    posts: latenciesMs.length,
    eventsPerSecond: (latenciesMs.length * postSize * 1000) / tookMs,
    p50Ms: percentile(latenciesMs, 0.5),
    p99Ms: percentile(latenciesMs, 0.99),
    p9999Ms: percentile(latenciesMs, 0.9999),
  };
}

/** Returns the time until 202. Repeats a POST after a 5xx, as Event Grid does: storage may hang for a moment. */
async function post(url: string, body: string, agent: Agent): Promise<number> {
  const sentAtMs = systemClock.monotonic();
  for (let tries = 1; ; tries += 1) {
    const status = await send(url, body, agent);
    if (status === 202) return systemClock.monotonic() - sentAtMs;
    if (tries === MAX_TRIES || status < 500) {
      throw new Error(`A POST was answered with ${status}, ${tries} times: the measurement is invalid.`);
    }
  }
}

function send(url: string, body: string, agent: Agent): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = {
      'aeg-event-type': 'Notification',
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
    };
    const sent = request(url, { method: 'POST', agent, headers }, (answer) => {
      answer.resume().once('end', () => resolve(answer.statusCode ?? 0));
    });
    sent.once('error', reject);
    sent.end(body);
  });
}
