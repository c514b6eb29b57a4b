import { randomUUID } from 'node:crypto';
import type { Clock } from '../../clock.js';
import type { CoreInvocationContext, TypedData } from './functions-core.js';
import { describeError, type HostLog } from './host-log.js';
import type { App, AppFunction } from './load-app.js';

export type Invoker = ReturnType<typeof createInvoker>;

type Metadata = Readonly<Record<string, TypedData>>;
type Answered = TypedData | null | undefined;
type Deps = { app: App; timeoutMs: number; clock: Clock; log: HostLog };

/** Runs functions like the worker: hooks, the library's decoding, the handler, the library's encoding. */
export function createInvoker({ app, timeoutMs, clock, log }: Deps) {
  const running = new Set<Promise<unknown>>();
  return {
    /** Returns the function's encoded result; rejects where the function threw, or ran longer than functionTimeout. */
    async invoke(target: AppFunction, input: TypedData, triggerMetadata: Metadata = {}): Promise<Answered> {
      const run = withTimeout(runInvocation({ target, input, triggerMetadata }, app, log), timeoutMs, clock);
      running.add(run);
      try {
        return await run;
      } catch (error) {
        const why = error instanceof FunctionTimeoutError ? error.message : describeError(error);
        log('error', `Function '${target.name}' failed: ${why}`);
        throw error;
      } finally {
        running.delete(run);
      }
    },
    /** Resolves when nothing runs. */
    async idle(): Promise<void> {
      while (running.size > 0) await Promise.allSettled(running);
    },
  };
}

type Invocation = { readonly target: AppFunction; readonly input: TypedData; readonly triggerMetadata: Metadata };

async function runInvocation(of: Invocation, app: App, log: HostLog): Promise<Answered> {
  const { target, input, triggerMetadata } = of;
  const core: CoreInvocationContext = {
    invocationId: randomUUID(),
    metadata: target.metadata,
    request: {
      inputData: [{ name: target.trigger.name, data: input }],
      triggerMetadata,
      traceContext: { traceParent: '' }, // as on a host without traces: the app begins its own traces
    },
    state: 'preInvocationHooks',
    log: (level, _category, message) => log(level, message),
  };
  const model = app.model.getInvocationModel(core);
  const { context: invocationContext, inputs } = await model.getArguments();
  const before = { hookData: {}, invocationContext, inputs, functionCallback: target.callback };
  for (const hook of app.hooks.preInvocation) await hook(before);

  core.state = 'invocation';
  const after: { result: unknown; error: unknown; [more: string]: unknown } = {
    hookData: before.hookData,
    invocationContext,
    inputs: before.inputs,
    result: undefined,
    error: undefined,
  };
  try {
    after.result = await model.invokeFunction(invocationContext, before.inputs, before.functionCallback);
  } catch (error) {
    after.error = error ?? new Error('The function threw nothing.');
  }

  core.state = 'postInvocationHooks';
  for (const hook of app.hooks.postInvocation) await hook(after);
  if (after.error) throw after.error;
  return (await model.getResponse(invocationContext, after.result)).returnValue;
}

/**
 * Fails an invocation after functionTimeout, and no longer waits for its work. The real host kills the process 2 s
 * later and starts another; this process also serves the person at the terminal, so it continues.
 */
function withTimeout<T>(run: Promise<T>, timeoutMs: number, clock: Clock): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(timeoutMs, () => reject(new FunctionTimeoutError(timeoutMs)));
    run.then(resolve, reject).finally(cancel);
  });
}

class FunctionTimeoutError extends Error {
  override name = 'FunctionTimeoutError';
  constructor(timeoutMs: number) {
    super(
      `it ran for ${timeoutMs / 1000} s, functionTimeout; Azure would now kill the process with all that runs in it.`,
    );
  }
}
