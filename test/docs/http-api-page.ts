import type { Route } from '../../src/api/route.js';
import { ROUTES } from '../../src/api/routes.js';

const KEYS = { function: 'a key', admin: 'the key `_master`' };
/** The key that the head of the page names for a role. */
const USUAL_KEYS: Readonly<Record<string, string>> = { Reader: 'function', Operator: 'admin' };

const GROUPS: Readonly<Record<string, RegExp>> = {
  'Health, counts': /^(health|stats|openapi|overview|access)/,
  'Events and changes': /^(events|changes|recent|actions)/,
  Workflows: /^workflows/,
  'Dead letters': /^dead-letters/,
  Reconciliation: /^reconcile/,
};

const HEAD = `# Call the HTTP API

At the end, you have called the API with a client of your choice.

This page is made from the schemas in [src/api](../src/api), by which every answer is tested. \`GET /api/openapi.json\` is the same as OpenAPI 3.1, with
the lookups of your workflows. [http-api.http](http-api.http) has a request of each kind for the REST clients of editors.

- **Who**: an app role of a [sign-in](deploy/sign-in.md). Where \`REQUIRE_SIGN_IN\` is off, a function key stands for Reader, the key \`_master\` for every role, unless
  the table names another. \`npm start\` needs neither. Keys go into the header \`x-functions-key\`, tokens into \`Authorization: Bearer\`, never into a URL.
- **POST** needs \`content-type: application/json\`. Ids of resources and other clinical data are only in bodies.
- **Answers**: 200, or 202 if the work continues. 400: the query or body is wrong, and \`problems\` has path, code and message of each. 404: nothing has this id
  or name. 409: no setting names the workspace of the service. 503: storage did not answer, so ask again; \`stats\` and \`overview\` then have what this instance
  knows. 503 of \`health\`: also wrong settings.
- **Errors** are \`{ "error": { "code", "message" } }\`: the code for scripts, the message for people.
- **Lookups** of workflows (\`POST /api/lookups/{name}\`: Clinician, or a key) are in the workflows' READMEs, and the simulator's functions in
  [simulator.md](simulator.md).
`;

/** Returns the text of docs/http-api.md. */
export function httpApiPage(): string {
  const routes = Object.entries(ROUTES as Readonly<Record<string, Route>>);
  const parts = Object.entries(GROUPS).map(([title, pattern]) => {
    const rows = routes.filter(([, { route }]) => pattern.test(route)).map(([, route]) => rowOf(route));
    return `\n## ${title}\n\n| request | who | what it does | query or body |\n|---|---|---|---|\n${rows.join('\n')}\n`;
  });
  return HEAD + parts.join('');
}

/** Returns the names of routes that the page leaves out. */
export function leftOut(): string[] {
  const isThere = ({ route }: Route) => Object.values(GROUPS).some((pattern) => pattern.test(route));
  return Object.entries(ROUTES as Readonly<Record<string, Route>>).flatMap(([name, route]) =>
    isThere(route) ? [] : [name],
  );
}

function rowOf({ method, route, authLevel, role, summary, query, body }: Route): string {
  const key = authLevel === 'anonymous' || USUAL_KEYS[role] === authLevel ? '' : `, or ${KEYS[authLevel]}`;
  const who = `${role === 'signed-in' ? 'any role' : role}${key}`;
  const asked = namesOf(query ?? body).map((name) => `\`${name}\``);
  const address = `\`${method} /api/${route.replaceAll('?}', '}')}\``;
  return `| ${address} | ${who} | ${summary} | ${asked.join(', ')} |`;
}

/** Returns the names of the properties of an object's schema. */
function namesOf(schema: unknown): string[] {
  return Object.keys((schema as { shape?: object } | undefined)?.shape ?? {});
}
