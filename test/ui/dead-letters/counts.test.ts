import type { DeadLetterGroups } from '../../../src/api/dead-letters.js';
import {
  addCounts,
  filterOfCause,
  forgetCounts,
  keepCount,
  knownCount,
  partOf,
} from '../../../src/ui/dead-letters/counts.js';

const by = (workflow: string, frame = '') => ({ reason: 'r', workflow, error: 'e', frame });
const group = (cause: Record<string, string>, letters: number, times: [string, string] = ['2', '3']) => ({
  ...{ by: cause, letters, events: letters, redriven: 1, oldestAt: times[0], newestAt: times[1] },
  ...{ example: `oldest ${times[0]}`, newest: `newest ${times[1]}`, after: null, until: null },
});
const counted = (groups: DeadLetterGroups['groups'], next: string | null = null): DeadLetterGroups => ({
  ...{ groups, next, isMore: next !== null },
  letters: groups.reduce((sum, { letters }) => sum + letters, 0),
});

describe('when dead letters are counted request by request', () => {
  it('given the same cause in both, then its numbers add up, and its oldest and newest are those of both', () => {
    const first = counted([{ ...group(by('one'), 10, ['2', '5']), after: 'first', until: 'middle' }], 'more');
    const next = { ...group(by('one'), 5, ['1', '4']), after: 'middle', until: 'last' };

    const all = addCounts(first, counted([next, group(by('two'), 1)]));

    expect(all).toEqual({
      ...{ letters: 16, isMore: false, next: null },
      groups: [
        {
          ...{ by: by('one'), letters: 15, events: 15, redriven: 2, oldestAt: '1', newestAt: '5' },
          ...{ example: 'oldest 1', newest: 'newest 5', after: 'first', until: 'last' },
        },
        group(by('two'), 1),
      ],
    });
  });
});

describe('when a cause of the list is chosen', () => {
  beforeEach(() => {
    forgetCounts();
    keepCount({}, counted([group(by('one', 'f'), 10), group(by('two'), 5)]));
  });

  it('given the count of all, then its number is known without another count', () => {
    expect(knownCount(by('one', 'f'))?.value).toMatchObject({ letters: 10, isMore: false, next: null });
    expect(knownCount({ reason: 'r' })?.value.letters).toBe(15);
    expect(knownCount({ reason: 'other' })?.value.letters).toBe(0);
  });

  it.each([
    { given: 'a filter by something else', filter: { resourceType: 'Patient' } },
    { given: 'no count of the resolved ones', filter: { reason: 'r', resolved: 'true' } },
  ])('given $given, then the count is not known', ({ filter }) => {
    expect(knownCount(filter)).toBeUndefined();
  });

  it('given causes with and without a place in the code, then each is chosen alone', () => {
    keepCount({}, counted([group(by('one', 'f'), 10), group(by('one'), 5)]));

    expect([by('one', 'f'), by('one')].map((cause) => knownCount(filterOfCause({ by: cause }))?.value.letters)).toEqual(
      [10, 5],
    );
    expect(filterOfCause({ by: by('one') })).toEqual({ reason: 'r', workflow: 'one', error: 'e', frame: '(none)' });
  });

  it('given one cause, then its part of the list is known; given several causes, only their time', () => {
    const one = { ...group(by('one'), 10, ['2', '5']), after: 'first', until: 'last' };

    expect(partOf([one])).toEqual({ after: 'first', until: 'last', to: '5' });
    expect(partOf([{ ...one, after: null }])).toEqual({ until: 'last', to: '5' });
    expect(partOf([one, group(by('two'), 1, ['1', '9'])])).toEqual({ to: '9' });
  });

  it('given a change since, then the count is no longer known', () => {
    forgetCounts();

    expect(knownCount({ reason: 'r' })).toBeUndefined();
  });
});
