/**
 * Rules of the protocol, each left out of the real code in one place, and the tests that must fail then.
 * The names of the first group are those of the models in test/model.
 */
const JOB = 'src/pipeline/job.ts';
const PIPELINE = 'src/pipeline/pipeline.ts';
const SIMULATION = 'test/simulation';

export const mutations = [
  // ---- the protocol of a job
  {
    rule: 'ackBusy',
    file: PIPELINE,
    find: 'await putOff(run, ending.inMs);',
    put: 'tellSafe(run);',
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
    file: PIPELINE,
    find: "return telemetry.count('rowsLeft');\n      case 'failed'",
    put: "return await stores.waiting.delete(row);\n      case 'failed'",
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
    file: JOB,
    find: 'await stores.deadLetters.write(letter);',
    put: 'void sleep(clock, 5000).then(() => stores.deadLetters.write(letter)).catch(() => undefined);',
    tests: SIMULATION,
  },
  { rule: 'noFailing', file: JOB, find: 'if (!isRecorded) {', put: 'if (isRecorded) {', tests: SIMULATION },
  {
    rule: 'lateStart',
    file: 'src/pipeline/hold.ts',
    find: 'mayStart: () => !isOver && clock.monotonic() < heldUntilMs - LAST_OF_LEASE_MS,',
    put: 'mayStart: () => true,',
    tests: SIMULATION,
  },
  {
    rule: 'redriveStale',
    file: 'src/pipeline/decide.ts',
    find: "if (row?.redrive && state.result === 'dead'",
    put: "if (row?.redrive === -1 && state.result === 'dead'",
    tests: SIMULATION,
  },
  { rule: 'keepBlob', file: PIPELINE, find: 'if (redrives > 0) {', put: 'if (redrives > 1e9) {', tests: SIMULATION },
  {
    rule: 'rewrite',
    file: 'src/storage/dead-letters.ts',
    find: "if (await resolved.has(name.replace(/^pending/, 'resolved'))) continue;",
    put: '',
    tests: 'test/storage/dead-letters.test.ts',
  },

  // ---- latest
  {
    rule: 'latest-recordFirst',
    file: JOB,
    find: 'if (!(await applyVersion(run, resource))) {',
    put: 'void sleep(deps.clock, 2000).then(() => applyVersion(run, resource));\n  if (hold.isOver) {',
    tests: SIMULATION,
  },
  {
    rule: 'latest-noKey',
    file: 'src/events/order.ts',
    find: "if (applied.eventKey === eventKey) return 'same';",
    put: '',
    tests: SIMULATION,
  },
  {
    rule: 'latest-oneWay',
    file: 'src/events/order.ts',
    find: 'if (laterByMs < -APART_MS || msBetween(applied.bornAt, event.time) < -SKEW_MS)',
    put: 'if (laterByMs < -1e15)',
    tests: SIMULATION,
  },
  {
    rule: 'latest-noFence',
    file: 'src/pipeline/context.ts',
    find: 'if (fence !== undefined && stored?.row._of === of && Number(stored?.row._fence ?? 0) > fence) {',
    put: 'if (fence === -1) {',
    tests: 'test/pipeline/context.test.ts',
  },
];
