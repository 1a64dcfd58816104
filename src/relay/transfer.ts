/**
 * One batch from its lease to its commit: rows, register, and the notices that follow from a failure become durable together.
 *
 * Crash points: before the peer's 250 the rows are still leased and are taken up again at the restart; after the 250 and
 * before the commit the message goes out twice, and the peer answers the repetition with the same receipts (decisions 7).
 * A store that does not answer is no crash: the commit waits for it, and what has no commit is given back.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { Rope } from '../rope/index.js';
import { SmtpClientError } from '../smtp/index.js';
import {
  BlobDamaged,
  ChangeSet,
  type QueueRow,
  type RecipientFact,
  StoreConflict,
  StoreUnavailable,
} from '../storage/index.js';
import type { Telemetry } from '../telemetry/index.js';
import { type Backoff, retryDelay } from './backoff.js';
import type { Connector } from './connector.js';
import { uncertified } from './lanes.js';
import { type Disposition, dispose, errorOutcome, type Outcome, outcomeOf, routeOutcome } from './outcome.js';
import type { FailureNotices, LocalReception, OutboundQueue } from './ports.js';
import { RouteError } from './routing.js';
import {
  type Batch,
  type Disposed,
  failuresOf,
  groupedBy,
  reasonOf,
  registerEvents,
  settlementOf,
} from './settlement.js';

export interface TransferParts {
  readonly queue: OutboundQueue;
  readonly connector: Pick<Connector, 'deliver'>;
  readonly local: Pick<LocalReception, 'isOwnDomain' | 'receive'>;
  readonly notices: FailureNotices;
  readonly telemetry: Telemetry;
  /** Epoch milliseconds. */
  readonly clock: () => number;
  /** False while the clock is known to be wrong: nothing is given up for its age then (decisions 10, 30). */
  readonly clockIsRight?: (() => boolean) | undefined;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly backoff: Backoff;
}

/**
 * Milliseconds between tries of a commit, doubled each time: a peer that took the message should not get it twice for a
 * full disk of ours.
 */
const COMMIT_PAUSE = { first: 250, longest: 2_000 } as const;

/** Answers of a store that may have committed all the same. */
const MAYBE_DONE: readonly StoreUnavailable['reason'][] = ['input-output', 'thread'];

/** Failures of one row after which an operator is told: some ten minutes with the usual waits. */
const MANY_TRIES = 9;

/** A row whose try had no commit, and why. */
interface Unsettled {
  readonly row: QueueRow;
  readonly error: string;
}

export class Transfer {
  readonly #parts: TransferParts;
  readonly #cut = new AbortController();
  /** By the row's id. */
  readonly #unsettled = new Map<number, Unsettled>();

  constructor(parts: TransferParts) {
    this.#parts = parts;
  }

  /** Never rejects: what could not be settled waits for `giveBack`. */
  async run(batch: Batch): Promise<void> {
    const start = performance.now();
    try {
      const outcomes = await this.#try(batch);
      const missing: Outcome = { kind: 'temporary', error: 'no verdict' };
      await this.#settle(
        batch.map((row, index) => this.#dispose(row, outcomes[index] ?? missing)),
        start,
      );
    } catch (thrown) {
      const error = textOf(thrown);
      for (const row of batch) this.#unsettled.set(row.id, { row, error });
      this.#storeFails(thrown);
    }
  }

  /** Rows that are still leased to us and wait for `giveBack`. */
  unsettled(): Iterable<number> {
    return this.#unsettled.keys();
  }

  /** Puts off what could not be settled: each row by itself, for some may be somebody else's by now. @throws StoreUnavailable */
  async giveBack(): Promise<void> {
    for (const [id, { row, error }] of this.#unsettled) {
      const { backoff, random, clock, queue } = this.#parts;
      const at = clock() + retryDelay(backoff, row.attempts, random());
      const put: Disposed = { row, disposition: { kind: 'retry', at, error } };
      try {
        const changes = this.#newChanges().changes();
        await queue.settle({ ...changes, rows: [settlementOf(put)], facts: [], mustMove: true });
        this.#tell([put], 0);
      } catch (thrown) {
        if (thrown instanceof StoreUnavailable) throw thrown;
        // Somebody else's by now; anything else is a fault of this row alone, and its lease will run out.
      }
      this.#unsettled.delete(id);
    }
  }

  /** Commits that wait for the store wait no longer. */
  cut(): void {
    this.#cut.abort();
  }

  /** An outcome for each row, in their order. @throws StoreUnavailable when the content cannot be read now: nobody was asked */
  async #try(rows: Batch): Promise<Outcome[]> {
    try {
      return await this.#hand(rows, await this.#parts.queue.open(rows[0].contentId));
    } catch (error) {
      if (error instanceof StoreUnavailable) throw error;
      if (error instanceof BlobDamaged) this.#damaged(rows[0], error);
      return rows.map(() => errorOutcome(error));
    }
  }

  /** The row is tried again like any other, in case the operator mends it; he must know that he has to. */
  #damaged({ identificativo, kind, destination }: QueueRow, { message }: BlobDamaged): void {
    this.#parts.telemetry.event('alarm', {
      name: 'blob-damaged',
      identificativo,
      reason: `${message}: ${kind} for ${destination} waits for it`,
    });
  }

  /** Never rejects. */
  async #hand(rows: Batch, content: Rope): Promise<Outcome[]> {
    const { local, connector } = this.#parts;
    const [{ destination: domain, mailFrom, kind, eightBit }] = rows;
    const recipients = rows.map(({ recipient }) => recipient);
    try {
      if (local.isOwnDomain(domain)) {
        await local.receive({
          mailFrom,
          recipients,
          message: content,
          eightBit,
          secure: true,
          peer: 'local',
        });
        return rows.map(() => ({ kind: 'sent', answer: '250 2.0.0 local' }));
      }
      const external = uncertified.includes(kind);
      const verdicts = await connector.deliver(
        { domain, external },
        { mailFrom, recipients, content, eightBit },
      );
      return verdicts.map(outcomeOf);
    } catch (error) {
      return rows.map(() => failureOutcome(error));
    }
  }

  #dispose(row: Disposed['row'], outcome: Outcome): Disposed {
    const { backoff, random, clock, clockIsRight } = this.#parts;
    const { kind, giveUpAt } = row;
    const until = clockIsRight?.() === false ? Number.POSITIVE_INFINITY : giveUpAt;
    const delay = retryDelay(backoff, row.attempts, random());
    return { row, disposition: dispose({ kind, giveUpAt: until }, outcome, clock(), delay) };
  }

  /** @throws StoreUnavailable */
  async #settle(disposed: readonly Disposed[], start: number): Promise<void> {
    try {
      const changes = this.#newChanges();
      const failures = failuresOf(disposed);
      const facts = failures.length > 0 ? await this.#parts.notices(failures, changes) : [];
      await this.#commit(disposed, changes, facts, start);
    } catch (error) {
      if (isFence(error)) return;
      if (failuresOf(disposed).length === 0 || error instanceof StoreUnavailable) throw error;
      // The notices could not be made, or somebody else made them first: a failure without its notice is not final.
      await this.#commit(this.#postponed(disposed, textOf(error)), this.#newChanges(), [], start);
    }
  }

  async #commit(
    disposed: readonly Disposed[],
    changes: ChangeSet,
    facts: readonly RecipientFact[],
    start: number,
  ): Promise<void> {
    const { queue, clock } = this.#parts;
    for (const event of registerEvents(disposed, clock())) changes.event(event);
    const rows = disposed.map(settlementOf);
    const until = Math.min(...disposed.map(({ row }) => row.leaseUntil));
    await this.#persistently(until, (again) =>
      queue.settle({ ...changes.changes(), rows, facts, mustMove: true, again }),
    );
    this.#tell(disposed, performance.now() - start);
  }

  /** Until the store answers, the lease ends or we do. @throws StoreUnavailable, and what else the commit throws */
  async #persistently(until: number, commit: (again: boolean) => Promise<unknown>): Promise<void> {
    const { signal } = this.#cut;
    let doubt = false;
    for (let wait: number = COMMIT_PAUSE.first; ; wait = Math.min(2 * wait, COMMIT_PAUSE.longest)) {
      try {
        await commit(doubt);
        return;
      } catch (error) {
        const hopeless = signal.aborted || this.#parts.clock() + wait >= until;
        if (!(error instanceof StoreUnavailable) || error.reason === 'closed' || hopeless) throw error;
        doubt ||= MAYBE_DONE.includes(error.reason);
        if (wait === COMMIT_PAUSE.first) this.#storeFails(error);
      }
      await pause(wait, undefined, { signal }).catch(() => undefined);
    }
  }

  #postponed(disposed: readonly Disposed[], error: string): Disposed[] {
    const { backoff, random, clock } = this.#parts;
    return disposed.map(({ row, disposition }) => {
      if (disposition.kind !== 'failed') return { row, disposition };
      return {
        row,
        disposition: { kind: 'retry', at: clock() + retryDelay(backoff, row.attempts, random()), error },
      };
    });
  }

  #storeFails(error: unknown): void {
    this.#parts.telemetry.event('store.unavailable', { operation: 'settle', error: textOf(error) });
  }

  #newChanges(): ChangeSet {
    return new ChangeSet((rope) => this.#parts.queue.pack(rope));
  }

  /** A gestore that cannot be reached is somebody's task; it is over when it says anything final. */
  #watchPeer(row: QueueRow, disposition: Disposition): void {
    const { telemetry, local } = this.#parts;
    const { destination, attempts } = row;
    if (!isCertified(row) || local.isOwnDomain(destination)) return;
    if (disposition.kind === 'sent' || disposition.kind === 'failed') {
      telemetry.clear('peer-unreachable', destination);
    } else if (attempts + 1 >= MANY_TRIES) {
      telemetry.raise('peer-unreachable', destination, reasonOf(disposition));
    }
  }

  #tell(disposed: readonly Disposed[], ms: number): void {
    const { telemetry } = this.#parts;
    for (const group of groupedBy(disposed, ({ disposition }) => disposition.kind).values()) {
      const [{ row, disposition }] = group;
      const { identificativo, destination, kind } = row;
      const hop = { identificativo, destination, kind, recipients: group.length };
      this.#watchPeer(row, disposition);
      if (disposition.kind === 'sent') {
        telemetry.event('relay.sent', { ...hop, answer: disposition.answer, ms });
        continue;
      }
      const error = reasonOf(disposition);
      if (disposition.kind === 'retry') {
        const nextAttempt = new Date(disposition.at).toISOString();
        telemetry.event('relay.deferred', { ...hop, error, attempts: row.attempts + 1, nextAttempt });
        continue;
      }
      telemetry.event('relay.failed', { ...hop, error });
      // decisions 10
      if (disposition.kind === 'held') {
        telemetry.event('alarm', {
          name: 'queue-held',
          identificativo,
          reason: `${kind} for ${destination}: ${error}`,
        });
      }
    }
  }
}

const isCertified = ({ kind }: QueueRow): boolean => kind === 'envelope' || kind === 'notification';

function failureOutcome(error: unknown): Outcome {
  if (error instanceof RouteError) return routeOutcome(error);
  // A peer that does not even greet us may be out of order: no reply of that moment is final.
  if (error instanceof SmtpClientError) return { kind: 'temporary', error: error.message };
  return errorOutcome(error);
}

/** Claimed again since, by whoever thought this relay dead: the row is theirs now. */
const isFence = (error: unknown): boolean => error instanceof StoreConflict && error.what === 'fence';

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
