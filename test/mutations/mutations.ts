/**
 * Rules of the protocol, each left out of the real code in one place, and the tests that must fail then.
 * The names are those of the models in test/model: as they are for a job, `latest-`, `end-` and `commit-` before the rest;
 * `wake-` are the rules W1 to W3 of src/pipeline/wakeups.ts.
 */
const WORK = 'src/pipeline/work.ts';
const PIPELINE = 'src/pipeline/pipeline.ts';
const DELIVERED_JOBS = 'src/pipeline/delivered-jobs.ts';
const ROWS = 'src/pipeline/rows.ts';
const MOVE_DEAD_LETTERS = 'src/pipeline/move-dead-letters.ts';
const CLAIM = 'src/pipeline/claim.ts';
const COMPANY = 'src/pipeline/company.ts';
const DECIDE = 'src/pipeline/decide.ts';
const RECORD_OUTCOME = 'src/pipeline/record-outcome.ts';
const END = 'src/pipeline/end.ts';
const COMMIT = 'src/storage/group-commit.ts';
const ORDER = 'src/events/order.ts';
const SIMULATION = 'test/simulation';
const STOP = 'test/pipeline/stop.test.ts';
const WAKEUPS = 'src/pipeline/wakeups.ts';
const WAKEUPS_TESTS = 'test/pipeline/wakeups.test.ts';
const ALERTS = 'src/workflows/observation-alerts';
const ALERTS_RACE = 'test/workflows/observation-alerts/race.test.ts';
const LETTERS = 'test/dead-letters/every-step.test.ts';
const IMPORT = 'src/dead-letters/import-undelivered.ts';
const COMMIT_TESTS = 'test/storage/group-commit';

export type Mutation = { rule: string; file: string; find: string; put: string; tests: string };

export const mutations: readonly Mutation[] = [
  // ---- the protocol of a job
  {
    rule: 'ackBusy',
    file: DELIVERED_JOBS,
    find: 'await this.#defer(run, recorded.inMs);',
    put: 'run.safety.confirm();',
    tests: SIMULATION,
  },
  {
    rule: 'recordFirst',
    file: 'src/storage/waiting.ts',
    find: 'const written = await commit.write(TABLE, shardFor(',
    put: "const written = { kind: 'written' }; void commit.write(TABLE, shardFor(",
    tests: SIMULATION,
  },
  {
    // Storage that does not look at etags: the same as an app that does not send them.
    rule: 'noFence',
    file: 'src/storage/memory-table-store.ts',
    find: "operation.etag === stored.etag ? undefined : 'changed'",
    put: 'operation.etag ? undefined : undefined',
    tests: SIMULATION,
  },
  {
    rule: 'deleteAny',
    file: ROWS,
    find: "return telemetry.count('rowsLeft'); // J4",
    put: 'return await stores.waiting.delete(row);',
    tests: SIMULATION,
  },
  {
    rule: 'sameRow',
    file: 'src/storage/waiting.ts',
    find: '`${row.dueAt.toISOString()}.${subject}.${random.token()}`',
    put: '`2026-03-14T00:00:00.000Z.${subject}.same`',
    tests: SIMULATION,
  },
  {
    rule: 'blobLast',
    file: RECORD_OUTCOME,
    find: 'await untilWritten(() => stores.deadLetters.write(letter), { clock, untilMs: hold.heldUntilMs });',
    put: 'clock.after(5000, () => void stores.deadLetters.write(letter).catch(() => undefined));',
    tests: SIMULATION,
  },
  { rule: 'noFailing', file: RECORD_OUTCOME, find: 'if (!isRecorded &&', put: 'if (isRecorded &&', tests: SIMULATION },
  {
    rule: 'lateStart',
    file: 'src/pipeline/hold.ts',
    find: 'return !this.isOver && this.#clock.monotonic() < this.heldUntilMs - LAST_OF_LEASE_MS;',
    put: 'return true;',
    tests: SIMULATION,
  },
  {
    rule: 'redriveStale',
    file: 'src/pipeline/decide.ts',
    find: "if (row?.redrive && state.result === 'dead'",
    put: "if (row?.redrive === -1 && state.result === 'dead'",
    tests: SIMULATION,
  },
  {
    rule: 'keepBlob',
    file: MOVE_DEAD_LETTERS,
    find: 'if (redrives === 0) return;',
    put: 'if (redrives < 1e9) return;',
    tests: SIMULATION,
  },
  {
    rule: 'rewrite',
    file: 'src/dead-letters/store/pending.ts',
    find: 'if (await isResolved(name)) continue;',
    put: '',
    tests: 'test/dead-letters/store/dead-letters.test.ts',
  },

  {
    rule: 'memoryAnswersRows',
    file: ROWS,
    find: "if (running.has(address)) return telemetry.count('rowsLeft');",
    put: 'if (this.#shared.settled.get(address)) return await this.#shared.stores.waiting.delete(row);',
    tests: SIMULATION,
  },
  {
    rule: 'deadlineNoRow',
    file: DELIVERED_JOBS,
    find: 'else void this.#defer(run, leaseMs + LAPSE_MARGIN_MS);',
    put: '',
    tests: 'test/pipeline/pipeline.test.ts',
  },
  {
    rule: 'lateTables',
    file: 'src/handler/context.ts',
    find: 'if (!isOpen() || !leases.every((lease) => lease.mayStart())) {',
    put: 'if (!isOpen()) {',
    tests: 'test/handler/context.test.ts',
  },
  {
    rule: 'writesAfterTheEnd',
    file: COMMIT,
    find: ' || !entry.isWanted()',
    put: '',
    tests: 'test/handler/context.test.ts',
  },
  {
    rule: 'keepUnread',
    file: 'src/handler/workflow-table.ts',
    find: 'if (this.#isRead) return { stored: this.#stored };',
    put: 'return { stored: this.#stored };',
    tests: 'test/handler/context.test.ts',
  },
  {
    rule: 'renewLate',
    file: 'src/pipeline/hold.ts',
    find: 'Math.min(this.#leaseMs / 3, leftMs - this.#leaseMs / 6)',
    put: 'Math.min(this.#leaseMs / 3, leftMs + this.#leaseMs)',
    tests: 'test/pipeline/record-outcome.test.ts',
  },
  {
    rule: 'freeForEver',
    file: WORK,
    find: 'const FREE_WITHIN_MS = 5000;',
    put: 'const FREE_WITHIN_MS = 1e9;',
    tests: 'test/pipeline/record-outcome.test.ts',
  },
  {
    rule: 'S2-halving',
    file: DECIDE,
    find: 'FIRST_COMPANY / 2 ** (crashes - SUSPECT_CRASHES)',
    put: 'FIRST_COMPANY',
    tests: 'test/pipeline/decide.test.ts',
  },
  {
    rule: 'S3-solitude',
    file: COMPANY,
    find: 'if (this.#solitary) return new Promise',
    put: 'if (!this) return new Promise',
    tests: 'test/pipeline/company.test.ts',
  },
  {
    rule: 'S3-emptyProcess',
    file: COMPANY,
    find: 'if (this.#ordinary.size === 0) {',
    put: 'if (this.#ordinary.size >= 0) {',
    tests: 'test/pipeline/company.test.ts',
  },
  {
    rule: 'S4-countAlone',
    file: DECIDE,
    find: '(state.isAlone ? 1 : 0)',
    put: '1',
    tests: 'test/pipeline/decide.test.ts',
  },
  {
    rule: 'S5-recordFirst',
    file: CLAIM,
    find: 'hold.update(inCompany).then(open, open);',
    put: 'open(); void hold.update((same) => same);',
    tests: 'test/pipeline/job.test.ts',
  },
  {
    rule: 'S6-end',
    file: DECIDE,
    find: ' || crashes >= MAX_CRASHES;',
    put: ';',
    tests: 'test/pipeline/decide.test.ts',
  },
  {
    rule: 'retriesCrowdOut',
    file: PIPELINE,
    find: '{ isSecond: isFromRow }',
    put: '{}',
    tests: 'test/pipeline/pipeline.test.ts',
  },
  {
    rule: 'expireAlive',
    file: 'src/storage/retention.ts',
    find: '!(await hasLiveRecord(tables, table, before))',
    put: 'true',
    tests: 'test/storage/ledger.test.ts',
  },
  {
    rule: 'knownByAddress',
    file: 'src/pipeline/recent.ts',
    find: 'get: (key) => newer.get(key) ?? older.get(key),',
    put: 'get: (key) => newer.get(key) ?? [...newer].findLast(([name]) => `${name}`.slice(25, 90) === `${key}`.slice(25, 90))?.[1],',
    tests: SIMULATION,
  },

  // ---- the end of a process
  {
    rule: 'end-noNewClaims',
    file: CLAIM,
    find: "if (deps.shutdown.isStopping) return { kind: 'deferred', inMs: 0 };",
    put: '',
    tests: STOP,
  },
  {
    rule: 'end-leaveLine',
    file: END,
    find: 'run.leaveQueue(); // E1\n',
    put: '',
    tests: STOP,
  },
  {
    rule: 'end-abort',
    file: END,
    find: 'for (const abort of [...shutdown.onAbort.values()]) abort();',
    put: '',
    tests: STOP,
  },
  {
    rule: 'end-longFirst',
    file: END,
    find: 'if (isLong(run.job.workflow, settings)) shutdown',
    put: 'if (settings.leaseMs < 0) shutdown',
    tests: STOP,
  },
  {
    rule: 'end-inTime',
    file: END,
    find: 'const HANDLERS_GET_MS = 800;',
    put: 'const HANDLERS_GET_MS = 3000;',
    tests: STOP,
  },
  {
    rule: 'end-storageInTime',
    file: END,
    find: 'tryLimit.shorten(STORAGE_TRY_MS); // E4',
    put: '',
    tests: STOP,
  },
  {
    rule: 'end-freeBeside',
    file: WORK,
    find: "if (result.kind === 'stopped') return { ...runElsewhere(hold.value), freeing };",
    put: '',
    tests: STOP,
  },
  { rule: 'end-grace', file: 'src/handler/run-handler.ts', find: 'stopped: 400', put: 'stopped: 4000', tests: STOP },
  {
    rule: 'end-backToWaiting',
    file: WORK,
    find: 'return runElsewhere(job.hold.value);',
    put: "return { kind: 'deferred', inMs: 0 };",
    tests: STOP,
  },
  {
    rule: 'end-okCounts',
    file: 'src/handler/run-handler.ts',
    find: "end(aborted === 'lost' ? AFTER_GRACE.lost : OK)",
    put: 'end(aborted ? AFTER_GRACE[aborted] : OK)',
    tests: STOP,
  },

  // ---- how due rows are found
  {
    rule: 'wake-everyProcess',
    file: WAKEUPS,
    find: 'inMs + SPREAD_MS * random.number()',
    put: '1e9',
    tests: WAKEUPS_TESTS,
  },
  {
    rule: 'wake-lookOnce',
    file: WAKEUPS,
    find: 'if (inMs > 0) return inMs;',
    put: '',
    tests: WAKEUPS_TESTS,
  },
  {
    rule: 'wake-announce',
    file: WAKEUPS,
    find: 'this.#announce(shardOf(row), row.dueAt);',
    put: '',
    tests: WAKEUPS_TESTS,
  },
  {
    rule: 'wake-announceNext',
    file: WAKEUPS,
    find: 'for (const { shard, dueAt } of firsts) if (dueAt && dueAt > now) this.#announce(shard, dueAt);',
    put: '',
    tests: WAKEUPS_TESTS,
  },
  {
    rule: 'wake-earliestOnly',
    file: WAKEUPS,
    find: 'if (this.#nextAtMs >= nowMs && this.#nextAtMs <= slotMs) return;',
    put: '',
    tests: WAKEUPS_TESTS,
  },
  {
    rule: 'wake-oneOfASlot',
    file: WAKEUPS,
    find: 'if (this.#sentSlots.get(slotMs)) return;',
    put: '',
    tests: WAKEUPS_TESTS,
  },

  // ---- group commit
  {
    rule: 'commit-noCondition',
    file: 'src/storage/memory-table-store.ts',
    find: "operation.etag === stored.etag ? undefined : 'changed'",
    put: 'operation.etag ? undefined : undefined',
    tests: COMMIT_TESTS,
  },
  {
    rule: 'commit-absenceIsFinal',
    file: COMMIT,
    find: 'if (!read || !spokesman.isOwn(read.stored?.row)) return sent;',
    put: "if (!read) return sent;\n    if (!spokesman.isOwn(read.stored?.row)) {\n      settleAll(sent, { kind: 'conflict', read } as never);\n      return [];\n    }",
    tests: COMMIT_TESTS,
  },
  {
    rule: 'commit-noOwnCheck',
    file: COMMIT,
    find: 'if (isGone || entry.isOwn(stored?.row)) entry.settle',
    put: 'if (isGone) entry.settle',
    tests: COMMIT_TESTS,
  },
  {
    rule: 'commit-newTagOnResend',
    file: COMMIT,
    find: 'sent.map((entry) => entry.operation);',
    put: "sent.map(({ operation: o }) => (failures > 0 && o.kind !== 'delete' ? { ...o, row: { ...o.row, write: -1, owner: 'new', by: 'new' } } : o));",
    tests: COMMIT_TESTS,
  },
  {
    rule: 'commit-spokesmanIsDelete',
    file: COMMIT,
    find: "const spokesman = sent.find((entry) => entry.operation.kind !== 'delete');",
    put: 'const spokesman = sent[0];',
    tests: COMMIT_TESTS,
  },
  {
    rule: 'commit-singly',
    file: COMMIT,
    find: 'for (const entry of sent) entry.lastError = error;',
    put: 'if (sent.length > 1) {\n          for (const entry of sent) await commit(lane, [entry]);\n          return;\n        }',
    tests: COMMIT_TESTS,
  },
  {
    rule: 'commit-writtenAgain',
    file: COMMIT,
    find: 'return stillOpen(lane, sent, true);',
    put: 'return stillOpen(lane, sent);',
    tests: COMMIT_TESTS,
  },
  {
    rule: 'commit-noLimit',
    file: COMMIT,
    find: 'if (open.some((entry) => isLate(entry, nowMs))) open =',
    put: 'if (nowMs < 0) open =',
    tests: COMMIT_TESTS,
  },

  // ---- nothing of a patient's leaves
  {
    rule: 'phi-code',
    file: 'src/codes.ts',
    find: 'STATUS.test(code) ? code : UNDECLARED_CODE',
    put: 'STATUS.test(code) ? code : code',
    tests: 'test/telemetry/content-privacy.test.ts',
  },
  {
    rule: 'phi-name',
    file: 'src/codes.ts',
    find: "NAMES.has(name) ? name : 'Error'",
    put: 'NAMES.has(name) ? name : name',
    tests: 'test/telemetry/content-privacy.test.ts',
  },
  {
    rule: 'phi-shown',
    file: 'src/dead-letters/show.ts',
    find: '    errorName: error.name,',
    put: '    errorName: error.message,',
    tests: 'test/telemetry/content-privacy.test.ts',
  },
  {
    rule: 'phi-message',
    file: 'src/handler/describe-error.ts',
    find: 'isValue.fill(1, at, at + there.length)',
    put: 'isValue.fill(0, at, at + there.length)',
    tests: 'test/pipeline/privacy.test.ts',
  },
  {
    rule: 'phi-messageCut',
    file: 'src/handler/describe-error.ts',
    find: 'if (form.startsWith(there))',
    put: 'if (form === there)',
    tests: 'test/handler/describe-error.test.ts',
  },
  {
    rule: 'phi-cause',
    file: 'src/pipeline/post.ts',
    find: 'this.code = code;',
    put: 'this.code = code;\n    this.cause = cause;',
    tests: 'test/pipeline/privacy.test.ts',
  },

  // ---- latest
  {
    rule: 'latest-noStart',
    file: ORDER,
    find: " || orderOf(event, eventKey, started) === 'older'",
    put: '',
    tests: SIMULATION,
  },
  {
    rule: 'latest-noStart-tables', // a patient that was made anew, and is taken away by a late deletion
    file: ORDER,
    find: " || orderOf(event, eventKey, started) === 'older'",
    put: '',
    tests: 'test/workflows/patient-registry/every-crash.test.ts',
  },
  {
    rule: 'latest-noRestart',
    file: ORDER,
    find: "orderOf(event, eventKey, started) === 'older'",
    put: "orderOf(event, '', started) === 'older'",
    tests: SIMULATION,
  },
  {
    rule: 'latest-noKey',
    file: ORDER,
    find: "if (applied.eventKey === eventKey) return 'same';",
    put: '',
    tests: SIMULATION,
  },
  {
    rule: 'latest-oneWay',
    file: ORDER,
    find: 'if (laterByMs < -APART_MS || msBetween(applied.createdAt, event.time) < -SKEW_MS)',
    put: 'if (laterByMs < -1e15)',
    tests: SIMULATION,
  },
  {
    rule: 'latest-noBirth',
    file: ORDER,
    find: ' || isRecreated(event, laterByMs, applied)',
    put: '',
    tests: 'test/events/order.test.ts',
  },
  {
    rule: 'latest-noBeginning',
    file: ORDER,
    find: ' || msBetween(applied.createdAt, event.time) < -SKEW_MS',
    put: '',
    tests: 'test/events/order.test.ts',
  },
  {
    rule: 'latest-noEtag',
    file: 'src/storage/watermarks.ts',
    find: 'isOwn: (current) => current?.by === by && current?.write === mark.write,',
    put: 'isOwn: () => true,',
    tests: SIMULATION,
  },
  {
    rule: 'latest-failAdvances',
    file: WORK,
    find: 'const freeing = freeResource(resource, clock.monotonic() + FREE_WITHIN_MS);',
    put: 'const freeing = applyVersion(resource, hold.heldUntilMs).then(() => undefined);',
    tests: SIMULATION,
  },
  {
    rule: 'latest-noFence',
    file: 'src/handler/workflow-table.ts',
    find: 'if (fence && stored?.row._of === fence.of && Number(stored.row._fence ?? 0) > fence.number) {',
    put: 'if (fence?.number === -1) {',
    tests: 'test/handler/context.test.ts',
  },

  // ---- alerts that are the business of two Observations
  {
    rule: 'alerts-lookAgain',
    file: `${ALERTS}/settle-delta.ts`,
    find: "if ((await settleAlert(candidate, current, context)) === 'as-it-was') return;",
    put: 'return void (await settleAlert(candidate, current, context));',
    tests: ALERTS_RACE,
  },
  {
    rule: 'alerts-onlyOverCurrent',
    file: `${ALERTS}/settle-alert.ts`,
    find: 'const isOurs = (row: Row | undefined) => !candidate.onlyIfUnchanged || isSameAlert(row, current);',
    put: 'const isOurs = (row: Row | undefined) => row === row || isSameAlert(row, current);',
    tests: ALERTS_RACE,
  },
  {
    rule: 'alerts-oldPlace',
    file: `${ALERTS}/settle-delta.ts`,
    find: 'if (isOld && observationId !== context.own.observationId) return;',
    put: 'void isOld;',
    tests: ALERTS_RACE,
  },
  {
    rule: 'alerts-notePending',
    file: `${ALERTS}/settle-alert.ts`,
    find: 'await context.notePending({ rule, observationId });',
    put: 'void context;',
    tests: ALERTS_RACE,
  },
  {
    rule: 'alerts-movedAway',
    file: `${ALERTS}/settle-delta.ts`,
    find: 'return (await Promise.all(others.map(at))).find((one) => one !== undefined);',
    put: 'return void others;',
    tests: ALERTS_RACE,
  },
  {
    rule: 'alerts-placesFirst',
    file: `${ALERTS}/result-places.ts`,
    find: 'if (all.length > before.places.length)',
    put: 'if (all.length > 99)',
    tests: ALERTS_RACE,
  },
  {
    rule: 'alerts-placesLast',
    file: `${ALERTS}/observation-alerts.ts`,
    find: 'const { wanted, all } = await moveResults(tables, own, { before, moves });',
    put: 'const { wanted, all } = await moveResults(tables, own, { before, moves });\n  await writeResultPlaces(tables, own, { places: wanted, pending: before.pending });',
    tests: ALERTS_RACE,
  },
  {
    rule: 'alerts-next',
    file: `${ALERTS}/observation-alerts.ts`,
    find: 'if (next) await settleDelta({ rule, ...next }, context);',
    put: 'void next;',
    tests: ALERTS_RACE,
  },

  // ---- dead letters, and who deals with them
  {
    rule: 'letters-moveWithJob',
    file: MOVE_DEAD_LETTERS,
    find: 'return this.move(of.letter);',
    put: 'return;',
    tests: LETTERS,
  },
  {
    rule: 'letters-invalidStays',
    file: ROWS,
    find: 'if (letter !== undefined && isValid())',
    put: 'if (letter !== undefined)',
    tests: 'test/dead-letters/redrive.test.ts',
  },
  {
    rule: 'letters-rowsFirst',
    file: IMPORT,
    find: '  for (let at = 0; at < events.length; at += ADDED_AT_ONCE) {',
    put: '  await stores.undelivered.create(RESOLVED + name, content);\n  for (let at = 0; at < events.length; at += ADDED_AT_ONCE) {',
    tests: LETTERS,
  },
  {
    rule: 'letters-onceResolved',
    file: IMPORT,
    find: 'if (await isResolved(name, stores)) {',
    put: 'if (false as boolean) {',
    tests: 'test/dead-letters/import-undelivered.test.ts',
  },
  {
    rule: 'clock-storage',
    file: 'src/storage/storage-clock.ts',
    find: 'new Date(Math.min(Math.max(ownMs, earliestMs + nowMs), latestMs + nowMs))',
    put: 'new Date(ownMs + 0 * nowMs)',
    tests: 'test/simulation/clocks.test.ts',
  },
  {
    rule: 'clock-newestAnswer',
    file: 'src/storage/storage-clock.ts',
    find: 'const isContradiction = earliest > latestMs || latest < earliestMs;',
    put: 'const isContradiction = false;',
    tests: 'test/storage/storage-clock.test.ts',
  },
  {
    rule: 'unreadable-moves',
    file: 'src/dead-letters/import-undelivered.ts',
    find: '    await moveUnreadable(name, stores.undelivered);\n',
    put: '',
    tests: 'test/dead-letters/unreadable.test.ts',
  },
  {
    rule: 'unreadable-copyFirst',
    file: 'src/dead-letters/undelivered.ts',
    find: '  await blobs.copy(name, UNREADABLE + name);\n',
    put: '  await blobs.delete(name);\n  await blobs.copy(name, UNREADABLE + name);\n',
    tests: 'test/dead-letters/unreadable.test.ts',
  },
  {
    rule: 'unreadable-notUtf8',
    file: 'src/storage/blob-store.ts',
    find: '{ fatal: true }',
    put: '{ fatal: false }',
    tests: 'test/dead-letters/unreadable.test.ts',
  },
  {
    rule: 'letters-batchRowsFirst',
    file: 'src/dead-letters/redrive.ts',
    find: '    await addDeliveries(events, stores);\n    await stores.deadLetters.move(name);\n',
    put: '    await stores.deadLetters.move(name);\n',
    tests: 'test/dead-letters/batch.test.ts',
  },
  {
    rule: 'letters-batchName',
    file: 'src/dead-letters/store/names.ts',
    find: 'digest(`batch.${toJson(events)}`)',
    put: 'digest(`batch.${Math.random()}`)',
    tests: 'test/pipeline/invalid-events.test.ts',
  },
  {
    rule: 'letters-copyFirst',
    file: 'src/dead-letters/store/dead-letters.ts',
    find: '    if (content === undefined) return;\n',
    put: '    if (content === undefined) return;\n    await blobs.delete(`pending/${name}`);\n',
    tests: LETTERS,
  },
  {
    rule: 'letters-nextNumber',
    file: 'src/dead-letters/redrive.ts',
    find: 'const redrive = redrives + 1;',
    put: 'const redrive = redrives;',
    tests: LETTERS,
  },
  {
    rule: 'letters-onlyDead',
    file: 'src/dead-letters/redrive-result.ts',
    find: "return state.result === 'dead' && record.redrives <= redrives ? undefined : 'over';",
    put: 'return undefined;',
    tests: 'test/dead-letters/redrive.test.ts',
  },
  {
    rule: 'letters-pendingFirst',
    file: 'src/dead-letters/expire.ts',
    find: 'if (pendingOf) await blobs.delete(pendingOf(name));',
    put: 'void pendingOf;',
    tests: 'test/dead-letters/expire.test.ts',
  },
];
