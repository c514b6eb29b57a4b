import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { RunStatus } from '../../../src/simulator/runs/run.js';

export type StubApp = {
  readonly url: string;
  /** The requests to the app in order, such as `POST /api/simulator/runs`. The test sets the answers. */
  readonly asked: string[];
  readonly bodies: string[];
  close(): Promise<void>;
};

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/**
 * An app as `npm run simulate` sees it. By default it has a simulator with a run that never ends; `answers` replaces
 * answers.
 */
export async function startStubApp(answers: Readonly<Record<string, Answer>> = {}): Promise<StubApp> {
  const asked: string[] = [];
  const bodies: string[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const what = `${request.method} ${request.url}`;
    asked.push(what);
    bodies.push(Buffer.concat(chunks).toString());
    const answer = answers[what] ?? json(what.startsWith('POST') ? 201 : 200, statusOf());
    answer(request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    bodies,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

export function json(status: number, body: unknown): Answer {
  return (_request, response) => void response.writeHead(status).end(JSON.stringify(body));
}

export const dies: Answer = (request) => void request.socket.destroy();

export function statusOf(changed: Partial<RunStatus> = {}): RunStatus {
  return {
    id: '0badcafe',
    phase: 'making',
    scenario: 'clinic-day',
    seed: 7,
    events: 100,
    rate: 10,
    timeScale: 1,
    startedAt: '2026-01-01T12:00:00.000Z',
    endedAt: null,
    made: 10,
    deliveries: { matched: 10, requests: 1, delivered: 10, duplicates: 0, retried: 0 },
    pending: 0,
    redriven: 0,
    verdict: null,
    machine: null,
    error: null,
    ...changed,
  };
}
