/**
 * A read failed; a handler that throws it is tried again. `code` goes into logs (`fhir-forbidden`, `dicom-timeout`, …),
 * the message into the dead letter. There is no cause, because errors of HTTP clients hold URLs, headers and bodies.
 */
export class ReadError extends Error {
  override name = 'ReadError';
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

export type ServiceKind = 'fhir' | 'dicom';

/** The names of the services in messages. */
export const SERVICE_NAMES: Readonly<Record<ServiceKind, string>> = { fhir: 'FHIR', dicom: 'DICOM' };

/** Returns a ReadError whose message is `The FHIR service <what>` or `The DICOM service <what>`. */
export function readError(kind: ServiceKind, code: string, what: string): ReadError {
  return new ReadError(`${kind}-${code}`, `The ${SERVICE_NAMES[kind]} service ${what}`);
}
