/**
 * The notices of silence (RFC 6109 3.1.6). The deadlines are rows of the store and nothing else is remembered, so that
 * a restart, or another process, goes on where this one was. Invariant: a notice, its place in the mailbox and the move
 * to the next deadline are one commit, which is refused when a receipt came first: none is sent twice, nor after one.
 */
import { certifiedOf, issueToOwnUser } from '../delivery-point/index.js';
import type { Issuer } from '../issuing/index.js';
import { addressKey, legalTime } from '../pec/index.js';
import {
  ChangeSet,
  type DueNotice,
  type NoticeStep,
  type Store,
  StoreConflict,
  StoreUnavailable,
} from '../storage/index.js';
import type { Telemetry } from '../telemetry/index.js';

export interface SilenceOptions {
  readonly store: Pick<Store, 'read' | 'write' | 'pack'>;
  readonly issuer: Issuer;
  readonly telemetry: Telemetry;
  /** Epoch milliseconds. */
  readonly clock: () => number;
}

/** What one look at the deadlines came to. */
export interface SilenceLook {
  readonly issued: number;
  /** Due still, since they could not be issued. */
  readonly failed: number;
  /** Epoch milliseconds of the earliest deadline; null when nothing is awaited. */
  readonly nextAt: number | null;
}

/** Rows read at once, and notices signed and committed at once. */
const PAGE = 128;
const TOGETHER = 8;

/** Tells our users about the recipients of whom nothing was heard. */
export class SilenceNotices {
  constructor(private readonly options: SilenceOptions) {}

  /**
   * Issues what is due now, the oldest first. One that cannot be issued stays due and stops no other; an alarm stands meanwhile.
   * @param stop ends the look after the notices in hand
   * @throws StoreUnavailable
   */
  async issueDue(stop?: AbortSignal): Promise<SilenceLook> {
    const now = this.options.clock();
    const failures = new Map<string, Failure>();
    let issued = 0;
    for await (const page of this.pages(now)) {
      if (stop?.aborted) break;
      for (let first = 0; first < page.length && !stop?.aborted; first += TOGETHER) {
        const together = page.slice(first, first + TOGETHER);
        const counts = await Promise.all(together.map((due) => this.attempt(due, now, failures)));
        issued += counts.reduce((sum, count) => sum + count, 0);
      }
    }
    this.tell(failures);
    return { issued, failed: failures.size, nextAt: await this.options.store.read('nextNoticeAt', {}) };
  }

  private async *pages(now: number): AsyncGenerator<DueNotice[]> {
    for (let page = await this.page(now); ; page = await this.page(now, page.at(-1))) {
      yield page;
      if (page.length < PAGE) return;
    }
  }

  private page(now: number, last?: DueNotice): Promise<DueNotice[]> {
    const after = last && {
      dueAt: last.dueAt,
      identificativo: last.tracking.identificativo,
      recipient: last.tracking.recipient,
    };
    return this.options.store.read('dueNotices', { now, limit: PAGE, after });
  }

  /** @returns how many notices were issued about this recipient */
  private async attempt(due: DueNotice, now: number, failures: Map<string, Failure>): Promise<number> {
    const { identificativo, recipient, secondNoticeAt } = due.tracking;
    // After a long stop both are due: "two timeout PEC notifications are generated" (RFC 6109 3.1.6).
    const both = due.step === '12h' && secondNoticeAt !== null && secondNoticeAt <= now;
    let issued = 0;
    try {
      for (const step of both ? (['12h', '24h'] as const) : [due.step]) {
        await this.issue(due, step);
        issued += 1;
      }
    } catch (error) {
      if (error instanceof StoreUnavailable) throw error;
      // A receipt came in, or another process was faster.
      if (error instanceof StoreConflict && error.what === 'state') return issued;
      const reason = error instanceof Error ? error.message : String(error);
      failures.set(`${identificativo} ${addressKey(recipient)}`, { identificativo, reason });
    }
    return issued;
  }

  private async issue({ outgoing, tracking }: DueNotice, step: NoticeStep): Promise<void> {
    const { store, issuer, telemetry, clock } = this.options;
    const { identificativo } = outgoing;
    const { recipient } = tracking;
    const changes = new ChangeSet((rope) => store.pack(rope));
    await issueToOwnUser(
      issuer,
      {
        time: legalTime(clock()),
        mailboxId: outgoing.mailboxId,
        // Decisions 3: to MAIL FROM.
        to: outgoing.sender,
        certified: certifiedOf(outgoing),
        notification: { kind: 'preavviso-errore-consegna', recipient, step },
        detail: { avviso: step },
      },
      changes,
    );
    await store.write('commitNotice', {
      ...changes.changes(),
      notices: [{ identificativo, recipient, step }],
    });
    telemetry.event('notice.sent', { identificativo, recipient, step });
  }

  private tell(failures: ReadonlyMap<string, Failure>): void {
    const { telemetry } = this.options;
    const [failure] = failures.values();
    if (failure === undefined) {
      telemetry.clear('silence-notice', '');
      return;
    }
    const reason = `notices of silence that cannot be issued: ${failures.size}; one, about ${failure.identificativo}, because: ${failure.reason}`;
    telemetry.raise('silence-notice', '', reason);
  }
}

interface Failure {
  readonly identificativo: string;
  readonly reason: string;
}
