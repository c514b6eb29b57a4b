import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { Server } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { transformSync } from '@swc/core';
import { systemClock } from '../../src/clock.js';
import { createPostAlert } from '../../src/workflows/observation-alerts/webhook.js';
import { SECRET } from '../workflows/observation-alerts/endpoint.js';

const page = readFileSync('docs/alert-rules.md', 'utf8');
const [, example = ''] = /^```js\n([\s\S]*?)^```/m.exec(page) ?? [];
const OTHER = `whsec_${Buffer.alloc(32, 8).toString('base64')}`;

/** Runs the receiver from the page. `printed` collects its output. */
async function startReceiver() {
  const { code } = transformSync(example, { jsc: { target: 'es2024' }, module: { type: 'commonjs' } });
  const printed: string[] = [];
  const exported: { receiver?: Server } = {};
  const console = { log: (text: string) => printed.push(text) };
  const process = { env: { ALERT_WEBHOOK_SECRET: SECRET } };
  const load = createRequire(__filename);
  new Function('require', 'exports', 'console', 'process', code)(load, exported, console, process);
  const server = exported.receiver as Server;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const post = createPostAlert({ fetch, timeoutMs: 5_000 });
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
    printed,
    send,
    stop() {
      server.close();
      server.closeAllConnections();
    },
  };
}

describe('when a reader runs the receiver of docs/alert-rules.md', () => {
  it('given a duplicate, a late, a wrongly signed and an expired alert, then the receiver processes only newer revisions', async () => {
    const { printed, send, stop } = await startReceiver();
    const yesterday = new Date(systemClock.now().getTime() - 24 * 3_600_000);

    expect(await send({ status: 'active', revision: 1 })).toEqual({ kind: 'sent' });
    expect(await send({ status: 'active', revision: 1 })).toEqual({ kind: 'sent' });
    expect(await send({ status: 'withdrawn', revision: 3 })).toEqual({ kind: 'sent' });
    expect(await send({ status: 'active', revision: 2 })).toEqual({ kind: 'sent' });
    expect(await send({ status: 'active', revision: 1, rule: 'other' })).toEqual({ kind: 'sent' });
    expect(await send({ status: 'active', revision: 4 }, { secret: OTHER })).toMatchObject({ kind: 'failed' });
    expect(await send({ status: 'active', revision: 4 }, { now: yesterday })).toMatchObject({ kind: 'failed' });
    stop();

    expect(printed).toEqual(['alert.active', 'alert.withdrawn', 'alert.active']);
  });
});
