import { mediaTypeOf } from '../../media-type.js';
import type { SimulatorRequest } from '../http.js';
import { fhirPathPatchIsNotSupported, segmentsOf } from './bundle/bundle-entry.js';
import type { Call, CallBody, Prefer } from './call.js';
import { isObject, parseBody } from './content/json.js';
import { invalid, refuse } from './content/outcome.js';
import { readResource } from './content/resource-rules.js';

/** The limit of the real service's web server. */
const MAX_BYTES = 30_000_000;
const JSON_TYPES = ['application/fhir+json', 'application/json', 'text/json'];
/** The formats that a client may ask for; the last is an old name. */
const ANSWER_TYPES = [...JSON_TYPES, 'application/json+fhir'];
const PATCH_TYPE = 'application/json-patch+json';
const FORM_TYPE = 'application/x-www-form-urlencoded';
const RETURNS = ['minimal', 'representation', 'OperationOutcome'];
const HANDLINGS = ['strict', 'lenient'];

/** Returns the call of a request. Throws a FhirError for a request that is too large or asks for another format. */
export function callOfRequest(request: SimulatorRequest): Call {
  const { method, path, query, headers, body, base } = request;
  if (body.byteLength > MAX_BYTES) {
    throw refuse(413, 'too-long', `The body has ${body.byteLength} bytes; the most is ${MAX_BYTES}.`);
  }
  const prefer = readPrefer(headers.get('prefer'));
  checkFormat(query.get('_format'), headers.get('accept') ?? '');
  const header = (name: string) => headers.get(name);
  const segments = segmentsOf(path);
  return { method: method.toUpperCase(), segments, query, header, prefer, base, body: bodyOf(request) };
}

/** Throws a FhirError for an unknown preference. */
function readPrefer(header: string | null): Prefer {
  const given = (header ?? '')
    .split(/[,;]/)
    .map((one) => one.split('=', 2).map((part) => part.trim().replaceAll('"', '')));
  const returns = preferenceFor(given, 'return', RETURNS) ?? 'representation';
  return { returns: returns as Prefer['returns'], isStrict: preferenceFor(given, 'handling', HANDLINGS) === 'strict' };
}

function preferenceFor(given: readonly string[][], name: string, values: readonly string[]): string | undefined {
  const preference = given.find(([found]) => found?.toLowerCase() === name);
  if (!preference) return undefined;
  const value = preference[1] ?? '';
  if (values.some((one) => one.toLowerCase() === value.toLowerCase())) return value.toLowerCase();
  throw invalid(`The '${name}' value '${value}' of Prefer is not one of ${values.join(', ')}.`);
}

function checkFormat(format: string | null, accept: string): void {
  if (format !== null && format !== '') {
    // A plus that was not encoded arrives as a space.
    if (['json', ...ANSWER_TYPES].includes(mediaTypeOf(format).replace(' ', '+'))) return;
    throw refuse(406, 'not-supported', 'The requested "_format" parameter is not supported. Use json.');
  }
  const accepted = accept.split(',').map(mediaTypeOf).filter(Boolean);
  const fitting = [...ANSWER_TYPES, '*/*', 'application/*', 'text/*'];
  if (accepted.length > 0 && !accepted.some((one) => fitting.includes(one))) {
    throw refuse(406, 'not-supported', `Accept '${accept}' is not supported. Use application/fhir+json.`);
  }
}

/** Returns the body of an HTTP request. Its content-type decides what the body may be. */
function bodyOf({ headers, body }: SimulatorRequest): CallBody {
  const type = mediaTypeOf(headers.get('content-type'));

  return {
    resource() {
      checkType(JSON_TYPES);
      return readResource(parseBody(body));
    },
    bundle() {
      checkType(JSON_TYPES);
      const bundle = parseBody(body);
      if (isObject(bundle) && bundle.resourceType === 'Bundle') return bundle;
      throw invalid('Only a bundle can be submitted for batch or transaction processing.');
    },
    jsonPatch() {
      if (JSON_TYPES.includes(type)) throw fhirPathPatchIsNotSupported();
      checkType([PATCH_TYPE]);
      return parseBody(body);
    },
    form() {
      if (body.byteLength > 0) checkType([FORM_TYPE]);
      return new URLSearchParams(new TextDecoder().decode(body));
    },
  };

  function checkType(types: readonly string[]): void {
    if (types.includes(type)) return;
    const found = type === '' ? 'is absent' : `'${type}' is not supported`;
    throw refuse(415, 'not-supported', `The "content-type" header ${found}. Use ${types[0]}.`);
  }
}
