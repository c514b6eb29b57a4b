import type { HttpRequest } from '@azure/functions';
import type { App } from './compose.js';

const PRINCIPAL_ID = /^[\w.:@-]{1,128}$/;

/**
 * Who asks, for the log: the id of the principal that Azure's authentication has let in. Anybody can send its header
 * where that is not on, so there it is whoever has the key.
 */
export function whoAsks({ headers }: Pick<HttpRequest, 'headers'>, { config }: Pick<App, 'config'>): string {
  if (!config.isAuthenticated) return 'key-holder';
  const id = headers.get('x-ms-client-principal-id') ?? '';
  return PRINCIPAL_ID.test(id) ? id : 'unknown';
}
