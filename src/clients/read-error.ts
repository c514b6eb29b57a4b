/**
 * What was read could not be had this time; thrown, it is another try. `code` goes into logs (`fhir-forbidden`,
 * `dicom-timeout`, …), the message into the dead letter. It has no cause, for what HTTP clients throw holds URLs,
 * headers and bodies.
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

/** As people call them. */
export const SERVICE_NAMES: Readonly<Record<ServiceKind, string>> = { fhir: 'FHIR', dicom: 'DICOM' };

export function readError(kind: ServiceKind, code: string, what: string): ReadError {
  return new ReadError(`${kind}-${code}`, `The ${SERVICE_NAMES[kind]} service ${what}`);
}
