import { readFileSync, writeFileSync } from 'node:fs';
import { openApiOf } from '../../src/api/openapi.js';
import { ROUTES } from '../../src/api/routes.js';
import { httpApiPage, leftOut } from './http-api-page.js';

const PAGE = 'docs/http-api.md';
const REQUESTS = 'docs/http-api.http';

// UPDATE_DOCS=1 npm test -- test/docs/http-api writes the page anew.

describe('the page of the HTTP API', () => {
  it('is what the schemas say', () => {
    if (process.env.UPDATE_DOCS) writeFileSync(PAGE, httpApiPage());

    expect(readFileSync(PAGE, 'utf8')).toBe(httpApiPage());
    expect(leftOut()).toEqual([]);
  });

  it('has a request of each route in the file for REST clients', () => {
    const text = readFileSync(REQUESTS, 'utf8');

    const missing = Object.values(ROUTES).filter(
      ({ method, route }) =>
        !new RegExp(`^${method} \\{\\{app\\}\\}/api/${route.replaceAll(/\{\w+\??\}/g, '[^/\\s]+')}(\\?|$)`, 'm').test(
          text,
        ),
    );

    expect(missing.map(({ route }) => route)).toEqual([]);
  });
});

describe('the OpenAPI document', () => {
  const document = openApiOf(ROUTES) as { paths: Record<string, Record<string, { operationId: string }>> };
  const operations = Object.values(document.paths).flatMap((path) => Object.values(path));

  it('has each function once, by its name', () => {
    expect(operations.map(({ operationId }) => operationId).sort()).toEqual(Object.keys(ROUTES).sort());
  });

  it('declares the parameters of each path', () => {
    for (const [path, methods] of Object.entries(document.paths)) {
      const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      for (const operation of Object.values(methods)) {
        const { parameters = [] } = operation as { parameters?: { name: string; in: string }[] };
        expect(parameters.filter((one) => one.in === 'path').map(({ name }) => name)).toEqual(names);
      }
    }
  });

  it('holds nothing that JSON cannot', () => {
    expect(JSON.parse(JSON.stringify(document))).toEqual(document);
  });
});
