import type { ChangeAnswer, DeadLetterPage, Outcomes } from '../../api/dead-letters.js';
import { request } from '../shell/request.js';
import type { Part } from './counts.js';
import { type Filter, pathOf } from './filter.js';

/** Returns a page of the dead letters that match, in a part of the list. */
export function listPage(filter: Filter, { limit, ...part }: Part & { limit: number }) {
  return request<DeadLetterPage>('GET', pathOf('dead-letters', { ...filter, ...part, limit: String(limit) }));
}

export function redrive(ids: readonly string[], options: { force?: boolean; event?: unknown; dryRun?: boolean } = {}) {
  return request<ChangeAnswer>('POST', 'dead-letters/redrive', { ids, ...options });
}

export function askOutcomes(ids: readonly string[]) {
  return request<Outcomes>('POST', 'dead-letters/outcomes', { ids });
}

export function discard(body: {
  ids?: readonly string[];
  filter?: Filter;
  after?: string;
  limit?: number;
  why: string;
}) {
  return request<ChangeAnswer>('POST', 'dead-letters/discard', body);
}
