import type { Plan } from './plan.js';
import type { Load, Result } from './simulate.js';

/** A plan whose numbers may be left open: the search finds them. */
export type Wanted = Omit<Plan, 'deployments' | 'accounts' | 'instances'> &
  Partial<Pick<Plan, 'deployments' | 'accounts' | 'instances'>>;

/** The largest load of a part of storage that leaves room for uneven load and a slow minute. */
const MAX_LOAD = 0.95;
const MIN_WITHIN_5S = 0.99;
/** The growth of the backlog that chance alone can cause in a trial. */
const MAX_BACKLOG_GROWTH = 0.02;
const MAX_INSTANCES = 200;
const MAX_DEPLOYMENTS = 50;
/** The load that measures the cost of an event: an instance is nearly busy, so that its writes share requests. */
const PROBE = { rate: 800, deployments: 1, accounts: 2, instances: 1, seconds: 4 } as const;
/** The length of a trial. */
const TRIAL_SECONDS = 5;
/** The search begins with this share of the instances that the probe suggests. */
const FIRST_SHARE = 0.7;

/**
 * Returns whether a deployment applies its events as fast as they come. A busy CPU is allowed: the busier it is, the more
 * events share a POST, and the less each event costs.
 */
export function keepsUp({ loads, within5s, backlogGrowth, neverApplied, deadLetters }: Result): boolean {
  const isFull = loads.some(({ kind, share }) => isStorage(kind) && share > MAX_LOAD);
  const isSteady = within5s >= MIN_WITHIN_5S && backlogGrowth <= MAX_BACKLOG_GROWTH;
  return !isFull && isSteady && neverApplied + deadLetters === 0;
}

/** Finds the plan with the fewest accounts, then deployments, then instances, that keeps up in a trial of some seconds. */
export async function findPlan(wanted: Wanted, run: (plan: Plan) => Promise<Result>): Promise<Plan | undefined> {
  const probeRate = Math.min(PROBE.rate / wanted.cpu, wanted.rate);
  const probe = await run({ ...wanted, ...PROBE, rate: probeRate });
  for (const storage of storagesOf(wanted)) {
    const rate = wanted.rate / storage.deployments;
    if (storageShare(probe, storage.accounts) * (rate / probeRate) > MAX_LOAD) continue;
    const first = Math.max(1, Math.floor((FIRST_SHARE * rate * probe.cpuMsPerEvent) / 1000));
    const { instances: from = first, instances: to = MAX_INSTANCES } = wanted;
    for (let instances = from; instances <= to; instances += 1) {
      const plan = { ...wanted, ...storage, instances };
      const result = await run({ ...plan, seconds: Math.min(TRIAL_SECONDS, wanted.seconds) });
      if (keepsUp(result)) return plan;
      if (result.loads.some(({ kind, share }) => isStorage(kind) && share > MAX_LOAD)) break; // no instance helps
    }
  }
  return undefined;
}

function isStorage(kind: Load['kind']): boolean {
  return kind === 'account' || kind === 'partition';
}

/** Returns the allowed numbers of deployments and accounts: the fewest accounts in total first, then the fewest deployments. */
function storagesOf({ deployments, accounts }: Wanted): Pick<Plan, 'deployments' | 'accounts'>[] {
  const numbers = deployments === undefined ? Array.from({ length: MAX_DEPLOYMENTS }, (_, n) => n + 1) : [deployments];
  const ofEach: readonly (1 | 2)[] = accounts === undefined ? [1, 2] : [accounts];
  return numbers
    .flatMap((number) => ofEach.map((perDeployment) => ({ deployments: number, accounts: perDeployment })))
    .sort((a, b) => a.deployments * a.accounts - b.deployments * b.accounts || a.deployments - b.deployments);
}

/** Returns the highest share of a storage limit that the probe has used, as if its load were on `accounts` accounts. */
function storageShare({ loads }: Result, accounts: 1 | 2): number {
  const shares = (wanted: Load['kind']) => loads.filter(({ kind }) => kind === wanted).map(({ share }) => share);
  const ofAccounts = shares('account');
  const ofAccount = accounts === 2 ? Math.max(...ofAccounts) : ofAccounts.reduce((sum, share) => sum + share, 0);
  return Math.max(ofAccount, ...shares('partition'));
}
