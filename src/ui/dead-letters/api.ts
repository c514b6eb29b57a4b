import type { ChangeAnswer, Outcomes } from '../../api/dead-letters.js';
import { request } from '../shell/request.js';

export function redrive(ids: readonly string[], options: { force?: boolean; event?: unknown; dryRun?: boolean } = {}) {
  return request<ChangeAnswer>('POST', 'dead-letters/redrive', { ids, ...options });
}

export function askOutcomes(ids: readonly string[]) {
  return request<Outcomes>('POST', 'dead-letters/outcomes', { ids });
}
