export type Problem = { path: string; message: string };

/**
 * Reads a JSON object property by property. What is wrong is added to the problems, with its path, and something of the
 * right type is returned in its place, so that one reading tells all there is to tell. null counts as absent.
 */
export type Reader = {
  readonly isAbsent: boolean;
  has(name: string): boolean;
  /** A reader of what is absent where there is no such object. */
  object(name: string): Reader;
  objects(name: string, max: number): readonly Reader[];
  text(name: string, options?: { or?: string; maxLength?: number }): string;
  texts(name: string): readonly string[] | undefined;
  boolean(name: string, or?: boolean): boolean;
  number(name: string): number;
  integer(name: string, options: { from: number; to: number; or: number }): number;
  date(name: string): Date | null;
  /** One of the words, found without regard to case; undefined where it is none of them, which is a problem. */
  oneOf<W extends string>(name: string, words: readonly W[]): W | undefined;
  /** Each element of a list that may not be empty, or a problem. */
  list<T>(name: string, what: string, is: (value: unknown) => value is T): readonly T[];
  wrong(name: string, message: string): void;
};

export function readerOf(value: unknown, problems: Problem[], at = ''): Reader {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  if (!isObject && (at === '' || !isNothing(value))) problems.push({ path: at, message: expected('an object', value) });
  const fields = (isObject ? value : {}) as Readonly<Record<string, unknown>>;
  const pathOf = (name: string) => (at === '' ? name : `${at}.${name}`);
  const found = (name: string) => fields[name];

  const reader: Reader = {
    isAbsent: isNothing(value),
    has: (name) => !isNothing(found(name)),
    object: (name) => readerOf(found(name), problems, pathOf(name)),

    objects(name, max) {
      const list = found(name) ?? [];
      if (!Array.isArray(list)) return refuse(name, 'a list', []);
      if (list.length > max) reader.wrong(name, `expected at most ${max}, found ${list.length}`);
      return list.map((item, n) => {
        if (isNothing(item)) reader.wrong(`${name}[${n}]`, expected('an object', item));
        return readerOf(item, problems, `${pathOf(name)}[${n}]`);
      });
    },

    text(name, { or, maxLength = 2048 } = {}) {
      const text = found(name) ?? or;
      if (typeof text !== 'string' || (text === '' && or === undefined)) return refuse(name, 'a text', '');
      if (text.length > maxLength) reader.wrong(name, `expected at most ${maxLength} characters, found ${text.length}`);
      return text;
    },

    texts(name) {
      const texts = found(name);
      if (isNothing(texts)) return undefined;
      return Array.isArray(texts) && texts.every((text) => typeof text === 'string')
        ? texts
        : refuse(name, 'a list of texts', []);
    },

    boolean(name, or) {
      const value = found(name) ?? or;
      return typeof value === 'boolean' ? value : refuse(name, 'true or false', false);
    },

    number(name) {
      const value = found(name);
      return typeof value === 'number' ? value : refuse(name, 'a number', 0);
    },

    integer(name, { from, to, or }) {
      const value = found(name) ?? or;
      const isRight = typeof value === 'number' && Number.isInteger(value) && value >= from && value <= to;
      return isRight ? value : refuse(name, `a whole number from ${from} to ${to}`, or);
    },

    date(name) {
      const value = found(name);
      if (isNothing(value)) return null;
      const date = new Date(typeof value === 'string' ? value : Number.NaN);
      return Number.isNaN(date.getTime()) ? refuse(name, 'a date and time such as 2030-01-31T12:00:00Z', null) : date;
    },

    oneOf(name, words) {
      const value = found(name);
      const word = words.find((each) => typeof value === 'string' && each.toLowerCase() === value.toLowerCase());
      return word ?? refuse(name, words.join(' or '), undefined);
    },

    list(name, what, is) {
      const list = found(name);
      if (!Array.isArray(list) || list.length === 0) return refuse(name, `a list of ${what}`, []);
      for (const [n, item] of list.entries()) {
        if (!is(item)) reader.wrong(`${name}[${n}]`, expected(what, item));
      }
      return list.filter(is);
    },

    wrong: (name, message) => void problems.push({ path: pathOf(name), message }),
  };
  return reader;

  function refuse<T>(name: string, what: string, instead: T): T {
    reader.wrong(name, expected(what, found(name)));
    return instead;
  }
}

function expected(what: string, value: unknown): string {
  const text = value === undefined ? 'nothing' : JSON.stringify(value);
  return `expected ${what}, found ${text.length > 100 ? `${text.slice(0, 100)}…` : text}`;
}

function isNothing(value: unknown): boolean {
  return value === undefined || value === null;
}
