/**
 * One batch from its lease to its commit: rows, register, and the notices that follow from a failure become durable together.
 *
 * Crash points: before the peer's 250 the rows are still leased and are taken up again at the restart; after the 250 and
 * before the commit the message goes out twice, and the peer answers the repetition with the same receipts (decisions 7).
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { Rope } from '../rope/index.js';
import { SmtpClientError } from '../smtp/index.js';
import { ChangeSet, type RecipientFact, StoreConflict, StoreUnavailable } from '../storage/index.js';
import type { Telemetry } from '../telemetry/index.js';
import { type Backoff, retryDelay } from './backoff.js';
import type { Connector } from './connector.js';
import { dispose, errorOutcome, expired, type Outcome, outcomeOf, routeOutcome } from './outcome.js';
import type { FailureNotices, LocalReception, OutboundQueue } from './ports.js';
import { RouteError } from './routing.js';
import {
  type Batch,
  batchesOf,
  type Disposed,
  failuresOf,
  groupedBy,
  reasonOf,
  registerEvents,
  settlementOf,
} from './settlement.js';

export interface TransferParts {
  readonly queue: OutboundQueue;
  readonly connector: Connector;
  readonly local: LocalReception;
  readonly notices: FailureNotices;
  readonly telemetry: Telemetry;
  /** Epoch milliseconds. */
  readonly clock: () => number;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly backoff: Backoff;
}

/** Milliseconds between tries of a commit: a peer that took the message should not get it twice for a full disk of ours. */
const COMMIT_PAUSES = [500, 1_000, 2_000, 4_000];

export class Transfer {
  readonly #parts: TransferParts;

  constructor(parts: TransferParts) {
    this.#parts = parts;
  }

  /** Never rejects: what could not be settled stays leased until the lease ends. */
  async run(batch: Batch): Promise<void> {
    const { queue, clock, telemetry } = this.#parts;
    const start = performance.now();
    try {
      const late = batch.filter((row) => expired(row, clock()));
      if (late.length > 0) {
        const given = late.map((row) => this.#dispose(row, { kind: 'temporary', error: row.lastError }));
        await this.#settle(given, start);
      }
      for (const rows of batchesOf(batch.filter((row) => !late.includes(row)))) {
        const outcomes = await this.#try(rows, await queue.open(rows[0].contentId));
        const missing: Outcome = { kind: 'temporary', error: 'no verdict' };
        await this.#settle(
          rows.map((row, index) => this.#dispose(row, outcomes[index] ?? missing)),
          start,
        );
      }
    } catch (error) {
      telemetry.event('store.unavailable', { operation: 'settle', error: textOf(error) });
    }
  }

  /** An outcome for each row, in their order; never rejects. */
  async #try(rows: Batch, content: Rope): Promise<Outcome[]> {
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
      const external = kind === 'ordinary' || kind === 'dsn';
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
    const { backoff, random, clock } = this.#parts;
    return { row, disposition: dispose(row, outcome, clock(), retryDelay(backoff, row.attempts, random())) };
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
    await persistently(() => queue.settle({ ...changes.changes(), rows, facts, mustMove: true }));
    this.#tell(disposed, performance.now() - start);
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

  #newChanges(): ChangeSet {
    return new ChangeSet((rope) => this.#parts.queue.pack(rope));
  }

  #tell(disposed: readonly Disposed[], ms: number): void {
    const { telemetry } = this.#parts;
    for (const group of groupedBy(disposed, ({ disposition }) => disposition.kind).values()) {
      const [{ row, disposition }] = group;
      const { identificativo, destination, kind } = row;
      const hop = { identificativo, destination, kind, recipients: group.length };
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

function failureOutcome(error: unknown): Outcome {
  if (error instanceof RouteError) return routeOutcome(error);
  // A peer that does not even greet us may be out of order: no reply of that moment is final.
  if (error instanceof SmtpClientError) return { kind: 'temporary', error: error.message };
  return errorOutcome(error);
}

/** Claimed again since, by whoever thought this relay dead: the row is theirs now. */
const isFence = (error: unknown): boolean => error instanceof StoreConflict && error.what === 'fence';

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

async function persistently(commit: () => Promise<unknown>): Promise<void> {
  for (const wait of COMMIT_PAUSES) {
    try {
      await commit();
      return;
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error;
      await pause(wait);
    }
  }
  await commit();
}
