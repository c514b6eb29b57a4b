import type { Context, HealthEvent } from '../../src/workflow.js';
import { defineWorkflow, fhir, type Workflow, type WorkflowOptions } from '../../src/workflow.js';
import { addressOfRaw, createAccount, rawEvent, startApp } from './memory-app.js';

type Call = {
  readonly event: HealthEvent;
  readonly context: Context;
  /** Ends the handler. */
  release(): void;
  /** Makes the handler throw. */
  fail(error: unknown): void;
};

/** A workflow whose handlers stay open until the test ends them. They do not listen to their signal. */
export function holdWorkflow(options: Partial<Omit<WorkflowOptions<HealthEvent>, 'handle'>> = {}): {
  workflow: Workflow;
  /** Handlers that were started, in order. */
  calls: Call[];
  /** The handler with this number, from 0, as soon as it has started. */
  started(number: number): Promise<Call>;
} {
  const calls: Call[] = [];
  const starts: PromiseWithResolvers<Call>[] = [];
  const startOf = (number: number) => {
    starts[number] ??= Promise.withResolvers<Call>();
    return starts[number];
  };
  const workflow = defineWorkflow({
    name: 'held',
    on: fhir('*'),
    ...options,
    handle(event: HealthEvent, context: Context) {
      return new Promise<void>((release, fail) => {
        const call = { event, context, release, fail };
        calls.push(call);
        startOf(calls.length - 1).resolve(call);
      });
    },
  });
  return { workflow, calls, started: (number) => startOf(number).promise };
}

/** A workflow whose handler calls `behave` with the number of the run. It declares the code `bad-code`. */
export function countingWorkflow(
  behave: (run: number, context: Context, event: HealthEvent) => void | Promise<void> = () => {},
  options: Partial<Omit<WorkflowOptions<HealthEvent>, 'handle'>> = {},
): { workflow: Workflow; readonly runs: number } {
  let runs = 0;
  const workflow = defineWorkflow({
    name: 'counting',
    codes: ['bad-code'],
    on: fhir('*'),
    ...options,
    handle(event: HealthEvent, context: Context) {
      runs += 1;
      return behave(runs, context, event);
    },
  });
  return {
    workflow,
    get runs() {
      return runs;
    },
  };
}

/** Starts a process over its own account. */
export function startWith(...workflows: Workflow[]) {
  const account = createAccount();
  return { account, app: startApp(account, { workflows }) };
}

/** Starts a process with a held workflow. Returns also the address and the record of the job of `rawEvent()`. */
export function startHeld(options?: Parameters<typeof holdWorkflow>[0]) {
  const held = holdWorkflow(options);
  return { held, ...held, ...startWithJobOf(held.workflow) };
}

export function startCounting(...all: Parameters<typeof countingWorkflow>) {
  const counting = countingWorkflow(...all);
  return { counting, workflow: counting.workflow, ...startWithJobOf(counting.workflow) };
}

function startWithJobOf(workflow: Workflow) {
  const { account, app } = startWith(workflow);
  const address = addressOfRaw(rawEvent(), workflow);
  return { account, app, address, record: () => account.record(address) };
}
