import type { HttpRequest } from '@azure/functions';
import type { App } from './compose.js';

const PRINCIPAL_ID = /^[\w.:@-]{1,128}$/;

/**
 * Returns the caller for the log: the id of the principal that Azure's authentication has accepted, or `key-holder`
 * where that is off, since any caller can then send the header with the id.
 */
export function callerOf({ headers }: Pick<HttpRequest, 'headers'>, { config }: Pick<App, 'config'>): string {
  if (!config.isAuthenticated) return 'key-holder';
  const id = headers.get('x-ms-client-principal-id') ?? '';
  return PRINCIPAL_ID.test(id) ? id : 'unknown';
}
