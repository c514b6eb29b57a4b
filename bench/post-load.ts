import { Agent, request } from 'node:http';
import { sleep, systemClock } from '../src/clock.js';
import type { Events } from './fhir-events.js';
import { percentile } from './statistics.js';

const MOST_TRIES = 20;

export type Load = {
  readonly url: string;
  readonly events: Events;
  readonly postSize: number;
  /** How many POSTs are under way at a time: the next leaves as soon as one is answered. */
  readonly inFlight: number;
  /** No more events a second than these; as many as are taken, where left out. */
  readonly mostPerSecond?: number;
  readonly until: Until;
};

/** Where both are right, so many POSTs: storage gets slower as it fills, so that who is faster would get it fuller. */
export type Until = { readonly posts: number } | { readonly ms: number };

/** Of the POSTs that were answered with success: that is when everything in them was settled, or safe. */
export type Measured = { posts: number; eventsPerSecond: number; p50Ms: number; p99Ms: number; p9999Ms: number };

/** As many events as the other side takes, but at least one POST. */
export async function postAtFullRate(load: Load): Promise<Measured> {
  const { url, events, postSize, inFlight, mostPerSecond = Number.POSITIVE_INFINITY, until } = load;
  const agent = new Agent({ keepAlive: true, maxSockets: inFlight });
  const startedAtMs = systemClock.monotonic();
  const latenciesMs: number[] = [];
  let sent = 0;
  const isOver = () => ('posts' in until ? sent >= until.posts : systemClock.monotonic() >= startedAtMs + until.ms);
  await Promise.all(
    Array.from({ length: inFlight }, async () => {
      while (sent === 0 || !isOver()) {
        const dueAtMs = startedAtMs + (sent * postSize * 1000) / mostPerSecond;
        sent += 1;
        await sleep(systemClock, Math.max(0, dueAtMs - systemClock.monotonic()));
        latenciesMs.push(await post(url, bodyOf(events, postSize), agent));
      }
    }),
  );
  agent.destroy();
  return measuredOf(latenciesMs, postSize, systemClock.monotonic() - startedAtMs);
}

/** A POST every `everyMs`, whether those before it are answered or not. */
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

/** How long it took until all of it was safe. What is not is sent again, as Event Grid would: storage may stand still for a moment. */
async function post(url: string, body: string, agent: Agent): Promise<number> {
  const sentAtMs = systemClock.monotonic();
  for (let tries = 1; ; tries += 1) {
    const status = await send(url, body, agent);
    if (status === 202) return systemClock.monotonic() - sentAtMs;
    if (tries === MOST_TRIES || status < 500) {
      throw new Error(`A POST was answered with ${status}, ${tries} times: what was measured says nothing.`);
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
