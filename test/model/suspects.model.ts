import type { Model, Step } from './explore.js';

/**
 * Models how src/pipeline/company.ts chooses the jobs that run together after a process has died, with smaller numbers.
 * Two jobs kill every process that runs them, at any moment of their run; the third is healthy. Processes are killed
 * from outside as well, once less often than makes a job that runs alone a dead letter. The guilty jobs must end as dead
 * letters, the healthy job must not.
 */
export const suspectRules = {
  S2: 'after each crash half as many suspects run together',
  S3: 'nothing runs beside a suspect that is alone',
  S4: 'a crash counts only if the job ran alone',
  S5: 'the record no longer says that a job runs alone before another job starts beside it',
  S6: 'after many crashes of any kind a job comes to an end',
} as const;
export type SuspectRule = keyof typeof suspectRules;

const PROCESSES = 2;
const JOBS = 3;
const GUILTY: readonly number[] = [0, 1];
const SUSPECT_CRASHES = 1;
const FIRST_COMPANY = 2;
const MAX_CRASHES_ALONE = 2;
const MAX_CRASHES = 6;
const MAX_KILLS = MAX_CRASHES_ALONE - 1;

type Job = {
  at: 'free' | 'running' | 'lapsed' | 'completed' | 'dead';
  process: number;
  kind: 'ordinary' | 'member';
  isAlone: boolean;
  crashes: number;
  crashesAlone: number;
};
/** `solitary`: for each process, the job beside which no other may start; -1 for none. */
export type SuspectWorld = { jobs: readonly Job[]; solitary: readonly number[]; kills: number };

const FREE: Job = { at: 'free', process: -1, kind: 'ordinary', isAlone: false, crashes: 0, crashesAlone: 0 };

export function suspectsModel(broken?: SuspectRule): Model<SuspectWorld> {
  return {
    start: {
      jobs: Array.from({ length: JOBS }, () => FREE),
      solitary: Array.from({ length: PROCESSES }, () => -1),
      kills: 0,
    },

    *nextSteps(world) {
      for (const [j, job] of world.jobs.entries()) {
        if (job.at === 'free' || job.at === 'lapsed') yield* claims(world, j, job);
        if (job.at === 'running') yield* stepsOfRun(world, j, job);
      }
      if (world.kills === MAX_KILLS) return;
      for (let p = 0; p < PROCESSES; p += 1) {
        yield [`process ${p} is killed`, { ...die(world, p), kills: world.kills + 1 }];
      }
    },

    fault({ jobs }) {
      if (jobs.some(({ at }, j) => at === 'dead' && !GUILTY.includes(j))) return 'the healthy job is a dead letter';
      if (jobs.some(({ crashes }) => crashes > MAX_CRASHES)) return 'a job does not come to an end';
      return undefined;
    },
  };

  function* claims(world: SuspectWorld, j: number, job: Job): Generator<Step<SuspectWorld>> {
    const isTakenOver = job.at === 'lapsed';
    const crashes = job.crashes + (isTakenOver ? 1 : 0);
    const counts = isTakenOver && (job.isAlone || broken === 'S4');
    const crashesAlone = job.crashesAlone + (counts ? 1 : 0);
    if (crashesAlone >= MAX_CRASHES_ALONE || (crashes >= MAX_CRASHES && broken !== 'S6')) {
      yield [`job ${j} becomes a dead letter`, put(world, j, { ...FREE, at: 'dead', crashes, crashesAlone })];
      return;
    }
    for (let process = 0; process < PROCESSES; process += 1) {
      const claimed: Job = { ...job, at: 'running', process, crashes, crashesAlone, kind: 'ordinary', isAlone: false };
      yield* starts(world, j, claimed);
    }
  }

  function* starts(world: SuspectWorld, j: number, job: Job): Generator<Step<SuspectWorld>> {
    const { process, crashes } = job;
    const beside = world.jobs.filter((other) => other.at === 'running' && other.process === process);
    const members = beside.filter(({ kind }) => kind === 'member');
    const isClosed = world.solitary[process] !== -1 && broken !== 'S3';
    const where = `starts in process ${process}`;
    if (crashes < SUSPECT_CRASHES) {
      if (!isClosed) yield [`job ${j} ${where}`, put(world, j, job)];
      return;
    }
    const limit = limitOf(crashes);
    if (limit > 1) {
      const max = Math.min(limit, ...members.map((other) => limitOf(other.crashes)));
      if (!isClosed && members.length < max)
        yield [`job ${j} ${where} in company`, put(world, j, { ...job, kind: 'member' })];
      return;
    }
    if (isClosed || members.length > 0) return;
    if (beside.length === 0 || broken === 'S3') {
      const alone = put(world, j, { ...job, kind: 'member', isAlone: true });
      yield [`job ${j} ${where} alone`, { ...alone, solitary: alone.solitary.with(process, j) }];
    }
    // The suspect has waited long enough for the ordinary jobs there to end.
    if (beside.length > 0) yield [`job ${j} ${where} after waiting`, put(world, j, { ...job, kind: 'member' })];
  }

  function* stepsOfRun(world: SuspectWorld, j: number, job: Job): Generator<Step<SuspectWorld>> {
    if (GUILTY.includes(j)) yield [`job ${j} kills process ${job.process}`, die(world, job.process)];
    else yield [`job ${j} completes`, open(put(world, j, { ...job, at: 'completed', process: -1 }), job.process, j)];
    if (world.solitary[job.process] !== j) return;
    if (job.isAlone && broken !== 'S5')
      yield [`the record of job ${j} no longer says alone`, put(world, j, { ...job, isAlone: false })];
    if (!job.isAlone || broken === 'S5') yield [`others may start beside job ${j}`, open(world, job.process, j)];
  }

  function limitOf(crashes: number): number {
    if (broken === 'S2') return FIRST_COMPANY;
    return Math.max(1, Math.floor(FIRST_COMPANY / 2 ** (crashes - SUSPECT_CRASHES)));
  }
}

function put(world: SuspectWorld, j: number, job: Job): SuspectWorld {
  return { ...world, jobs: world.jobs.with(j, job) };
}

function open(world: SuspectWorld, process: number, j: number): SuspectWorld {
  return world.solitary[process] === j ? { ...world, solitary: world.solitary.with(process, -1) } : world;
}

function die(world: SuspectWorld, process: number): SuspectWorld {
  const jobs = world.jobs.map((job): Job => {
    if (job.at !== 'running' || job.process !== process) return job;
    return { ...job, at: 'lapsed', process: -1, kind: 'ordinary' };
  });
  return { ...world, jobs, solitary: world.solitary.with(process, -1) };
}
