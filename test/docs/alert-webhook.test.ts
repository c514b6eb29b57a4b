import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { Server } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { transformSync } from '@swc/core';
import { systemClock } from '../../src/clock.js';
import { createPost } from '../../src/workflows/observation-alerts/webhook.js';
import { SECRET } from '../workflows/observation-alerts/endpoint.js';

const page = readFileSync('docs/alert-rules.md', 'utf8');
const [, example = ''] = /^```js\n([\s\S]*?)^```/m.exec(page) ?? [];
const OTHER = `whsec_${Buffer.alloc(32, 8).toString('base64')}`;

/** The receiver of the page, as somebody would run it; `told` is what it prints. */
async function startReceiver() {
  const { code } = transformSync(example, { jsc: { target: 'es2024' }, module: { type: 'commonjs' } });
  const told: string[] = [];
  const exported: { receiver?: Server } = {};
  const console = { log: (text: string) => told.push(text) };
  const process = { env: { ALERT_WEBHOOK_SECRET: SECRET } };
  const load = createRequire(__filename);
  new Function('require', 'exports', 'console', 'process', code)(load, exported, console, process);
  const server = exported.receiver as Server;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const post = createPost({ fetch, timeoutMs: 5_000 });
  const send = (
    alert: { status: string; revision: number; rule?: string },
    { secret = SECRET, now = systemClock.now() } = {},
  ) => {
    const settings: Record<string, string> = {
      ALERT_WEBHOOK_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
      ALERT_WEBHOOK_SECRET: secret,
    };
    return post(alert, 'k', { setting: (name) => settings[name], now, signal: new AbortController().signal });
  };
  return {
    told,
    send,
    stop() {
      server.close();
      server.closeAllConnections();
    },
  };
}

describe('when somebody runs the receiver of docs/alert-rules.md', () => {
  it('given alerts, one of them twice and one late, then it takes what is newer only, and none with another secret or of yesterday', async () => {
    const { told, send, stop } = await startReceiver();
    const yesterday = new Date(systemClock.now().getTime() - 24 * 3_600_000);

    expect(await send({ status: 'active', revision: 1 })).toEqual({ kind: 'sent' });
    expect(await send({ status: 'active', revision: 1 })).toEqual({ kind: 'sent' });
    expect(await send({ status: 'withdrawn', revision: 3 })).toEqual({ kind: 'sent' });
    expect(await send({ status: 'active', revision: 2 })).toEqual({ kind: 'sent' });
    expect(await send({ status: 'active', revision: 1, rule: 'other' })).toEqual({ kind: 'sent' });
    expect(await send({ status: 'active', revision: 4 }, { secret: OTHER })).toMatchObject({ kind: 'failed' });
    expect(await send({ status: 'active', revision: 4 }, { now: yesterday })).toMatchObject({ kind: 'failed' });
    stop();

    expect(told).toEqual(['alert.active', 'alert.withdrawn', 'alert.active']);
  });
});
