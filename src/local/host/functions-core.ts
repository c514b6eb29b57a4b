/**
 * Replaces `@azure/functions-core`, the part of the Functions worker where an app registers its functions. The library
 * loads it by name, so it is a module and not a factory, and one process has one app.
 */

type BindingInfo = { readonly type?: string; readonly direction?: string; readonly [option: string]: unknown };
/** A function as the library registers it. One of its bindings is the trigger. */
export type FunctionMetadata = { readonly name: string; readonly bindings: Readonly<Record<string, BindingInfo>> };
export type FunctionCallback = (...args: unknown[]) => unknown;
type HookCallback = (context: Record<string, unknown>) => unknown;
/** The worker's log levels. host.json has the same levels with a capital letter. */
export type CoreLogLevel = 'trace' | 'debug' | 'information' | 'warning' | 'error' | 'critical' | 'none';
type CoreLog = (level: CoreLogLevel, category: string, message: string) => void;

/** The worker's typed value. A function gets `int` unchanged; the library decodes the others. */
export type TypedData = { string?: string; bytes?: Uint8Array; int?: unknown; http?: HttpData };
export type Nullable = { value: string };
/** A request or an answer in the worker's form. Only an answer has `statusCode`. */
export type HttpData = {
  url?: string;
  method?: string;
  headers?: Record<string, string>;
  nullableParams?: Record<string, Nullable>;
  nullableQuery?: Record<string, Nullable>;
  statusCode?: string;
  body?: TypedData | null;
};

/** The library's part of one invocation: decode the arguments, call the handler, encode the answer. */
type InvocationModel = {
  getArguments(): Promise<{ context: unknown; inputs: unknown[] }>;
  invokeFunction(context: unknown, inputs: unknown[], handler: FunctionCallback): Promise<unknown>;
  getResponse(context: unknown, result: unknown): Promise<{ returnValue?: TypedData | null }>;
};
type InvocationRequest = {
  readonly inputData: readonly { name: string; data: TypedData }[];
  readonly triggerMetadata: Readonly<Record<string, TypedData>>;
  readonly traceContext: { readonly traceParent: string };
};
export type CoreInvocationContext = {
  readonly invocationId: string;
  readonly metadata: FunctionMetadata;
  readonly request: InvocationRequest;
  state: 'preInvocationHooks' | 'invocation' | 'postInvocationHooks';
  readonly log: CoreLog;
};
type ProgrammingModel = {
  getInvocationModel(context: CoreInvocationContext): InvocationModel;
  getCapabilities(capabilities: Record<string, string>): Promise<Record<string, string>>;
};

const HOOK_NAMES = ['appStart', 'appTerminate', 'preInvocation', 'postInvocation', 'log'] as const;
type HookName = (typeof HOOK_NAMES)[number];

/** The functions and hooks that the app has registered so far. */
export const registered = {
  functions: new Map<string, { metadata: FunctionMetadata; callback: FunctionCallback }>(),
  hooks: Object.fromEntries(HOOK_NAMES.map((name) => [name, []])) as unknown as Record<HookName, HookCallback[]>,
  model: undefined as ProgrammingModel | undefined,
  isStarted: false,
  log: (() => {}) as CoreLog,
};

/** The version of the Node worker that this host imitates. */
export const version = '3.9.0';
/** The version of the real Functions host that this host imitates. */
export const hostVersion = '4.1037.0';

/** Undoes a registration: `dispose` removes the function or the hook. */
export class Disposable {
  readonly #onDispose: () => unknown;
  constructor(onDispose: () => unknown) {
    this.#onDispose = onDispose;
  }
  dispose(): unknown {
    return this.#onDispose();
  }
}

/** Adds a function of the app. Throws if its name is taken, or if the app has started. */
export function registerFunction(metadata: FunctionMetadata, callback: FunctionCallback): Disposable {
  const { name } = metadata;
  if (registered.isStarted) throw new Error(`Function '${name}' is registered too late: the app has started.`);
  if (registered.functions.has(name)) throw new Error(`There are two functions with the name '${name}'.`);
  registered.functions.set(name, { metadata, callback });
  return new Disposable(() => registered.functions.delete(name));
}

/** Adds a hook. Hooks of one name run in the order in which they were added. @throws RangeError for a wrong name */
export function registerHook(name: string, callback: HookCallback): Disposable {
  if (!isHookName(name)) throw new RangeError(`There is no hook '${name}', only ${HOOK_NAMES.join(', ')}.`);
  const hooks = registered.hooks[name];
  hooks.push(callback);
  return new Disposable(() => hooks.splice(hooks.indexOf(callback), 1));
}

export function setProgrammingModel(model: ProgrammingModel): void {
  registered.model = model;
}

/** Returns the library's model; undefined until the library has set it. */
export function getProgrammingModel(): ProgrammingModel | undefined {
  return registered.model;
}

/** Logs for the app and the library; does nothing before a host has started. */
export function log(level: CoreLogLevel, category: string, message: string): void {
  registered.log(level, category, message);
}

function isHookName(name: string): name is HookName {
  return (HOOK_NAMES as readonly string[]).includes(name);
}
