import * as z from 'zod';
import { errorAnswer } from './common.js';
import type { Level, Route } from './route.js';

type Json = Readonly<Record<string, unknown>>;

const PARAMETER = /\{(\w+)\??\}/g;
const KEY_ERRORS: Readonly<Record<Exclude<Level, 'anonymous'>, string>> = {
  function: 'The key or the sign-in is missing or wrong.',
  admin: 'The key is missing, wrong, or not `_master`; or the sign-in is missing or wrong.',
};
const BODY_ERRORS = {
  400: 'The request is wrong: `problems` says where, and what is allowed.',
  413: 'The body is too large.',
  415: 'The content-type is not JSON.',
} as const;
const SECURITY = {
  key: { type: 'apiKey', in: 'header', name: 'x-functions-key', description: 'A key of the function app.' },
  masterKey: { type: 'apiKey', in: 'header', name: 'x-functions-key', description: 'The key `_master`.' },
  signIn: {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'JWT',
    description:
      'A token of Entra ID for the app, where sign-in is on. Each operation names the app role that it needs. With ' +
      'REQUIRE_SIGN_IN, keys are off.',
  },
};

/** Returns the OpenAPI 3.1 document of functions by their names. */
export function openApiOf(routes: Readonly<Record<string, Route>>): Json {
  const paths: Record<string, Record<string, Json>> = {};
  for (const [name, route] of Object.entries(routes)) {
    const path = `/api/${route.route.replaceAll('?}', '}')}`;
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operationOf(name, route) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'ahds-events',
      version: '1',
      description:
        'What the app has done with events, its dead letters, workflows, lookups and reconciliation. Ids of resources and other clinical data are only in bodies, never in URLs.',
    },
    servers: [{ url: '/' }],
    paths,
    components: { securitySchemes: SECURITY },
  };
}

function operationOf(name: string, route: Route): Json {
  const { summary, body } = route;
  return {
    operationId: name,
    summary,
    ...securityOf(route),
    ...withParameters(route),
    ...(body && { requestBody: { required: true, content: jsonOf(body, 'input') } }),
    responses: responsesOf(route),
  };
}

/** Returns the security: a key, or a sign-in with its role in the scheme's list, as in OpenAPI 3.1. */
function securityOf({ authLevel, role }: Route): Json {
  if (authLevel === 'anonymous') return {};
  const roles = role === 'anybody' || role === 'signed-in' ? [] : [role];
  return { security: [{ [authLevel === 'admin' ? 'masterKey' : 'key']: [] }, { signIn: roles }] };
}

function withParameters({ route, query }: Route): Json {
  const inPath = [...route.matchAll(PARAMETER)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }));
  const { properties = {}, required = [] } = query ? (schemaOf(query, 'input') as ObjectSchema) : {};
  const inQuery = Object.entries(properties).map(([name, schema]) => ({
    name,
    in: 'query',
    required: required.includes(name),
    schema,
  }));
  const parameters = [...inPath, ...inQuery];
  return parameters.length > 0 ? { parameters } : {};
}

type ObjectSchema = { properties?: Json; required?: readonly string[] };

function errorsOf({ authLevel, role, body, query }: Route): Readonly<Record<number, string>> {
  return {
    ...(authLevel !== 'anonymous' && { 401: KEY_ERRORS[authLevel], 503: 'Storage did not answer. Ask again.' }),
    ...(role !== 'anybody' && role !== 'signed-in' && { 403: `The caller has signed in without the role ${role}.` }),
    ...(body ? BODY_ERRORS : query && { 400: BODY_ERRORS[400] }),
  };
}

function responsesOf(route: Route): Json {
  const { answers } = route;
  const errors = errorsOf(route);
  const described = Object.entries(errors).map(([status, description]) => [
    status,
    { description, ...(status !== '401' && { content: jsonOf(errorAnswer, 'output') }) },
  ]);
  const own = Object.entries(answers).map(([status, { description, schema }]) => [
    status,
    { description, ...(schema && { content: jsonOf(schema, 'output') }) },
  ]);
  return Object.fromEntries([...described, ...own]);
}

function jsonOf(schema: z.ZodType, io: 'input' | 'output'): Json {
  return { 'application/json': { schema: schemaOf(schema, io) } };
}

function schemaOf(schema: z.ZodType, io: 'input' | 'output'): Json {
  const { $schema: _, ...json } = z.toJSONSchema(schema, { io, unrepresentable: 'any' });
  return json;
}
