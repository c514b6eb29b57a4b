/**
 * The model of a protocol: its states, and the steps that are possible in each state. States are plain values with the
 * same properties in the same order, so that equal states have equal JSON.
 */
export type Model<State> = {
  readonly start: State;
  nextSteps(state: State): Iterable<Step<State>>;
  /** Returns what a step from `before` into `state` breaks, or undefined. */
  fault(state: State, before: State): string | undefined;
  /** Returns the fault of a state from which no step leads on, or undefined. */
  faultAtRest?(state: State): string | undefined;
};

export type Step<State> = readonly [text: string, to: State];

export type Explored = {
  states: number;
  /** The first fault, and the shortest sequence of steps that leads there. */
  violation: { fault: string; trace: string[] } | undefined;
};

type Seen<State> = { state: State; text: string; from: Seen<State> | undefined };

/** Visits every state that can be reached, breadth first, until one has a fault. */
export function explore<State>(model: Model<State>): Explored {
  const keys = new Set([JSON.stringify(model.start)]);
  let layer: Seen<State>[] = [{ state: model.start, text: '', from: undefined }];
  while (layer.length > 0) {
    const nextLayer: Seen<State>[] = [];
    for (const seen of layer) {
      let isAtRest = true;
      for (const [text, state] of model.nextSteps(seen.state)) {
        isAtRest = false;
        const reached = { state, text, from: seen };
        const fault = model.fault(state, seen.state);
        if (fault !== undefined) return { states: keys.size, violation: { fault, trace: traceOf(reached) } };
        const key = JSON.stringify(state);
        if (keys.has(key)) continue;
        keys.add(key);
        nextLayer.push(reached);
      }
      const fault = isAtRest ? model.faultAtRest?.(seen.state) : undefined;
      if (fault !== undefined) return { states: keys.size, violation: { fault, trace: traceOf(seen) } };
    }
    layer = nextLayer;
  }
  return { states: keys.size, violation: undefined };
}

function traceOf<State>(last: Seen<State>): string[] {
  const trace: string[] = [];
  for (let seen: Seen<State> | undefined = last; seen?.from; seen = seen.from) trace.unshift(seen.text);
  return trace;
}

/** Returns a bound of the exploration: the environment variable `name`, or what a test has time for. */
export function bound(name: string, inTests: number): number {
  return Number(process.env[name] ?? inTests);
}

/** Tests a model: with all rules no state has a fault; without any one rule, a state has one. */
export function testModel<Rule extends string>(
  name: string,
  rules: Readonly<Record<Rule, string>>,
  make: (broken?: Rule) => Model<unknown>,
): void {
  it('given every rule, then nothing breaks the contract', () => {
    const { states, violation } = explore(make());

    process.stderr.write(`${name}: ${states.toLocaleString('en')} states\n`);
    expect(violation).toBeUndefined();
  });

  it.each(Object.entries(rules) as [Rule, string][])('given no rule %s (%s), then something breaks', (rule) => {
    expect(explore(make(rule)).violation).toBeDefined();
  });
}
