import { EVENT_GRID_ORIGIN } from './event-grid-webhook.js';
import { type Answer, type Handle, textAnswer } from './server.js';
import { StartError } from './start-error.js';

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;
const NAME = /^([a-z0-9-]+(\.[a-z0-9-]+)*|\[[0-9a-f:.]+\])$/i;
const MAX_SHOWN = 100;

/**
 * Returns a handler that passes only requests of this machine's programs and of this host's own pages to `handle`.
 * Other requests get 403. This host needs no keys, so without this check a page of another site, open in a browser on
 * this machine, could change the app in two ways:
 * - by a request to localhost, which has the page's own `Origin`;
 * - by a name of its own that resolves to 127.0.0.1 (DNS rebinding), which is in `Host`.
 * Event Grid sends CloudEvents with an `Origin` without a scheme, which no page can have.
 * `allowedHosts` are further names of this host, for a proxy or tunnel before it.
 */
export function forOwnPages(handle: Handle, allowedHosts: readonly string[]): Handle {
  const allowed = new Set(allowedHosts.map((name) => name.toLowerCase()));
  return async (request) => {
    const { host = '', origin } = request.headers;
    const name = urlOf(`http://${host}`)?.hostname ?? '';
    if (!LOOPBACK.test(name) && !allowed.has(name)) return refuse(`Its header Host is '${shown(host)}'`, name);
    if (origin === undefined || origin === EVENT_GRID_ORIGIN || isOwn(origin, host)) return handle(request);
    const from = urlOf(origin)?.hostname ?? '';
    if (allowed.has(from)) return handle(request);
    return refuse(`A page of another origin, '${shown(origin)}', has sent it`, from);
  };
}

/** Returns the names. @throws StartError where one of them is no host name */
export function checkAllowedHosts(names: readonly string[]): readonly string[] {
  const wrong = names.filter((name) => !NAME.test(name));
  if (wrong.length === 0) return names;
  throw new StartError(`--allow-host is '${wrong[0]}'; it must be the name of a host, without https:// and port.`);
}

/** Returns whether the page was loaded from this host: the same name and port. */
function isOwn(origin: string, host: string): boolean {
  const own = urlOf(`http://${host}`)?.host;
  return own !== undefined && urlOf(origin)?.host === own;
}

function refuse(why: string, name: string): Answer {
  const allow = NAME.test(name) ? `\nIf you trust it: npm start -- --allow-host ${shown(name)}` : '';
  return textAnswer(
    403,
    `This request is refused. ${why}, and this host answers only programs of this machine and its own pages, by the names localhost, 127.0.0.1 and [::1].${allow}\n`,
  );
}

function urlOf(text: string): URL | undefined {
  return URL.parse(text) ?? undefined;
}

function shown(text: string): string {
  return text.slice(0, MAX_SHOWN);
}
