import type { Problem } from '../problems.js';

/**
 * Reads a JSON object property by property. A wrong value becomes a problem with its path, and the reader returns a
 * value of the right type instead, so that one reading finds every problem. null counts as absent.
 */
export class Reader {
  readonly #value: unknown;
  readonly #fields: Readonly<Record<string, unknown>>;
  readonly #problems: Problem[];
  readonly #at: string;

  constructor(value: unknown, problems: Problem[], at = '') {
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    if (!isObject && (at === '' || !isNothing(value)))
      problems.push({ path: at, message: expected('an object', value) });
    this.#value = value;
    this.#fields = (isObject ? value : {}) as Readonly<Record<string, unknown>>;
    this.#problems = problems;
    this.#at = at;
  }

  get isAbsent(): boolean {
    return isNothing(this.#value);
  }

  has(name: string): boolean {
    return !isNothing(this.#fields[name]);
  }

  /** Returns the reader of an object, also where the object is absent. */
  object(name: string): Reader {
    return new Reader(this.#fields[name], this.#problems, this.#pathOf(name));
  }

  objects(name: string, max: number): readonly Reader[] {
    const list = this.#fields[name] ?? [];
    if (!Array.isArray(list)) return this.#refuse(name, 'a list', []);
    if (list.length > max) this.wrong(name, `expected at most ${max}, found ${list.length}`);
    return list.map((item, n) => {
      if (isNothing(item)) this.wrong(`${name}[${n}]`, expected('an object', item));
      return new Reader(item, this.#problems, `${this.#pathOf(name)}[${n}]`);
    });
  }

  text(name: string, { or, maxLength = 2048 }: { or?: string; maxLength?: number } = {}): string {
    const text = this.#fields[name] ?? or;
    if (typeof text !== 'string' || (text === '' && or === undefined)) return this.#refuse(name, 'a text', '');
    if (text.length > maxLength) {
      this.wrong(name, `expected at most ${maxLength} characters, found ${text.length}`);
    }
    return text;
  }

  texts(name: string): readonly string[] | undefined {
    const texts = this.#fields[name];
    if (isNothing(texts)) return undefined;
    return Array.isArray(texts) && texts.every((text) => typeof text === 'string')
      ? texts
      : this.#refuse(name, 'a list of texts', []);
  }

  boolean(name: string, or?: boolean): boolean {
    const value = this.#fields[name] ?? or;
    return typeof value === 'boolean' ? value : this.#refuse(name, 'true or false', false);
  }

  number(name: string): number {
    const value = this.#fields[name];
    return typeof value === 'number' ? value : this.#refuse(name, 'a number', 0);
  }

  integer(name: string, { from, to, or }: { from: number; to: number; or: number }): number {
    const value = this.#fields[name] ?? or;
    const isRight = typeof value === 'number' && Number.isInteger(value) && value >= from && value <= to;
    return isRight ? value : this.#refuse(name, `a whole number from ${from} to ${to}`, or);
  }

  date(name: string): Date | null {
    const value = this.#fields[name];
    if (isNothing(value)) return null;
    const date = new Date(typeof value === 'string' ? value : Number.NaN);
    if (!Number.isNaN(date.getTime())) return date;
    return this.#refuse(name, 'a date and time such as 2030-01-31T12:00:00Z', null);
  }

  /** One of the words, in any case; undefined, and a problem, where the value is none of them. */
  oneOf<W extends string>(name: string, words: readonly W[]): W | undefined {
    const value = this.#fields[name];
    const word = words.find((each) => typeof value === 'string' && each.toLowerCase() === value.toLowerCase());
    return word ?? this.#refuse(name, words.join(' or '), undefined);
  }

  /** The elements of a list of the right type. An empty list and a wrong element are problems. */
  list<T>(name: string, what: string, is: (value: unknown) => value is T): readonly T[] {
    const list = this.#fields[name];
    if (!Array.isArray(list) || list.length === 0) return this.#refuse(name, `a list of ${what}`, []);
    for (const [n, item] of list.entries()) {
      if (!is(item)) this.wrong(`${name}[${n}]`, expected(what, item));
    }
    return list.filter(is);
  }

  wrong(name: string, message: string): void {
    this.#problems.push({ path: this.#pathOf(name), message });
  }

  #refuse<T>(name: string, what: string, instead: T): T {
    this.wrong(name, expected(what, this.#fields[name]));
    return instead;
  }

  #pathOf(name: string): string {
    return this.#at === '' ? name : `${this.#at}.${name}`;
  }
}

function expected(what: string, value: unknown): string {
  const text = value === undefined ? 'nothing' : JSON.stringify(value);
  return `expected ${what}, found ${text.length > 100 ? `${text.slice(0, 100)}…` : text}`;
}

function isNothing(value: unknown): boolean {
  return value === undefined || value === null;
}
