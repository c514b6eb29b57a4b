const REFERENCE =
  /^(?:https:\/\/(?<host>[^/]+)\/)?Patient\/(?<id>[A-Za-z0-9.-]{1,64})(?:\/_history\/[A-Za-z0-9.-]{1,64})?$/;

/**
 * Returns the id of the patient that `reference`, in a resource of `host`, points to: relative, or absolute to the same
 * service.
 */
export function patientIn(reference: string, host: string): string | undefined {
  const { host: named = host, id } = REFERENCE.exec(reference)?.groups ?? {};
  return named.toLowerCase() === host.toLowerCase() ? id : undefined;
}
