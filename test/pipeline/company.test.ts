import { Company } from '../../src/pipeline/company.js';
import { JobRun } from '../../src/pipeline/job-run.js';
import { createFakeClock, fhirEvent } from '../../src/testing/index.js';
import { defineWorkflow, fhir, minutes } from '../../src/workflow.js';
import { allThatFollows } from './memory-app.js';

const short = defineWorkflow({ name: 'short', on: fhir('*'), handle() {} });
const long = defineWorkflow({ name: 'long', on: fhir('*'), timeout: minutes(20), handle() {} });

function start() {
  const clock = createFakeClock();
  const company = new Company<JobRun>({ clock, isLong: ({ job: { workflow } }) => workflow === long });
  const places: Record<string, string> = {};
  return {
    clock,
    company,
    /** The places that each run has got so far. */
    places,
    async enter(id: string, workflow = short): Promise<JobRun> {
      const run = runOf(id, workflow);
      places[id] = 'at the gate';
      const entered = company.enter(run);
      void Promise.resolve(entered).then((mayStart) => {
        places[id] = mayStart ? 'ordinary' : 'left';
      });
      await allThatFollows();
      return run;
    },
    async suspect(id: string, limit: number): Promise<JobRun> {
      const run = await this.enter(id);
      places[id] = 'in line';
      void company.enterAsSuspect(run, limit).then((place) => {
        places[id] = place ? (place.isAlone ? 'alone' : 'in company') : 'left';
      });
      await allThatFollows();
      return run;
    },
    async leave(run: JobRun): Promise<void> {
      company.leave(run);
      await allThatFollows();
    },
  };
}

function runOf(id: string, workflow = short): JobRun {
  const event = fhirEvent({ id });
  return new JobRun({ address: id, eventIdDigest: id, event, json: '', workflow, workflowName: workflow.name });
}

describe('suspects that may run together', () => {
  it('given limits of 4, 2 and 4, runs two at a time, in order of arrival', async () => {
    const there = start();
    const first = await there.suspect('a', 4);
    await there.suspect('b', 2);
    await there.suspect('c', 4);
    expect(there.places).toEqual({ a: 'in company', b: 'in company', c: 'in line' });

    await there.leave(first);

    expect(there.places.c).toBe('in company');
  });

  it('given an ordinary job beside them, lets it start', async () => {
    const there = start();
    await there.suspect('a', 2);

    await there.enter('ordinary');

    expect(there.places).toEqual({ a: 'in company', ordinary: 'ordinary' });
  });
});

describe('a suspect that must run alone', () => {
  it('given ordinary jobs at work, waits for their end, and new ones wait for its own', async () => {
    const there = start();
    const before = await there.enter('before');
    const suspect = await there.suspect('suspect', 1);
    await there.enter('after');
    expect(there.places).toEqual({ before: 'ordinary', suspect: 'in line', after: 'at the gate' });

    await there.leave(before);
    expect(there.places).toEqual({ before: 'ordinary', suspect: 'alone', after: 'at the gate' });
    await there.leave(suspect);

    expect(there.places.after).toBe('ordinary');
  });

  it('given an ordinary job that does not end, runs beside it after 5 s and is not alone', async () => {
    const there = start();
    await there.enter('before');
    await there.suspect('suspect', 1);
    await there.enter('after');

    there.clock.advance(5001);
    await allThatFollows();

    expect(there.places).toEqual({ before: 'ordinary', suspect: 'in company', after: 'ordinary' });
  });

  it('given a long job at work, runs beside it at once, not alone', async () => {
    const there = start();
    await there.enter('long', long);

    await there.suspect('suspect', 1);
    await there.enter('after');

    expect(there.places).toEqual({ long: 'ordinary', suspect: 'in company', after: 'ordinary' });
  });

  it('given another suspect at work, waits for it', async () => {
    const there = start();
    const first = await there.suspect('first', 8);
    await there.suspect('second', 1);
    expect(there.places).toEqual({ first: 'in company', second: 'in line' });

    await there.leave(first);

    expect(there.places.second).toBe('alone');
  });

  it('given its solitude ends, lets others start, but no suspect', async () => {
    const there = start();
    const suspect = await there.suspect('suspect', 1);
    await there.enter('ordinary');
    expect(there.places).toEqual({ suspect: 'alone', ordinary: 'at the gate' });

    there.company.endSolitude(suspect);
    await allThatFollows();
    await there.suspect('other', 8);

    expect(there.places).toEqual({ suspect: 'alone', ordinary: 'ordinary', other: 'in line' });
  });

  it('given it leaves the queue while others wait for it, lets them start', async () => {
    const there = start();
    await there.enter('before');
    const suspect = await there.suspect('suspect', 1);
    await there.enter('after');

    there.company.leaveQueue(suspect);
    await allThatFollows();
    there.clock.advance(6000); // the wait for it is over too
    await allThatFollows();

    expect(there.places).toEqual({ before: 'ordinary', suspect: 'left', after: 'ordinary' });
    expect(there.company.queued).toBe(0);
  });
});
