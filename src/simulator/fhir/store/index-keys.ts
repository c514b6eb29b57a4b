import { isObject } from '../content/json.js';
import type { FhirResource } from '../content/resource-rules.js';

/** The version and the fragment of a canonical URL, `|1#part`. A search finds the URL alone, as in the real service. */
const CANONICAL_PARTS = /(\|[\w\-._:]+)?(#[\w\-._:]+)?$/;

/** The elements that the parameters `subject` and `patient` search, beside elements of these names. */
const SUBJECT_PATHS: Readonly<Record<string, readonly string[]>> = {
  Appointment: ['participant.actor'],
  AppointmentResponse: ['actor'],
  AuditEvent: ['agent.who', 'entity.what'],
  Coverage: ['beneficiary'],
  EnrollmentRequest: ['candidate'],
  Person: ['link.target'],
  Provenance: ['target'],
  ResearchSubject: ['individual'],
  SupplyRequest: ['deliverTo'],
  Task: ['for'],
};

/**
 * Returns the keys under which the index finds a resource. A token has keys for system and value, for the value alone
 * and for the system alone; a reference has its text without a version.
 */
export function keysOf(resource: FhirResource): readonly string[] {
  const { resourceType, meta } = resource;
  const { tag, profile } = isObject(meta) ? meta : {};
  const identifiers = [...listOf(resource.identifier), ...listOf(resource.masterIdentifier)];
  const keys = [
    ...identifiers.flatMap((identifier) => keysOfToken('identifier', identifier, 'value')),
    ...listOf(tag).flatMap((coding) => keysOfToken('_tag', coding, 'code')),
    ...listOf(profile).flatMap((url) =>
      typeof url === 'string' ? [uriKey('_profile', url.replace(CANONICAL_PARTS, ''))] : [],
    ),
    ...['subject', 'patient', ...(SUBJECT_PATHS[resourceType] ?? [])].flatMap((path) =>
      valuesAt(resource, path.split('.')).flatMap((found) =>
        isObject(found) && typeof found.reference === 'string' ? [referenceKey(found.reference)] : [],
      ),
    ),
  ];
  return [...new Set(keys)];
}

export function uriKey(parameter: string, uri: string): string {
  return `${parameter}\n${uri}`;
}

/** Returns the key by which the index finds a token: by value, by system, or by both. */
export function tokenKey(parameter: string, token: { readonly system?: string; readonly value?: string }): string {
  const { system, value } = token;
  if (system === undefined) return `${parameter}\nvalue\n${value}`;
  return value === undefined ? `${parameter}\nsystem\n${system}` : `${parameter}\nboth\n${system}\n${value}`;
}

/** Returns the key by which the index finds a reference. The version in a reference does not count. */
export function referenceKey(reference: string): string {
  return `reference\n${reference.replace(/\/_history\/[^/]+$/, '')}`;
}

function keysOfToken(parameter: string, found: unknown, valueName: string): string[] {
  if (!isObject(found)) return [];
  const system = typeof found.system === 'string' ? found.system : '';
  const value = found[valueName];
  return [
    ...(typeof value === 'string' ? [tokenKey(parameter, { value }), tokenKey(parameter, { system, value })] : []),
    ...(system === '' ? [] : [tokenKey(parameter, { system })]),
  ];
}

function valuesAt(value: unknown, path: readonly string[]): unknown[] {
  const [name, ...rest] = path;
  if (name === undefined) return listOf(value);
  return listOf(value).flatMap((parent) => (isObject(parent) ? valuesAt(parent[name], rest) : []));
}

/** Returns a list: FHIR allows one value or a list. */
function listOf(value: unknown): unknown[] {
  if (value === undefined || value === null) return [];
  return Array.isArray(value) ? value : [value];
}
