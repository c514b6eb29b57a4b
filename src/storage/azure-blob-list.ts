import { RestError } from '@azure/core-rest-pipeline';
import type { StorageHttp } from './azure-http.js';
import { type BlobMetadata, type BlobPage, type ListedBlob, withoutEmptyTexts } from './blob-store.js';
import { StorageError } from './table-store.js';

type List = { readonly container: string; readonly prefix: string; readonly limit: number; readonly page?: string };

/**
 * Returns a page of a container's blobs, with their metadata. The SDK takes 0.25 s of CPU for a thousand names, in one
 * piece in which no job runs; this takes a tenth of it.
 *
 * @throws RestError if storage refuses, a StorageError if the answer is no whole list
 */
export async function listBlobs(
  http: StorageHttp,
  { container, prefix, limit, page }: List,
  signal?: AbortSignal,
): Promise<BlobPage> {
  const query = { restype: 'container', comp: 'list', include: 'metadata', maxresults: String(limit), prefix };
  const search = Object.entries({ ...query, ...(page !== undefined && { marker: page }) })
    .map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
    .join('&');
  const { status, headers, bodyAsText } = await http.send(
    { method: 'GET', path: `/${container}`, query: search },
    signal,
  );
  if (status !== 200)
    throw new RestError('refused', { statusCode: status, code: headers.get('x-ms-error-code') ?? '' });
  return pageOf(bodyAsText ?? '');
}

/** Text in XML has no `<`, so patterns find the elements. */
function pageOf(xml: string): BlobPage {
  if (!/<\/EnumerationResults>\s*$/.test(xml)) throw garbled();
  const blobs = Array.from(xml.matchAll(/<Blob>(.*?)<\/Blob>/gs), ([, blob = '']) => blobOf(blob));
  return { blobs, next: textOf('NextMarker', xml) || undefined };
}

function blobOf(xml: string): ListedBlob {
  const createdAt = new Date(textOf('Creation-Time', xml) ?? textOf('Last-Modified', xml) ?? '');
  const [, encoded, name = ''] = /<Name( Encoded="true")?>([^<]*)<\/Name>/.exec(xml) ?? [];
  if (name === '' || Number.isNaN(createdAt.getTime())) throw garbled();
  const text = decodeText(name);
  const metadata = metadataIn(xml);
  return { name: encoded ? decodeURIComponent(text) : text, createdAt, ...(metadata && { metadata }) };
}

function metadataIn(xml: string): BlobMetadata | undefined {
  const [, metadata = ''] = /<Metadata>(.*?)<\/Metadata>/s.exec(xml) ?? [];
  const texts = metadata.matchAll(/<([^\s<>/]+)>([^<]*)<\/\1>/g);
  return withoutEmptyTexts(
    Object.fromEntries(Array.from(texts, ([, name, text = '']) => [name, decodeMetadata(text)])),
  );
}

function textOf(element: string, xml: string): string | undefined {
  const from = xml.indexOf(`<${element}>`);
  if (from < 0) return undefined;
  const at = from + element.length + 2;
  return decodeText(xml.slice(at, xml.indexOf('<', at)));
}

const ENTITIES: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

function decodeText(text: string): string {
  return text.replace(/&(?:#x([0-9a-f]{1,6})|#(\d{1,7})|(\w+));/gi, (all, hex, decimal, name) => {
    if (name !== undefined) return ENTITIES[name] ?? all;
    return String.fromCodePoint(hex === undefined ? Number(decimal) : Number.parseInt(hex, 16));
  });
}

/** Metadata that others wrote may not be encoded; such text is returned as it is. */
function decodeMetadata(text: string): string {
  const decoded = decodeText(text);
  try {
    return decodeURIComponent(decoded);
  } catch {
    return decoded;
  }
}

function garbled(): StorageError {
  return new StorageError('garbled', 'Storage answered with something else than a list of blobs.');
}
