import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readJsonFile } from '../../../src/local/dead-letters/files.js';
import { filterOf, groupingsOf, parseOptions, shareOf } from '../../../src/local/dead-letters/options.js';
import { numberOf, OptionError } from '../../../src/local/options.js';

const NO_FILTER = {
  stage: undefined,
  reason: undefined,
  workflow: undefined,
  error: undefined,
  type: undefined,
  resourceType: undefined,
  from: undefined,
  to: undefined,
};

describe('when options are read', () => {
  it('given a verb with options and ids, then both are read', () => {
    expect(parseOptions('redrive', ['a', '--rate', '5', 'b', '--dry-run'])).toEqual({
      values: { rate: '5', 'dry-run': true },
      ids: ['a', 'b'],
    });
  });

  it.each([
    ['--workflow', '', '--stage', 'failed'],
    ['an-id', '--edit', ''],
    ['--stop-after', ' ', '--all'],
    ['', 'an-id'],
  ])('given %j, then the empty value is refused, because it would match more than was meant', (...args) => {
    expect(() => parseOptions('redrive', args)).toThrow(/is empty/);
  });

  it.each([
    { args: ['--why', 'x'], says: /^Unknown option '--why'\.$/ },
    { args: ['--limt', '5'], says: /^Unknown option '--limt'\. Did you mean --limit\?$/ },
    { args: ['--limit'], says: /^Option '--limit <value>' argument missing\.$/ },
    {
      args: ['--limit', '--json'],
      says: /^--limit needs a value; one that begins with '-' is written --limit=VALUE\.$/,
    },
  ])('given $args, then the error says what is wrong in one line', ({ args, says }) => {
    expect(() => parseOptions('list', args)).toThrow(OptionError);
    expect(() => parseOptions('list', args)).toThrow(says);
  });

  it.each([
    { given: { stage: 'crash' }, then: { stage: 'crash' } },
    { given: { type: 'FhirResourceUpdated' }, then: { type: 'Microsoft.HealthcareApis.FhirResourceUpdated' } },
    { given: { type: 'Some.Type' }, then: { type: 'Some.Type' } },
    { given: { frame: 'workflows/bad.js:2' }, then: { frame: 'workflows/bad.js:2' } },
    { given: { 'resource-type': 'Patient', error: 'down' }, then: { resourceType: 'Patient', error: 'down' } },
    { given: { from: '2026-03-14' }, then: { from: new Date('2026-03-14T00:00:00.000Z') } },
    { given: { to: '2026-03-14' }, then: { to: new Date('2026-03-14T23:59:59.999Z') } },
    { given: { to: '2026-03-14T12:00Z' }, then: { to: new Date('2026-03-14T12:00:00.000Z') } },
  ])('given the filter $given, then $then', ({ given, then }) => {
    expect(filterOf(given)).toEqual({ ...NO_FILTER, ...then });
  });

  it.each([
    { stage: 'lost' },
    { from: 'yesterday' },
    { to: '14.3.2026' },
    { from: '2026-13-01' },
    { to: '2026-02-30' },
  ])('given the filter %j, then the error says what the value must be', (values) => {
    expect(() => filterOf(values)).toThrow(/^--\w+ is '.*', must be /);
  });

  it.each([
    { given: '20%', then: 0.2 },
    { given: '0.2', then: 0.2 },
    { given: '0', then: 0 },
    { given: undefined, then: undefined },
  ])('given the share $given, then $then', ({ given, then }) => {
    expect(shareOf({ 'stop-after': given }, 'stop-after')).toBe(then);
  });

  it.each(['20', '-1%', 'x', '100%', '%', ' ', '0x10%', '1e-1', '20%%'])(
    "given the share '%s', then it is refused",
    (share) => {
      expect(() => shareOf({ 'stop-after': share }, 'stop-after')).toThrow(OptionError);
    },
  );

  it.each(['0', '11', 'x', '-1'])("given the number '%s', then it is refused", (rate) => {
    expect(() => numberOf({ rate }, 'rate', { from: 1, to: 10 })).toThrow('must be from 1 to 10');
  });

  it('given fields to group by, then they are read in this order; given another word, then it is refused', () => {
    expect(groupingsOf({ by: 'reason,workflow,error' })).toEqual(['reason', 'workflow', 'error']);
    expect(groupingsOf({})).toBeUndefined();
    expect(() => groupingsOf({ by: 'reason,payload' })).toThrow("--by has 'payload'");
  });
});

describe('when a file is read', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'ahds-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('given JSON, then its value is returned', () => {
    writeFileSync(join(folder, 'event.json'), '{"id":"e"}');

    expect(readJsonFile(join(folder, 'event.json'))).toEqual({ id: 'e' });
  });

  it('given no file, or no JSON, then the error says what is wrong and where, and nothing of the content', () => {
    writeFileSync(join(folder, 'event.json'), '{"secret":\n nothing}');

    expect(() => readJsonFile(join(folder, 'other.json'))).toThrow(/cannot be read \(ENOENT\)/);
    expect(() => readJsonFile(join(folder, 'event.json'))).toThrow(
      /event\.json is not JSON: line 2, column 2 is where it stops being JSON\.$/,
    );
  });
});
