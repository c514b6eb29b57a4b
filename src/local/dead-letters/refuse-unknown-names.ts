import type { Filter } from '../../dead-letters/list.js';
import type { ReadStores } from '../../dead-letters/stores.js';
import { unknownNameIn } from '../../dead-letters/unknown-name.js';
import { OptionError } from './options.js';

/**
 * Throws if the filter, which has matched nothing, names a workflow, a reason or a type that neither the app nor any
 * dead letter knows. @throws OptionError
 */
export async function refuseUnknownNames(filter: Filter, stores: ReadStores): Promise<void> {
  const { workflows } = await import('../../workflows/index.js');
  const unknown = await unknownNameIn(filter, stores, workflows);
  if (unknown) throw new OptionError(`--${unknown.field} ${unknown.message}`);
}
