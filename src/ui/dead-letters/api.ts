import type { ChangeAnswer, Outcomes } from '../../api/dead-letters.js';
import { request } from '../shell/request.js';

/** Requests a redrive of dead letters. `event`: the corrected event of the only one. */
export function redrive(ids: readonly string[], options: { force?: boolean; event?: unknown; dryRun?: boolean } = {}) {
  return request<ChangeAnswer>('POST', 'dead-letters/redrive', { ids, ...options });
}

/** Returns how many of these dead letters are resolved, have failed again, or wait. */
export function askOutcomes(ids: readonly string[]) {
  return request<Outcomes>('POST', 'dead-letters/outcomes', { ids });
}
