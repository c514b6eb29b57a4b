import fc from 'fast-check';
import { parseEvent } from '../../src/events/parse.js';
import { describeError } from '../../src/handler/describe-error.js';
import { defineWorkflow, fhir, NonRetriableError } from '../../src/workflow.js';
import { rawEvent } from '../pipeline/memory-app.js';

const RAW = { ...rawEvent({ resourceId: 'jane-doe' }), subject: 'https://fhir.example/Patient/jane-doe' };
const workflow = defineWorkflow({ name: 'some', on: fhir('*'), codes: ['bad-code'], handle() {} });
const EVENT = { event: parseEvent(RAW), json: JSON.stringify(RAW), workflow };

function messageOf(message: string, raw: unknown = RAW): string {
  return describeError(new Error(message), { ...EVENT, json: JSON.stringify(raw) }).message;
}

describe('when an error is described', () => {
  it('given its name, its code and a message, then a dead letter gets all of them', () => {
    const error = new NonRetriableError('The code system is not known.', { code: 'bad-code' });

    expect(describeError(error, EVENT)).toEqual({
      name: 'NonRetriableError',
      code: 'bad-code',
      message: 'The code system is not known.',
    });
  });

  it.each(['jane-doe', 42, undefined, null, { message: 'jane-doe' }])(
    'given %p was thrown, which is no error, then the description has nothing of it',
    (thrown) => {
      expect(describeError(thrown, EVENT)).toEqual({
        name: 'thrown value',
        code: expect.stringMatching(/^(thrown-value|Error)$/),
        message: '',
      });
    },
  );

  it.each(['Jane Doe is not there', 'Muellerphi', 42])(
    'given the name %p, then the description has another name',
    (name) => {
      const error = Object.assign(new Error('no'), { name });

      expect(describeError(error, EVENT)).toMatchObject({ name: 'Error', code: 'Error' });
    },
  );

  it('given the name of a class of the language, then the description has this name', () => {
    expect(describeError(new RangeError('no'), EVENT)).toMatchObject({ name: 'RangeError', code: 'RangeError' });
  });

  it.each(['Muellerphi', 'jane-doe', 'bad-code-2', ''])(
    "given the code '%s', which nobody declares, then the description has another code",
    (code) => {
      expect(describeError(Object.assign(new Error('no'), { code }), EVENT).code).toBe('undeclared-code');
      expect(describeError(new NonRetriableError('no', { code }), EVENT).code).toBe('undeclared-code');
      expect(describeError({ code }, EVENT).code).toBe('undeclared-code');
    },
  );

  it('given an error whose properties throw when they are read, then it is still described', () => {
    const error = new Error('no');
    for (const property of ['code', 'name', 'message']) {
      Object.defineProperty(error, property, {
        get() {
          throw new Error('Muellerphi');
        },
      });
    }

    expect(describeError(error, EVENT)).toEqual({ name: 'Error', code: 'Error', message: '' });
  });

  it('given a long message, then it is cut at 500 characters', () => {
    expect(messageOf('?'.repeat(600))).toBe('?'.repeat(500));
  });

  it.each([
    { given: 'a value', value: 'jane-doe' },
    { given: 'a value longer than the message', value: 'jane-doe '.repeat(200) },
    { given: 'a value that URLs spell longer', value: 'Zoë Smith '.repeat(60) },
  ])('given $given that the cut halves, then its beginning is replaced, too', ({ value }) => {
    for (const form of [value, encodeURIComponent(value)]) {
      expect(messageOf(`${'?'.repeat(490)}${form}`, { value })).toBe(`${'?'.repeat(490)}…`);
    }
  });

  it('given a message of megabytes and an event of thousands of values, then only the beginning is looked at', () => {
    const event = Array.from({ length: 4000 }, (_, n) => `v${n}`);
    const looked: number[] = [];
    const { indexOf, includes, toLowerCase, replaceAll } = String.prototype;
    const counting = (method: (...args: never[]) => unknown) =>
      function counted(this: string, ...args: never[]) {
        looked.push(this.length);
        return method.apply(this, args);
      };
    Object.assign(String.prototype, {
      indexOf: counting(indexOf),
      includes: counting(includes),
      toLowerCase: counting(toLowerCase),
      replaceAll: counting(replaceAll),
    });
    try {
      expect(messageOf('No v17, '.repeat(500_000), event)).toContain('No …, No …');
    } finally {
      Object.assign(String.prototype, { indexOf, includes, toLowerCase, replaceAll });
    }

    expect(looked.length).toBeLessThan(100_000);
    expect(Math.max(...looked)).toBeLessThanOrEqual(500);
  });

  it.each([
    { given: 'İ, whose small letter has two characters', value: 'İpek', message: 'İİ İpek!', then: 'İİ …!' },
    { given: 'Σ, which is small in two ways', value: 'ΟΔΟΣ', message: 'no οδος, οδοσα', then: 'no …, …α' },
  ])('given $given, then only the value is replaced', ({ value, message, then }) => {
    expect(messageOf(message, { value })).toBe(then);
  });
});

describe('when its message quotes the event', () => {
  it.each([
    { given: 'a value', message: 'No patient jane-doe here', then: 'No patient … here' },
    { given: 'a value twice', message: 'jane-doe, jane-doe!', then: '…, …!' },
    { given: 'a part of a value, between slashes', message: 'at fhir.example', then: 'at …' },
    { given: 'a whole address', message: 'GET https://fhir.example/Patient/jane-doe: 404', then: 'GET …: 404' },
    { given: 'an address of it in two parts', message: 'GET /Patient/jane-doe: 404', then: 'GET /Patient/…: 404' },
    { given: 'fields that logs may hold', message: 'event-1, Patient', then: 'event-1, Patient' },
    { given: 'no value', message: 'no', then: 'no' },
  ])('given $given, then the value is replaced', ({ message, then }) => {
    expect(messageOf(message)).toBe(then);
  });

  it.each([
    { given: 'a number', value: 815_777, message: 'value 815777', then: 'value …' },
    { given: 'a fraction', value: 7.35, message: 'pH 7.35', then: 'pH …' },
    { given: 'a text in a list in an object', value: [{ a: ['Zoë Smith'] }], message: 'of Zoë Smith', then: 'of …' },
    { given: 'signs that mean something to patterns', value: 'a.*$&', message: 'axx a.*$&', then: 'axx …' },
    { given: 'one value within another', value: ['Smith', 'Ann Smith'], message: 'Ann Smith Smith', then: '… …' },
    { given: 'the same in another order', value: ['Ann Smith', 'Smith'], message: 'Ann Smith Smith', then: '… …' },
    { given: 'values of one and two characters', value: ['m', 'ab'], message: 'm ab', then: 'm ab' },
    { given: 'true and null', value: [true, null], message: 'true null', then: 'true null' },
  ])('given $given, then values of three characters or more are replaced', ({ value, message, then }) => {
    expect(messageOf(message, { value })).toBe(then);
  });

  it.each([
    { given: 'as JSON', value: 'Zoë "Zo" Smith', message: JSON.stringify({ name: 'Zoë "Zo" Smith' }) },
    { given: 'in a URL', value: 'Zoë Smith', message: `GET /Patient?name=${encodeURIComponent('Zoë Smith')}` },
    { given: 'in lower case', value: 'Zoë Smith', message: 'no such patient: zoë smith' },
  ])('given a value $given, then it is replaced, too', ({ value, message }) => {
    expect(messageOf(message, { value })).not.toMatch(/smith/i);
  });

  it.each([42, { text: 'no' }, undefined])(
    'given a message that is %p, and no text, then the message of the description is a text',
    (message) => {
      const error = Object.assign(new Error(), { message });

      expect(typeof describeError(error, EVENT).message).toBe('string');
    },
  );

  it('given any event and any message made of its values, then no text of three characters or more stays in it', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', 'é', '.', '$', '&', ' ', '/', '"', '1') });
    const json = fc.letrec<{ any: unknown }>((tie) => ({
      any: fc.oneof(
        { depthSize: 'small' },
        text,
        fc.integer(),
        fc.double({ noNaN: true, noDefaultInfinity: true }),
        fc.boolean(),
        fc.constant(null),
        fc.array(tie('any'), { maxLength: 4 }),
        fc.dictionary(fc.constantFrom('x', 'y', 'z'), tie('any')),
      ),
    })).any;
    const quoting = json.chain((event) => {
      const values = valuesOf(event);
      const piece = values.length > 0 ? fc.oneof(fc.constantFrom(...values), text) : text;
      return fc.record({
        event: fc.constant(event),
        message: fc.array(piece, { maxLength: 6 }).map((all) => all.join('')),
      });
    });

    fc.assert(
      fc.property(quoting, ({ event, message }) => {
        const shown = messageOf(message, event);

        for (const value of valuesOf(event)) expect(shown).not.toContain(value);
      }),
      { numRuns: 500 },
    );
  });
});

/** Texts and numbers of it, at any depth, that have three characters or more. */
function valuesOf(json: unknown): string[] {
  if (typeof json === 'object' && json !== null) return Object.values(json).flatMap(valuesOf);
  if (typeof json !== 'string' && typeof json !== 'number') return [];
  return String(json).length >= 3 ? [String(json)] : [];
}
