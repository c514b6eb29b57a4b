import type { Readers, ServiceName } from '../clients/readers.js';
import type { TableStore } from '../storage/table-store.js';
import type { Workflow } from '../workflow.js';
import { checkSince } from './check-since.js';
import { type CompareDeps, type Compared, compare, type Position, type Progress } from './compare.js';
import type { KnownChanges } from './known-changes.js';
import { isWanted, openChanges, type Part, partsOf } from './plan.js';
import { type ComparisonName, createPosition } from './positions.js';
import { type WorkspaceSettings, workspaceOf } from './workspace.js';

/** The changes to reconcile. Times are ISO 8601, UTC, with milliseconds. */
export type Reconciliation = {
  readonly services: readonly ServiceName[];
  /** Inclusive. */
  readonly since: string;
  /** Exclusive. Default: the newest changes that may be compared (Q5). */
  readonly until?: string | undefined;
  /** The workflow that alone gets what is missing. Default: all. */
  readonly workflow?: Workflow | undefined;
  /** FHIR types. Default: all that a workflow wants. */
  readonly types?: readonly string[] | undefined;
  /** Counts, and changes nothing. */
  readonly isDryRun: boolean;
  /** True if rows of `waiting` are lost: the comparison uses `knownWithRowsLost`, and other positions. */
  readonly areRowsLost?: boolean;
};

/** The comparison of a part of a service. */
export type PartReport = { readonly host: string; readonly part: string } & Compared;

/** The progress of the comparison of a part of a service. */
export type PartProgress = { readonly host: string; readonly part: string } & Progress;

/** The parts that were compared: those of which a workflow wants changes. */
export type Report = { readonly isDryRun: boolean; readonly parts: readonly PartReport[] };

export type ReconcileDeps = Omit<CompareDeps, 'onProgress'> & {
  /** In place of `known` if rows are lost: a change is known only if all its jobs are settled. */
  readonly knownWithRowsLost: KnownChanges;
  readonly readers: Pick<Readers, 'pagesOf'>;
  readonly workflows: readonly Workflow[];
  /** The store with the table `reconcile`. */
  readonly tables: TableStore;
  readonly settings: WorkspaceSettings;
  readonly firstDayByChange: () => Promise<string>;
  readonly retentionDays: number;
  /** Returns the position of a part, also for a dry run. Default: the position of the command, which a dry run lacks. */
  readonly positionOf?: (name: ComparisonName) => Position;
  readonly onProgress?: (progress: PartProgress) => void;
  /** Called before each wait that a service asks for. */
  readonly onWait?: (host: string, waitMs: number) => void;
};

/**
 * Compares each service in turn, and brings in the missing changes. After a service that fails, the others are still
 * compared. The same request continues where an earlier one has stopped.
 * @throws NonRetriableError with a code of `checkSince` or `workspace-unknown`, before anything is read
 */
export async function reconcile(request: Reconciliation, deps: ReconcileDeps): Promise<Report> {
  const { storageNow, firstDayByChange, retentionDays } = deps;
  const memory = { firstDayByChange: await firstDayByChange(), retentionDays, now: await storageNow() };
  checkSince(request.since, request.workflow?.name, memory);
  const wanted = { workflows: request.workflow ? [request.workflow] : deps.workflows, types: request.types };
  const planned = request.services.flatMap((service) => {
    const parts = partsOf(service.service, wanted);
    const source = parts.length > 0 ? workspaceOf(service.host, deps.settings) : '';
    return parts.map((part) => ({ service, source, part }));
  });
  const parts: PartReport[] = [];
  for (const part of planned) {
    const compared = await comparePart({ ...part, isWanted: (event) => isWanted(wanted, event) }, request, deps);
    parts.push(compared);
    if (compared.end === 'stopped') break;
  }
  return { isDryRun: request.isDryRun, parts };
}

type PartToCompare = {
  readonly service: ServiceName;
  readonly source: string;
  readonly part: Part;
  readonly isWanted: (event: Parameters<typeof isWanted>[1]) => boolean;
};

async function comparePart(planned: PartToCompare, request: Reconciliation, deps: ReconcileDeps): Promise<PartReport> {
  const { service, source, part, isWanted } = planned;
  const { since, until, workflow, isDryRun } = request;
  const { readers, clock, pace, storageNow, onWait, onProgress } = deps;
  const named = { host: service.host, part: nameOfPart(part) };
  const name = positionName(named, request);
  const before = until ?? (await storageNow()).toISOString(); // `compare` leaves out the last minutes
  const compared = await compare(
    {
      span: { since, before },
      source,
      isWanted,
      workflow: workflow?.name,
      openPages: (span) =>
        openChanges(
          { ...service, part, span },
          { readers, clock, signal: pace.signal, onWait: (waitMs) => onWait?.(service.host, waitMs) },
        ),
      position: deps.positionOf ? deps.positionOf(name) : isDryRun ? undefined : createPosition(name, deps),
      isDryRun,
    },
    {
      ...deps,
      known: request.areRowsLost ? deps.knownWithRowsLost : deps.known,
      onProgress: (progress) => onProgress?.({ ...named, ...progress }),
    },
  );
  return { ...named, ...compared };
}

function positionName(named: { host: string; part: string }, request: Reconciliation): ComparisonName {
  const { since, until, workflow, types, areRowsLost } = request;
  const typesOfName = types ? [...new Set(types)].sort().join(',') : '';
  const name = { ...named, since, until: until ?? '', workflow: workflow?.name ?? '', types: typesOfName };
  return areRowsLost ? { ...name, mode: 'rows-lost' } : name;
}

function nameOfPart(part: Part): string {
  return 'type' in part && part.type !== undefined ? `${part.kind} ${part.type}` : part.kind;
}
