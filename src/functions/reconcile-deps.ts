import type { ServiceName } from '../clients/readers.js';
import type { Config } from '../config.js';
import { digest } from '../digest.js';
import type { Pace } from '../reconcile/compare.js';
import { createLedgerChanges } from '../reconcile/ledger-changes.js';
import type { App } from './compose.js';

/** Live events have priority: a comparison uses a small part of the 20,000 requests a second that storage serves. */
export const PACE = { perSecond: 1000, broughtInPerSecond: 100, atOnce: 16 };

/** Returns the dependencies of a comparison, and of a search for removed resources. */
export function reconcileDeps(app: App, pace: Pace) {
  const { config, clock, random, workflows, ledger, waiting, stores, readers, workflowTables, storageNow } = app;
  const ledgerDeps = { ledger, waiting, workflows, deadlineMs: config.deadlineMs, clock, random, storageNow };
  return {
    known: createLedgerChanges(ledgerDeps),
    knownWithRowsLost: createLedgerChanges({ ...ledgerDeps, areRowsLost: true }),
    async hasEvent(eventId: string) {
      const id = digest(eventId);
      return (await waiting.find(id)).length > 0 || (await ledger.find(id)).length > 0;
    },
    readers,
    workflows,
    workflowTables,
    services: servicesOf(config),
    clock,
    random,
    storageNow,
    tables: stores.tables,
    settings: config,
    firstDayByChange: ledger.firstDayByChange,
    retentionDays: config.ledgerRetentionDays,
    pace,
  };
}

/** Returns the services that the settings list. */
export function servicesOf({ fhirHosts, dicomHosts }: Pick<Config, 'fhirHosts' | 'dicomHosts'>): ServiceName[] {
  return [
    ...fhirHosts.map(({ host }) => ({ service: 'fhir', host }) as const),
    ...dicomHosts.map(({ host }) => ({ service: 'dicom', host }) as const),
  ];
}
