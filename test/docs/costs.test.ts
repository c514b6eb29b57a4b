import { readFileSync } from 'node:fs';
import { type Cost, costsOf } from './costs.js';

const page = readFileSync('docs/costs.md', 'utf8');
const EVENTS = 1_000_000;

/** Rows of the page's first table, by their first column. */
function rowsOf(heading: string): string[][] {
  const [, section = ''] = page.split(`## ${heading}\n`);
  const [table = ''] = /^\|[\s\S]*?\n\n/m.exec(section) ?? [];
  const lines = table.trim().split('\n').slice(2);
  return lines.map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

const number = (value: number) => String(Math.round(value * 100) / 100);
const many = (value: number) => `${number((value * EVENTS) / 1_000_000)} M`;

describe('when docs/costs.md says what an event costs', () => {
  let alone: Cost[] = [];
  let hundred: Cost[] = [];
  beforeAll(async () => {
    alone = await costsOf({ postSize: 1 });
    hundred = await costsOf({ postSize: 100 });
  });

  it.each([
    { heading: 'In POSTs of 1', costs: () => alone },
    { heading: 'In POSTs of 100', costs: () => hundred },
  ])('given it arrives $heading, then that is what is counted', ({ heading, costs }) => {
    const counted = costs().map(({ what, requests, entities, reads, serviceReads }) => [
      what,
      ...[requests, entities, reads, serviceReads].map(number),
    ]);

    expect(rowsOf(heading)).toEqual(counted);
  });

  it('given a million of them, then that is a million times as much', () => {
    const counted = hundred.map(({ what, requests, entities, reads, serviceReads }) => [
      what,
      ...[requests, entities, reads, serviceReads].map(many),
    ]);

    expect(rowsOf('A million events')).toEqual(counted);
  });

  it('given every event that the services send, then each is there', () => {
    expect(hundred.map(({ what }) => what)).toEqual(
      expect.arrayContaining(
        ['Patient', 'Encounter', 'image'].flatMap((of) => ['created', 'deleted'].map((change) => `${of} ${change}`)),
      ),
    );
  });
});
