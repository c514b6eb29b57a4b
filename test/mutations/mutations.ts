/**
 * A rule of the protocol, left out of the real code in one place, and the tests that must fail then.
 */
export type Mutation = {
  /**
   * The number of the invariant in ARCHITECTURE.md, and the name of the rule. The names are those of the models in
   * test/model: unchanged for a job; with `latest-`, `end-`, `commit-` and `change-` for the other models.
   */
  readonly rule: `${string} ${string}`;
  readonly file: string;
  /** The function, method or constant around the place, if the file has several places of this form. */
  readonly in?: string;
  /**
   * An expression or a statement, in any format. `$name` stands for any expression or statement, and for the same one
   * at each mention. Local variables and inner functions need a `$name`, so that they can be renamed.
   */
  readonly find: string;
  /** The code in its place; without it, the statement is left out. `arguments` are those of the function around it. */
  readonly put?: string;
  readonly tests: string;
};

const SIMULATION = 'test/simulation';
const STOP = 'test/pipeline/stop.test.ts';
const CHANGES = 'test/simulation/changes.test.ts';
const EVERY_STEP = 'test/dead-letters/every-step.test.ts';
const ALERTS = 'src/workflows/observation-alerts';
const ALERTS_RACE = 'test/workflows/observation-alerts/race.test.ts';

export const mutations: readonly Mutation[] = [
  // ---- the protocol of a job
  ...inFile('src/pipeline/delivered-jobs.ts', SIMULATION, [
    {
      rule: 'J1 ackBusy',
      in: '#finish',
      find: 'await this.#defer($run, $inMs);',
      put: '$run.safety.answerSafe();',
    },
  ]),
  ...inFile('src/pipeline/multi-job-rows.ts', 'test/pipeline/multi-job-rows.test.ts', [
    {
      rule: 'J15 jobsDeletedFirst',
      in: '#run',
      find: 'await this.#start($jobs);',
      put: 'await this.#shared.stores.waiting.delete(arguments[0]); await this.#start($jobs);',
    },
  ]),
  ...inFile('src/pipeline/multi-job-rows.ts', 'test/pipeline/overload.test.ts', [
    { rule: 'J15 jobsAlone', in: '#writeGathered', find: 'isLong($workflow, $settings)', put: 'true' },
  ]),
  ...inFile('src/storage/waiting.ts', SIMULATION, [
    {
      rule: 'J3 recordFirst',
      find: 'const $written = await $commit.write(TABLE, $shard, $write);',
      put: "const $written = { kind: 'written' }; void $commit.write(TABLE, $shard, $write);",
    },
    {
      rule: 'J5 sameRow',
      find: '`${$dueAt.toISOString()}.${$subject}.${$random.token()}`',
      put: '`2026-03-14T00:00:00.000Z.${$subject}.same`',
    },
  ]),
  ...inFile('src/storage/memory-table-store.ts', SIMULATION, [
    // Storage that ignores ETags does the same as an app that does not send them.
    { rule: 'J2 noFence', in: 'refusal', find: "$isCurrent ? undefined : 'changed'", put: 'undefined' },
  ]),
  ...inFile('src/pipeline/due-rows.ts', SIMULATION, [
    {
      rule: 'J4 deleteAny',
      in: '#finish',
      find: "return $telemetry.count('rowsLeft');",
      put: 'return await this.#shared.stores.waiting.delete(arguments[1]);',
    },
    {
      rule: 'J9 memoryAnswersRows',
      in: '#runJobOf',
      find: "if ($running.has($address)) return $telemetry.count('rowsLeft');",
      put: 'if (this.#shared.settled.get($address)) return await this.#shared.stores.waiting.delete(arguments[0]);',
    },
  ]),
  ...inFile('src/pipeline/record-outcome.ts', SIMULATION, [
    {
      rule: 'J8 blobLast',
      in: 'deadLetter',
      find: 'await untilWritten($write, $limit);',
      put: 'const limit = $limit; limit.clock.after(5000, () => void ($write)().catch(() => undefined));',
    },
    {
      rule: 'J8 noFailing',
      find: "!$isRecorded && (await markFailing($claimed, $outcome, $deps)) === 'lost'",
      put: "$isRecorded && (await markFailing($claimed, $outcome, $deps)) === 'lost'",
    },
  ]),
  ...inFile('src/pipeline/hold.ts', SIMULATION, [
    {
      rule: 'J6 lateStart',
      in: 'mayStart',
      find: '!this.isOver && $nowMs < this.heldUntilMs - LAST_OF_LEASE_MS',
      put: 'true',
    },
  ]),
  ...inFile('src/pipeline/decide.ts', SIMULATION, [
    {
      rule: 'R1 redriveStale',
      in: 'decideClaim',
      find: '$row?.redrive && $isDead && $record.redrives < $row.redrive',
      put: 'false',
    },
  ]),
  ...inFile('src/pipeline/move-dead-letters.ts', SIMULATION, [
    { rule: 'R4 keepBlob', in: 'moveAfter', find: 'if ($redrives === 0) return;', put: 'return;' },
  ]),
  ...inFile('src/dead-letters/store/pending.ts', 'test/dead-letters/store/dead-letters.test.ts', [
    { rule: 'R6 rewrite', find: 'if (await $isResolved($name)) continue;' },
  ]),
  ...inFile('src/pipeline/delivered-jobs.ts', 'test/pipeline/pipeline.test.ts', [
    { rule: 'J1 deadlineNoRow', in: '#meetDeadline', find: 'void this.#defer($run, $inMs);' },
  ]),
  ...inFile('src/handler/context.ts', 'test/handler/context.test.ts', [
    {
      rule: 'J6 lateTables',
      in: 'guardOf',
      find: '!$isOpen() || !$leases.every(($lease) => $lease.mayStart())',
      put: '!$isOpen()',
    },
  ]),
  ...inFile('src/storage/group-commit.ts', 'test/handler/context.test.ts', [
    { rule: 'J6 writesAfterTheEnd', in: 'isOver', find: '$isOver || !$entry.isWanted()', put: '$isOver' },
  ]),
  ...inFile('src/handler/workflow-table.ts', 'test/handler/context.test.ts', [
    { rule: 'J10 keepUnread', in: 'make', find: 'if (this.#isRead) $keep', put: '$keep' },
  ]),
  ...inFile('src/pipeline/hold.ts', 'test/pipeline/record-outcome.test.ts', [
    { rule: 'J7 renewLate', find: '$leftMs - this.#leaseMs / 6', put: '$leftMs + this.#leaseMs' },
  ]),
  ...inFile('src/pipeline/work.ts', 'test/pipeline/record-outcome.test.ts', [
    { rule: 'L9 freeForEver', find: 'const FREE_WITHIN_MS = $ms;', put: 'const FREE_WITHIN_MS = 1e9;' },
  ]),
  ...inFile('src/pipeline/decide.ts', 'test/pipeline/decide.test.ts', [
    { rule: 'S2 halving', find: 'FIRST_COMPANY / 2 ** ($crashes - SUSPECT_CRASHES)', put: 'FIRST_COMPANY' },
    { rule: 'S4 countAlone', find: '$state.isAlone ? 1 : 0', put: '1' },
    { rule: 'S6 end', in: 'decideClaim', find: '$isCause || $crashes >= MAX_CRASHES', put: '$isCause' },
  ]),
  ...inFile('src/pipeline/company.ts', 'test/pipeline/company.test.ts', [
    { rule: 'S3 solitude', in: 'enter', find: 'if (this.#solitary) $queue' },
    { rule: 'S3 emptyProcess', in: '#entryAlone', find: 'this.#ordinary.size > 0', put: 'false' },
  ]),
  ...inFile('src/pipeline/claim.ts', 'test/pipeline/job.test.ts', [
    {
      rule: 'S5 suspectRecordFirst',
      in: 'limitSolitude',
      find: '$hold.update($inCompany).then($open, $open);',
      put: '$open(); void $hold.update((same) => same);',
    },
  ]),
  ...inFile('src/pipeline/pipeline.ts', 'test/pipeline/pipeline.test.ts', [
    { rule: 'J11 retriesCrowdOut', find: '{ isSecond: ($run) => $run.isFromRow }', put: '{}' },
  ]),
  ...inFile('src/storage/retention.ts', 'test/storage/ledger.test.ts', [
    { rule: 'J12 expireAlive', find: '!(await hasLiveRecord($tables, $table, $before))', put: 'true' },
  ]),
  ...inFile('src/pipeline/known-pauses.ts', 'test/pipeline/pauses.test.ts', [
    { rule: 'J13 pauseIgnored', in: 'waitMs', find: '!this.#paused?.has($workflow)', put: 'true' },
    {
      rule: 'J13 pauseRemembered',
      in: 'refreshed',
      find: 'this.#deps.clock.monotonic() - this.#readAtMs < READ_EVERY_MS',
      put: 'true',
    },
  ]),
  ...inFile('src/pipeline/decide.ts', 'test/pipeline/pauses.test.ts', [
    {
      rule: 'J13 pauseCounts',
      in: 'ageMsOf',
      find: '$now.getTime() - Date.parse($firstTryAt) - $pausedMs',
      put: '$now.getTime() - Date.parse($firstTryAt)',
    },
  ]),
  ...inFile('src/recent.ts', SIMULATION, [
    {
      rule: 'J9 knownByAddress',
      find: '($key) => $newer.get($key) ?? $older.get($key)',
      put: `($key) => {
        const addressOf = (name) => String(name).slice(25, 90);
        return $newer.get($key) ?? [...$newer].findLast(([name]) => addressOf(name) === addressOf($key))?.[1];
      }`,
    },
  ]),

  // ---- the end of a process
  ...inFile('src/pipeline/claim.ts', STOP, [
    { rule: 'E1 end-noNewClaims', in: 'writeClaim', find: 'if ($deps.shutdown.isStopping) $defer' },
  ]),
  ...inFile('src/pipeline/end.ts', STOP, [
    { rule: 'E1 end-leaveLine', in: 'endProcess', find: '$run.leaveQueue();' },
    { rule: 'E2 end-abort', in: 'abortAll', find: 'for (const $abort of [...$shutdown.onAbort.values()]) $abort();' },
    { rule: 'E2 end-longFirst', in: 'endProcess', find: 'isLong($workflow, $settings)', put: 'false' },
    { rule: 'E4 end-inTime', find: 'const HANDLERS_GET_MS = $ms;', put: 'const HANDLERS_GET_MS = 3000;' },
    { rule: 'E4 end-storageInTime', find: '$callLimit.shorten(STORAGE_CALL_MS);' },
  ]),
  ...inFile('src/pipeline/work.ts', STOP, [
    { rule: 'E4 end-freeBeside', in: 'workWithResource', find: "if ($result.kind === 'stopped') $leave" },
    {
      rule: 'E3 end-backToWaiting',
      in: 'decideOutcome',
      find: 'return runElsewhere($record);',
      put: "return { kind: 'deferred', inMs: 0 };",
    },
  ]),
  ...inFile('src/handler/run-handler.ts', 'test/handler/run-handler.test.ts', [
    { rule: 'J14 storageCounts', find: 'Math.min($pendingChanges.waitedMs(), MAX_STORAGE_WAIT_MS)', put: '0' },
  ]),
  ...inFile('src/pipeline/decide.ts', 'test/pipeline/decide.test.ts', [
    { rule: 'J14 storageUsesTries', in: 'decideFailure', find: 'isStorageFailure($error)', put: 'false' },
  ]),
  ...inFile('src/pipeline/run-once.ts', 'test/pipeline/circuits.test.ts', [
    { rule: 'J14 storageOpensCircuits', in: 'countsForCircuit', find: '!isStorageLate($error)', put: 'true' },
  ]),
  ...inFile('src/handler/run-handler.ts', STOP, [
    {
      rule: 'E2 end-grace',
      in: 'GRACE_MS',
      find: '{ timeout: $timeout, lost: $lost, stopped: $stopped }',
      put: '{ timeout: $timeout, lost: $lost, stopped: 4000 }',
    },
    {
      rule: 'E6 end-okCounts',
      find: "$aborted === 'lost' ? AFTER_GRACE.lost : OK",
      put: '$aborted ? AFTER_GRACE[$aborted] : OK',
    },
  ]),

  // ---- how due rows are found
  ...inFile('src/pipeline/wakeups.ts', 'test/pipeline/wakeups.test.ts', [
    { rule: 'W1 wake-everyProcess', find: '$inMs + SPREAD_MS * $random.number()', put: '1e9' },
    { rule: 'W1 wake-lookOnce', in: '#takeLook', find: 'if ($inMs > 0) return $inMs;' },
    { rule: 'W2 wake-announce', in: 'withWakeups', find: 'this.#wakeWhenDue(shardOfRow($row), $row.dueAt);' },
    { rule: 'W2 wake-announceNext', in: '#wakeShards', find: 'this.#wakeWhenDue($shard, $dueAt);' },
    {
      rule: 'W3 wake-earliestOnly',
      in: '#wakeWhenDue',
      find: '$nowMs <= this.#nextAtMs && this.#nextAtMs <= $intervalEndsAtMs',
      put: 'false',
    },
    {
      rule: 'W3 wake-oneOfAnInterval',
      in: '#wakeWhenDue',
      find: 'if (this.#sentIntervals.get($intervalEndsAtMs)) return;',
    },
  ]),

  // ---- group commit
  ...inFile('src/storage/memory-table-store.ts', 'test/storage/group-commit', [
    { rule: 'C1 commit-noCondition', in: 'refusal', find: "$isCurrent ? undefined : 'changed'", put: 'undefined' },
  ]),
  ...inFile('src/storage/group-commit.ts', 'test/storage/group-commit', [
    {
      rule: 'C2 commit-absenceIsFinal',
      in: '#openAfterUnknown',
      find: 'if (!$read || !$spokesman.isOwn($row)) return $sent;',
      put: `
        if (!$read) return $sent;
        if (!$spokesman.isOwn($row)) {
          finishAll($sent, { kind: 'conflict', read: $read });
          return [];
        }`,
    },
    { rule: 'C5 commit-noOwnCheck', in: '#finishImpossible', find: '$entry.isOwn($row)', put: 'false' },
    { rule: 'C5 commit-noOwnCheckWritten', in: '#finishWritten', find: '$entry.isOwn($row)', put: 'false' },
    {
      rule: 'C3 commit-newTagOnResend',
      in: '#sendOnce',
      find: 'for (const $entry of $sent) $entry.lastError = $error;',
      put: `
        for (const $entry of $sent) {
          $entry.lastError = $error;
          const { kind, row } = $entry.operation;
          const newTag = { write: -1, owner: 'new', by: 'new' };
          if (kind !== 'delete') $entry.operation = { ...$entry.operation, row: { ...row, ...newTag } };
        }`,
    },
    {
      rule: 'C6 commit-spokesmanIsDelete',
      in: '#openAfterUnknown',
      find: '$sent.find($isProof)',
      put: '$sent[0]',
    },
    {
      rule: 'C4 commit-singly',
      in: '#sendOnce',
      find: 'if ($error instanceof StorageError && $error.isRejected) return this.#commitSingly($sent, $error);',
      put: 'if ($error.isRejected || $sent.length > 1) return this.#commitSingly($sent, $error);',
    },
    {
      rule: 'C8 commit-writtenAgain',
      in: '#openAfterUnknown',
      find: 'return this.#finishWritten($sent);',
      put: 'return $sent;',
    },
    {
      rule: 'C9 commit-noLimit',
      in: '#withoutLate',
      find: '$open.some(($entry) => isOver($entry, $nowMs))',
      put: 'false',
    },
  ]),
  ...inFile('src/storage/commit-gate.ts', 'test/storage/commit-gate.test.ts', [
    {
      rule: 'C10 commit-lateAtTheGate',
      in: 'enter',
      find: 'if ($isWanted()) $again; else if (this.#queue.delete($next)) $resolve(false);',
      put: '$again;',
    },
    { rule: 'C10 commit-noGate', in: '#note', find: '$failures > $max || $meanMs > SLOW_MS', put: 'false' },
  ]),

  // ---- privacy
  ...inFile('src/codes.ts', 'test/telemetry/content-privacy.test.ts', [
    { rule: 'P1 phi-code', in: 'knownCode', find: '$isKnown ? $code : UNDECLARED_CODE', put: '$code' },
    { rule: 'P1 phi-name', in: 'knownName', find: "$isKnown ? $name : 'Error'", put: '$name' },
  ]),
  ...inFile('src/handler/app-frame.ts', 'test/handler/app-frame.test.ts', [
    { rule: 'P1 phi-frame', in: 'callSitesOf', find: 'if ($of === $error) $found = $sites;', put: '$found = $sites;' },
  ]),
  ...inFile('src/dead-letters/show.ts', 'test/telemetry/content-privacy.test.ts', [
    { rule: 'P2 phi-shown', in: 'showOwn', find: '$error.name', put: '$error.message' },
  ]),
  ...inFile('src/handler/describe-error.ts', 'test/pipeline/privacy.test.ts', [
    {
      rule: 'P2 phi-message',
      in: 'markValue',
      find: '$isValue.fill(1, $from, $to)',
      put: '$isValue.fill(0, $from, $to)',
    },
  ]),
  ...inFile('src/handler/describe-error.ts', 'test/handler/describe-error.test.ts', [
    { rule: 'P2 phi-messageCut', in: 'markValue', find: '$form.startsWith($there)', put: '$form === $there' },
  ]),
  ...inFile('src/pipeline/post.ts', 'test/pipeline/privacy.test.ts', [
    { rule: 'P3 phi-cause', find: 'this.code = $code;', put: 'this.code = $code; this.cause = arguments[1];' },
  ]),

  // ---- latest
  ...inFile('src/events/order.ts', SIMULATION, [
    {
      rule: 'L1 latest-noStart',
      in: 'decideVersion',
      find: "$isOlder || orderOf($event, $eventKey, $started) === 'older'",
      put: '$isOlder',
    },
    {
      rule: 'L2 latest-noRestart',
      in: 'decideVersion',
      find: "orderOf($event, $eventKey, $started) === 'older'",
      put: "orderOf($event, '', $started) === 'older'",
    },
    { rule: 'L6 latest-noKey', in: 'orderOf', find: 'if ($applied.eventKey === $eventKey) $same' },
    {
      rule: 'L4 latest-oneWay',
      in: 'orderOf',
      find: 'if ($laterByMs < -APART_MS || $isBeforeBeginning) $older',
      put: 'if ($laterByMs < -1e15) $older',
    },
  ]),
  ...inFile('src/events/order.ts', 'test/workflows/patient-registry/every-crash.test.ts', [
    // A late deletion must not remove a patient that was created anew.
    {
      rule: 'L1 latest-noStart-tables',
      in: 'decideVersion',
      find: "$isOlder || orderOf($event, $eventKey, $started) === 'older'",
      put: '$isOlder',
    },
  ]),
  ...inFile('src/events/order.ts', 'test/events/order.test.ts', [
    {
      rule: 'L5 latest-noBirth',
      in: 'orderOf',
      find: '$isLater || isRecreated($event, $laterByMs, $applied)',
      put: '$isLater',
    },
    {
      rule: 'L5 latest-noBeginning',
      in: 'orderOf',
      find: '$isOlder || msBetween($beginning, $time) < -SKEW_MS',
      put: '$isOlder',
    },
  ]),
  ...inFile('src/pipeline/latest.ts', 'test/workflows/patient-registry/every-crash.test.ts', [
    {
      rule: 'L10 latest-completedFence',
      find: "$owner === '' && $applied !== undefined && $applied.eventKey === $started?.eventKey ? $fence : undefined",
      put: '$fence',
    },
  ]),
  ...inFile('src/storage/watermarks.ts', SIMULATION, [
    {
      rule: 'L7 latest-noEtag',
      find: '($current) => $current?.by === $by && $current?.write === $mark.write',
      put: '() => true',
    },
  ]),
  ...inFile('src/pipeline/work.ts', SIMULATION, [
    {
      rule: 'L8 latest-failAdvances',
      in: 'workWithResource',
      find: 'const $freeing = freeResource($resource, $untilMs);',
      put: 'const $freeing = applyVersion($resource, $untilMs).then(() => undefined);',
    },
  ]),
  ...inFile('src/handler/workflow-table.ts', 'test/handler/context.test.ts', [
    {
      rule: 'L3 latest-noFence',
      in: '#checkFence',
      find: '$fence && $isSameResource && Number($stored.row._fence ?? 0) > $fence.number',
      put: 'false',
    },
  ]),

  // ---- alerts that compare two Observations
  ...inFile(`${ALERTS}/update-delta-alert.ts`, ALERTS_RACE, [
    {
      rule: 'A1 alerts-lookAgain',
      find: "if ((await updateAlert($candidate, $current, $context)) === 'as-it-was') return $next;",
      put: 'await updateAlert($candidate, $current, $context); return $next;',
    },
    {
      rule: 'A1 alerts-oldPlace',
      in: 'updateDeltaAlert',
      find: "if ($isOld && $observationId !== $context.own.observationId) return 'unread';",
    },
    {
      rule: 'A1 alerts-movedAway',
      in: 'readResult',
      find: 'return (await Promise.all($others)).find($isThere);',
      put: 'return undefined;',
    },
  ]),
  ...inFile(`${ALERTS}/update-alert.ts`, ALERTS_RACE, [
    { rule: 'A1 alerts-notePending', in: 'updateAlert', find: 'await $context.notePending($pending);' },
    {
      rule: 'A1 alerts-onlyOverCurrent',
      find: '!$candidate.onlyIfUnchanged || isSameAlert($row, $current)',
      put: 'true',
    },
  ]),
  ...inFile(`${ALERTS}/result-places.ts`, ALERTS_RACE, [
    {
      rule: 'A1 alerts-placesFirst',
      in: 'moveResults',
      find: '$all.length > $before.places.length',
      put: '$all.length > 99',
    },
  ]),
  ...inFile(`${ALERTS}/observation-alerts.ts`, ALERTS_RACE, [
    {
      rule: 'A1 alerts-placesLast',
      in: 'handle',
      find: 'const $results = await moveResults($tables, $of, $change);',
      put: `
          const change = $change;
          const moved = await moveResults($tables, $of, change);
          await writeResultPlaces($tables, $of, { places: moved.newPlaces, pending: change.before.pending });
          const $results = moved;`,
    },
    {
      rule: 'A1 alerts-next',
      in: 'updateOtherAlerts',
      find: "if ($next !== 'none') await updateDeltaAlert({ $rule, ...$next }, $context);",
    },
  ]),

  // ---- time
  ...inFile('src/storage/storage-clock.ts', 'test/simulation/clocks.test.ts', [
    {
      rule: 'T1 clock-storage',
      find: 'new Date(Math.min(Math.max($ownMs, $earliestMs), $latestMs))',
      put: 'new Date($ownMs)',
    },
  ]),
  ...inFile('src/storage/storage-clock.ts', 'test/storage/storage-clock.test.ts', [
    {
      rule: 'T2 clock-newestAnswer',
      in: 'observe',
      find: '$earliest > $latestMs || $latest < $earliestMs',
      put: 'false',
    },
  ]),

  // ---- dead letters
  ...inFile('src/pipeline/move-dead-letters.ts', EVERY_STEP, [
    { rule: 'R4 letters-moveWithJob', in: 'moveAfter', find: 'return this.move($deadLetter);', put: 'return;' },
  ]),
  ...inFile('src/pipeline/due-rows.ts', 'test/dead-letters/redrive.test.ts', [
    {
      rule: 'R5 letters-invalidStays',
      in: '#runDelivery',
      find: '$deadLetter !== undefined && !eventErrorOf($event, $settings)',
      put: '$deadLetter !== undefined',
    },
  ]),
  ...inFile('src/dead-letters/import-undelivered.ts', EVERY_STEP, [
    {
      rule: 'R3 letters-rowsFirst',
      in: 'importUndelivered',
      find: 'const $split = split(deliveredOf($found.events));',
      put: `
        const $split = split(deliveredOf($found.events));
        await arguments[1].undelivered.create(RESOLVED + arguments[0], $found.read.text);`,
    },
  ]),
  ...inFile('src/dead-letters/import-undelivered.ts', 'test/dead-letters/import-undelivered.test.ts', [
    {
      rule: 'R6 letters-onceResolved',
      in: 'importUndelivered',
      find: 'if (await isResolved($name, $stores)) $deleteOnly',
    },
  ]),
  ...inFile('src/dead-letters/import-undelivered.ts', 'test/dead-letters/unreadable.test.ts', [
    { rule: 'R9 unreadable-moves', in: 'importUndelivered', find: 'await moveUnreadable($name, $blobs);' },
  ]),
  ...inFile('src/dead-letters/undelivered.ts', 'test/dead-letters/unreadable.test.ts', [
    {
      rule: 'R9 unreadable-copyFirst',
      in: 'moveUnreadable',
      find: 'await $blobs.copy($name, $copy);',
      put: 'await $blobs.delete($name); await $blobs.copy($name, $copy);',
    },
  ]),
  ...inFile('src/storage/blob-store.ts', 'test/dead-letters/unreadable.test.ts', [
    { rule: 'R9 unreadable-notUtf8', in: 'decodeBlob', find: '{ fatal: true }', put: '{ fatal: false }' },
  ]),
  ...inFile('src/dead-letters/redrive.ts', 'test/dead-letters/batch.test.ts', [
    { rule: 'R3 letters-batchRowsFirst', in: 'redriveBatch', find: 'await addDeliveries($events, $stores);' },
  ]),
  ...inFile('src/dead-letters/store/names.ts', 'test/pipeline/invalid-events.test.ts', [
    {
      rule: 'R7 letters-batchName',
      in: 'nameOfInvalidBatch',
      find: 'digest(`batch.${toJson($events)}`)',
      put: 'digest(`batch.${Math.random()}`)',
    },
  ]),
  ...inFile('src/dead-letters/store/dead-letters.ts', EVERY_STEP, [
    {
      rule: 'R6 letters-copyFirst',
      in: 'move',
      find: 'const $content = await $blobs.read($name);',
      put: 'const $content = await $blobs.read($name); await $blobs.delete($name);',
    },
  ]),
  ...inFile('src/dead-letters/redrive.ts', EVERY_STEP, [
    {
      rule: 'R1 letters-nextNumber',
      in: 'redriveJob',
      find: 'const $redrive = $redrives + 1;',
      put: 'const $redrive = $redrives;',
    },
  ]),
  ...inFile('src/dead-letters/redrive-result.ts', 'test/dead-letters/redrive.test.ts', [
    { rule: 'R2 letters-onlyDead', in: 'obstacleTo', find: "$isDead ? undefined : 'over'", put: 'undefined' },
  ]),
  ...inFile('src/dead-letters/expire.ts', 'test/dead-letters/expire.test.ts', [
    { rule: 'R8 letters-pendingFirst', in: 'expire', find: 'if ($pendingOf) await $blobs.delete($pendingOf($name));' },
  ]),

  // ---- events by a queue
  ...inFile('src/functions/event-grid.ts', 'test/functions/event-grid.test.ts', [
    {
      rule: 'I1 ingress-deleteEarly',
      in: 'deliverPoisoned',
      find: 'await $pipeline.deliver($events);',
      put: '$pipeline.deliver($events).catch(() => undefined);',
    },
    { rule: 'I3 ingress-onlyBase64', in: 'decode', find: '[$text, $decoded]', put: '[$decoded]' },
  ]),

  // ---- the ledger by change
  ...inFile('src/storage/ledger.ts', CHANGES, [
    {
      rule: 'Q1 change-insertBlind',
      find: "{ kind: 'insert', key: $place.key, row: newRow($record, $event) }",
      put: "{ kind: $place.number ? 'upsert' : 'insert', key: $place.key, row: newRow($record, $event) }",
    },
  ]),
  ...inFile('src/storage/incarnations.ts', CHANGES, [
    {
      rule: 'Q2 change-idIsNothing',
      in: 'ownOf',
      find: '$row.id === $id || $adoptedBy.get($key) === $id',
      put: 'true',
    },
    { rule: 'Q2 change-noAdopt', in: 'ownOf', find: 'return $near.find($isToAdopt);', put: 'return undefined;' },
    {
      rule: 'Q6 change-noGuard',
      find: '$otherDay ? await this.#insertGuard($range, $day, $event) : undefined',
      put: 'undefined',
    },
  ]),
  ...inFile('src/storage/incarnations.ts', 'test/storage/ledger.test.ts', [
    {
      rule: 'Q3 change-adoptMany',
      in: '#isOrBecomesOwn',
      find: 'return this.#insert($range, [$adoption, $entry]);',
      put: 'return true;',
    },
  ]),
  ...inFile('src/reconcile/compare.ts', 'test/reconcile/compare.test.ts', [
    {
      rule: 'Q5 change-noGrace',
      in: 'beforeGrace',
      find: 'Math.min(Date.parse($before), $now.getTime() - $graceMs)',
      put: 'Date.parse($before)',
    },
  ]),
  ...inFile('src/events/reconciled.ts', CHANGES, [
    { rule: 'Q2 change-timeIsNothing', in: 'isNear', find: 'Math.abs($one - $other) < NEAR_MS', put: 'true' },
  ]),
  ...inFile('src/pipeline/job-run.ts', CHANGES, [
    {
      rule: 'Q4 change-memoryByChange',
      in: 'runKeyOf',
      find: '`${$id}.${$address}`',
      put: '`${$address}`',
    },
  ]),
];

function inFile(file: string, tests: string, places: readonly Omit<Mutation, 'file' | 'tests'>[]): Mutation[] {
  return places.map((place) => ({ ...place, file, tests }));
}
