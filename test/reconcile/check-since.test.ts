import { checkSince } from '../../src/reconcile/check-since.js';

const now = new Date('2026-03-20T12:00:00Z');
const memory = { firstDayByChange: '', retentionDays: 7, now };
const check = (since: string, { workflow, ...more }: { workflow?: string; firstDayByChange?: string } = {}) => {
  try {
    checkSince(since, workflow, { ...memory, ...more });
    return 'ok';
  } catch (error) {
    return (error as { code: string }).code;
  }
};

describe('when somebody names the time to reconcile from', () => {
  it.each([
    { since: '2026-03-13T12:00:00.000Z', then: 'ok' },
    { since: '2026-03-13T11:59:59.999Z', then: 'since-forgotten' },
    { since: '2020-01-01T00:00:00.000Z', workflow: 'new', then: 'ok' },
    { since: '2026-03-19T00:00:00.000Z', firstDayByChange: '20260319', then: 'ok' },
    { since: '2026-03-18T23:59:59.999Z', firstDayByChange: '20260319', then: 'since-before-upgrade' },
    { since: '2026-03-18T23:59:59.999Z', firstDayByChange: '20260319', workflow: 'new', then: 'since-before-upgrade' },
    { since: '2020-01-01T00:00:00.000Z', firstDayByChange: '20260318', workflow: 'new', then: 'ok' },
  ])('given $since, first day $firstDayByChange and workflow $workflow, then $then', ({ since, then, ...app }) => {
    expect(check(since, app)).toBe(then);
  });

  it('given a time that is refused, then the message names the first time that is not', () => {
    expect(() => checkSince('2026-01-01T00:00:00.000Z', undefined, memory)).toThrow(
      '2026-03-13T12:00:00.000Z or later',
    );
    expect(() =>
      checkSince('2026-03-18T00:00:00.000Z', undefined, { ...memory, firstDayByChange: '20260319' }),
    ).toThrow('of before 2026-03-19T00:00:00.000Z');
  });
});
