import { etagOf, type Result } from '../call.js';
import { isObject, parseExactly } from '../content/json.js';
import { type Issue, outcomeText } from '../content/outcome.js';
import { stampedText } from '../store/store.js';
import type { Version } from '../store/version.js';
import type { Page } from './search.js';
import { type PageOptions, tokenOf } from './search-options.js';

type Listed = {
  type: 'searchset' | 'history';
  url: string;
  options: PageOptions;
  page: Page;
  total: number | undefined;
  issues: readonly Issue[];
  entryOf: (version: Version) => string;
  at: Date;
};

/** Returns the Bundle of a search or a history. Resources are inserted as they are stored, as text. */
export function bundleResult({ type, url, options, page, total, issues, entryOf, at }: Listed): Result {
  const outcome = `{"resource":${outcomeText(issues)},"search":{"mode":"outcome"}}`;
  const entries = [...(issues.length > 0 ? [outcome] : []), ...page.versions.map(entryOf)];
  const self = linkOf(url, options.kept);
  // Only the first page has the total.
  const following = options.kept.filter(([name]) => name !== '_total');
  const next = page.next === undefined ? undefined : linkOf(url, [...following, ['ct', tokenOf(page.next)]]);
  const head = JSON.stringify({
    resourceType: 'Bundle',
    meta: { lastUpdated: at.toISOString() },
    type,
    ...(total !== undefined && { total }),
    link: [...(next === undefined ? [] : [{ relation: 'next', url: next }]), { relation: 'self', url: self }],
  });
  const text = entries.length === 0 ? head : `${head.slice(0, -1)},"entry":[${entries.join(',')}]}`;
  return { kind: 'text', status: 200, text };
}

/** Returns the entry of a search result as JSON. `text` is the resource, whole or in part. */
export function matchEntry(base: string, version: Version, text: string): string {
  const fullUrl = `${base}/${version.stored.resourceType}/${version.stored.id}`;
  return `{"fullUrl":${JSON.stringify(fullUrl)},"resource":${text},"search":{"mode":"match"}}`;
}

/** Returns the entry of a version as JSON. The resource of a deletion has only type, id and meta. */
export function historyEntry(base: string, version: Version): string {
  const { stored, method, number, text, atMs } = version;
  const { resourceType, id } = stored;
  const name = `${resourceType}/${id}`;
  const about = JSON.stringify({
    fullUrl: `${base}/${name}`,
    request: { method, url: method === 'POST' ? `${resourceType}/` : name },
    response: {
      status: method === 'DELETE' ? '204 NoContent' : number === 1 ? '201 Created' : '200 OK',
      etag: etagOf(version),
      lastModified: new Date(atMs).toISOString(),
    },
  });
  return `${about.slice(0, -1)},"resource":${text ?? stampedText({ resourceType }, { id, number, atMs })}}`;
}

const SUBSETTED = { system: 'http://terminology.hl7.org/CodeSystem/v3-ObservationValue', code: 'SUBSETTED' };

type Subset = { readonly elements: readonly string[] | undefined; readonly isWithoutText: boolean };

/** Returns a resource with these elements only, or without its text. A tag says that it is incomplete. */
export function subsetText(text: string, { elements, isWithoutText }: Subset): string {
  if (elements === undefined && !isWithoutText) return text;
  const { resourceType, id, meta, ...others } = parseExactly(text) as Record<string, unknown>;
  const wanted = Object.entries(others).filter(([name]) =>
    elements ? elements.includes(name.replace(/^_/, '')) : name !== 'text',
  );
  const { tag, ...restOfMeta } = isObject(meta) ? meta : {};
  const tags = [...(Array.isArray(tag) ? tag : []), SUBSETTED];
  return JSON.stringify({ resourceType, id, meta: { ...restOfMeta, tag: tags }, ...Object.fromEntries(wanted) });
}

function linkOf(url: string, parameters: PageOptions['kept']): string {
  const query = new URLSearchParams([...parameters]).toString();
  return query === '' ? url : `${url}?${query}`;
}
