// The codes and names that may leave the process. A workflow can put anything into `error.code`, `error.name` and the
// code of a log line, a patient's name too. So each is looked up in a list: those of the app, and those that the
// workflow declares in `codes`. Nothing else passes, whatever it looks like.

/** Replaces a code that is in no list. */
const UNDECLARED_CODE = 'undeclared-code';

const words = (text: string): string[] => text.trim().split(/\s+/);

const PIPELINE = words(`
  circuit-open crash hung invalid lease-lost non-retriable paused reserved-property reserved-table resource-busy resource-lost
  retry-after thrown-value timeout unknown-workflow`);

const STORAGE = words(`
  aborted appstate-busy bad-answer busy contention credential forbidden garbled late ledger-busy no-table table-busy timeout
  unexpected unreachable waiting-busy`);

const READERS = [
  ...words(
    'frame-number host-not-listed id-not-addressable operation-name read-aborted since-before-upgrade since-forgotten',
  ),
  ...words('workspace-unknown'),
  ...words(`
    aborted endless forbidden foreign-link hosts-absent no-batch-response no-list no-token not-found not-json not-multipart other-resource
    out-of-order redirected server-error throttled timeout too-large unauthorized unavailable unreachable`).flatMap(
    (code) => [`fhir-${code}`, `dicom-${code}`],
  ),
];

/** The codes of Node's errors, for workflows that send requests to other services. */
const NETWORK = words(`
  EAI_AGAIN ECONNABORTED ECONNREFUSED ECONNRESET EHOSTUNREACH ENETUNREACH ENOTFOUND EPIPE ETIMEDOUT`);

const APP_CODES: ReadonlySet<string> = new Set([...PIPELINE, ...STORAGE, ...READERS, ...NETWORK]);
/** A status of HTTP, as storage and the readers answer with it. */
const STATUS = /^((fhir|dicom)-)?http-[1-5]\d\d$/;

const NAMES: ReadonlySet<string> = new Set(
  words(`
    AbortError AggregateError ConfigError Error EvalError InvalidEventError LeaseLostError NonRetriableError NotSafeError
    RangeError ReadError ReferenceError RetryAfterError StorageError SyntaxError TimeoutError TypeError URIError
    WorkflowError ZodError`),
);

/** Returns `code` if it is one of the app's or one of `declared`; else `undeclared-code`. */
export function knownCode(code: string, declared: readonly string[]): string {
  if (typeof code !== 'string') return UNDECLARED_CODE; // plain JavaScript can pass an object that looks like a status
  return declared.includes(code) || APP_CODES.has(code) || STATUS.test(code) ? code : UNDECLARED_CODE;
}

/** Returns the name of an error's class if it is one of the language or of the app; else `Error`. */
export function knownName(name: unknown): string {
  return typeof name === 'string' && NAMES.has(name) ? name : 'Error';
}
