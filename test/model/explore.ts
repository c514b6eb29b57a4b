/**
 * A protocol as a model: its states, and the steps that may come next, of which each may be the one that does. States
 * are plain values with the same properties in the same order, so that equal states have equal JSON.
 */
export type Model<State> = {
  readonly start: State;
  next(state: State): Iterable<Step<State>>;
  /** Returns the rule that a step into `state` breaks, or undefined. */
  wrong(state: State, before: State): string | undefined;
  /** Returns the fault of a state from which no step leads on, or undefined. */
  wrongAtRest?(state: State): string | undefined;
};

export type Step<State> = readonly [text: string, to: State];

export type Explored = {
  states: number;
  /** The shortest trace to a violation: the broken rule, and the steps that lead there. */
  violation: { wrong: string; trace: string[] } | undefined;
};

type Seen<State> = { state: State; text: string; from: Seen<State> | undefined };

/** Visits every state that can be reached, breadth first, until one breaks the contract. */
export function explore<State>(model: Model<State>): Explored {
  const keys = new Set([JSON.stringify(model.start)]);
  let layer: Seen<State>[] = [{ state: model.start, text: '', from: undefined }];
  while (layer.length > 0) {
    const following: Seen<State>[] = [];
    for (const seen of layer) {
      let isAtRest = true;
      for (const [text, state] of model.next(seen.state)) {
        isAtRest = false;
        const reached = { state, text, from: seen };
        const wrong = model.wrong(state, seen.state);
        if (wrong !== undefined) return { states: keys.size, violation: { wrong, trace: traceOf(reached) } };
        const key = JSON.stringify(state);
        if (keys.has(key)) continue;
        keys.add(key);
        following.push(reached);
      }
      const wrong = isAtRest ? model.wrongAtRest?.(seen.state) : undefined;
      if (wrong !== undefined) return { states: keys.size, violation: { wrong, trace: traceOf(seen) } };
    }
    layer = following;
  }
  return { states: keys.size, violation: undefined };
}

function traceOf<State>(last: Seen<State>): string[] {
  const trace: string[] = [];
  for (let seen: Seen<State> | undefined = last; seen?.from; seen = seen.from) trace.unshift(seen.text);
  return trace;
}

/** Returns how far a model is explored. The environment may ask for more than a test has time for. */
export function bound(name: string, otherwise: number): number {
  return Number(process.env[name] ?? otherwise);
}

/** The tests that every model has: with all its rules nothing breaks, and without any one of them something does. */
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
