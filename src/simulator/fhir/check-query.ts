import { refuse } from './content/outcome.js';
import { readSummary } from './search/search-options.js';

/** Throws a FhirError for parameters that say how an answer is to look, and say nothing that there is. Every request may have them. */
export function checkQuery(query: URLSearchParams): void {
  const pretty = query.get('_pretty');
  if (pretty !== null && !/^\s*(true|false)\s*$/i.test(pretty)) {
    throw refuse(400, 'invalid', `The requested "_pretty" parameter is '${pretty}'. Use true or false.`);
  }
  const summary = query.get('_summary');
  if (summary !== null) readSummary(summary, () => {});
  if (query.get('_elements')?.trim() === '') {
    throw refuse(400, 'invalid', "'_elements' is empty. Name elements, as in id,name.");
  }
}
