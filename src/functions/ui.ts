import { readdirSync, readFileSync } from 'node:fs';
import type { HttpRequest, HttpResponseInit } from '@azure/functions';
import { digest } from '../digest.js';
import { type FunctionApp, httpError } from './serve.js';

const INDEX = 'index.html';
const TYPES: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  dcm: 'application/dicom',
};
/** The page loads only its own files, and talks only to this app. No other page may show it in a frame. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self' data:",
  "font-src 'self'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
  "form-action 'none'",
].join('; ');
const HEADERS = {
  'Content-Security-Policy': CONTENT_SECURITY_POLICY,
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  Vary: 'Accept-Encoding',
};
/** The name of a file with a hash of its content never gets other content. */
const FOR_EVER = 'public, max-age=31536000, immutable';

/** The files of the page, by name. */
type Files = ReadonlyMap<string, { readonly content: Buffer; readonly etag: string }>;

const CODINGS = [
  { name: 'br', extension: 'br' },
  { name: 'gzip', extension: 'gz' },
];

const NOT_FOUND = httpError(404, 'no-such-file', 'The page has no such file. The page itself is at /api/ui/.');
const NOT_BUILT = httpError(404, 'page-not-built', 'The page is not built. `npm run build` builds it.');

/**
 * Registers `ui`: the page, without a key, because its files hold no data. `folder`: the output of the build, whose files are
 * read once, at the first request.
 */
export function registerUi(functions: FunctionApp, folder: URL): void {
  let files: Files | undefined;
  functions.http('ui', {
    methods: ['GET', 'HEAD'],
    route: 'ui/{*path}',
    authLevel: 'anonymous',
    handler(request) {
      files ??= readFiles(folder);
      return answer(request, files);
    },
  });
}

function answer({ params, headers }: Pick<HttpRequest, 'params' | 'headers'>, files: Files): HttpResponseInit {
  const name = params.path || INDEX;
  const file = files.get(name);
  const type = TYPES[name.split('.').at(-1) ?? ''];
  if (!file || !type) return files.size === 0 ? NOT_BUILT : NOT_FOUND;
  const { content, etag } = file;
  const cached = { ...HEADERS, ETag: etag, 'Cache-Control': name === INDEX ? 'no-cache' : FOR_EVER };
  if (headers.get('if-none-match')?.includes(etag)) return { status: 304, headers: cached };
  const coding = codingFor(headers.get('accept-encoding') ?? '', name, files);
  return {
    body: (coding && files.get(`${name}.${coding.extension}`)?.content) ?? content,
    headers: { ...cached, 'Content-Type': type, ...(coding && { 'Content-Encoding': coding.name }) },
  };
}

/** Returns a coding that the caller accepts and in which the build has compressed the file. */
function codingFor(accepted: string, name: string, files: Files) {
  const isAccepted = (coding: string) => new RegExp(`\\b${coding}\\b(?!\\s*;\\s*q=0(\\.0*)?\\s*(,|$))`).test(accepted);
  return CODINGS.find((one) => isAccepted(one.name) && files.has(`${name}.${one.extension}`));
}

function readFiles(folder: URL): Files {
  try {
    return new Map(readdirSync(folder).map((name) => [name, fileOf(readFileSync(new URL(name, folder)))]));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return new Map();
    throw error;
  }
}

function fileOf(content: Buffer): { content: Buffer; etag: string } {
  return { content, etag: `"${digest(content.toString('latin1'))}"` };
}
