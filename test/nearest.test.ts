import { nearest } from '../src/nearest.js';

const WORDS = ['resource-index', 'patient-registry', 'observation-alerts'];

describe('when a user types an unknown word', () => {
  it.each([
    { typed: 'observation-alert', then: 'observation-alerts' },
    { typed: 'Resource-Index', then: 'resource-index' },
    { typed: 'pateint-registry', then: 'patient-registry' },
    { typed: 'x', then: undefined },
    { typed: 'why', words: ['by', 'all'], then: undefined },
    { typed: 'shwo', words: ['list', 'show'], then: 'show' },
    { typed: 'imaging-studies', then: undefined },
  ])("given '$typed', then the nearest word is $then", ({ typed, words = WORDS, then }) => {
    expect(nearest(typed, words)).toBe(then);
  });
});
