/** A FHIR or DICOM service that may be read: an entry of `FHIR_HOSTS` or `DICOM_HOSTS`. */
export type ServiceHost = {
  /** The host name in events, in lower case. */
  readonly host: string;
  /** The base URL, without a slash at its end. */
  readonly url: string;
  /** The audience of a token for the service. */
  readonly audience: string;
};

const HOST = /^[a-z0-9][a-z0-9.-]*(:\d{1,5})?$/i;
const AUDIENCE = /^audience=((?:https|api):\/\/[^\s?#]+)$/;
const LOOPBACK = /^https?:\/\/(127\.0\.0\.1|localhost|\[::1\])([:/]|$)/;

/** The format of the settings, for messages. */
export const SERVICE_HOST_EXPECTED =
  'host names without https://, each once, with at most an https URL and audience=https://… after it, with commas between';

/** Returns the services in a setting. `wrong` has the unreadable entries, and those that repeat a host. */
export function readServiceHosts(
  text: string,
  audienceOf: (host: string) => string,
): { hosts: readonly ServiceHost[]; wrong: readonly string[] } {
  const entries = text.split(',').map((entry) => entry.trim());
  const hosts = new Map<string, ServiceHost>();
  const wrong = entries.filter((entry) => {
    if (entry === '') return false;
    const read = readServiceHost(entry, audienceOf);
    if (!read || hosts.has(read.host)) return true;
    hosts.set(read.host, read);
    return false;
  });
  const hasOnlyCommas = text !== '' && hosts.size + wrong.length === 0;
  return { hosts: Object.freeze([...hosts.values()]), wrong: hasOnlyCommas ? [text] : wrong };
}

/** Reads `host [url] [audience=…]`; undefined if `entry` has another format. */
function readServiceHost(entry: string, audienceOf: (host: string) => string): ServiceHost | undefined {
  const [name = '', ...rest] = entry.split(/\s+/);
  const audiences = rest.flatMap((word) => AUDIENCE.exec(word)?.[1] ?? []);
  const urls = rest.filter((word) => isServiceUri(word));
  const isReadable = audiences.length <= 1 && urls.length <= 1 && audiences.length + urls.length === rest.length;
  if (!HOST.test(name) || !isReadable) return undefined;
  const host = name.toLowerCase();
  const [url = `https://${host}`] = urls;
  const [audience = audienceOf(host)] = audiences;
  return Object.freeze({ host, url: url.replace(/\/+$/, ''), audience });
}

/**
 * Returns whether `uri` can be the base URL of a service: https, or http on this machine. A service that gets a token must
 * prove its name.
 */
export function isServiceUri(uri: string): boolean {
  if (!URL.canParse(uri)) return false;
  const { protocol, search, username, password, hash } = new URL(uri);
  return (protocol === 'https:' || isLoopbackUri(uri)) && search + username + password + hash === '';
}

/** Returns whether `uri` names this machine, by http or https: 127.0.0.1, localhost or [::1]. */
export function isLoopbackUri(uri: string): boolean {
  return LOOPBACK.test(uri);
}
