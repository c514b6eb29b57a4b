import { AsyncLocalStorage } from 'node:async_hooks';
import type { TableServiceClientOptions } from '@azure/data-tables';
import type { Operation } from './table-store.js';

type Policy = NonNullable<TableServiceClientOptions['additionalPolicies']>[number]['policy'];

const submitted = new AsyncLocalStorage<readonly Operation[]>();

/**
 * The SDK knows no etag for a delete in a transaction: it sends `If-Match: *`, and a row that somebody has changed would
 * be deleted all the same. This puts the etags into the body that the SDK has built.
 */
export const conditionalDeletePolicy: Policy = {
  name: 'conditionalDelete',
  sendRequest(request, next) {
    const operations = submitted.getStore();
    if (operations !== undefined && typeof request.body === 'string')
      request.body = withEtags(request.body, operations);
    return next(request);
  },
};

/** Calls `submit` so that the deletes of `operations` are sent with their etags. */
export function withConditionalDeletes<T>(operations: readonly Operation[], submit: () => Promise<T>): Promise<T> {
  const isNeeded = operations.some((operation) => operation.kind === 'delete' && operation.etag !== undefined);
  return isNeeded ? submitted.run(operations, submit) : submit();
}

/** The operations are the parts of the body, in order; before the first stands the envelope. */
function withEtags(body: string, operations: readonly Operation[]): string {
  const [envelope, ...parts] = body.split(/^(?=--changeset_[\w-]*\w\r\n)/m);
  if (parts.length !== operations.length) throw new TypeError('The SDK has built a transaction of another shape.');
  const withTheirs = parts.map((part, index) => {
    const operation = operations[index];
    if (operation?.kind !== 'delete' || operation.etag === undefined) return part;
    return part.replace(/^If-Match: \*$/im, () => `If-Match: ${operation.etag}`);
  });
  return [envelope, ...withTheirs].join('');
}
