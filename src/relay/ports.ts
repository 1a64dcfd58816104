/** What the relay needs of the rest of the house; gestore.ts wires it. */
import type { Rope } from '../rope/index.js';
import type {
  BelievedTimes,
  ChangeSet,
  Changes,
  PackedRope,
  QueueRow,
  QueueScope,
  RecipientFact,
  Store,
} from '../storage/index.js';

/** What came of one claimed row. */
export interface Settlement {
  readonly id: number;
  readonly fence: number;
  readonly result: 'done' | 'retry' | 'held';
  readonly nextAttempt?: number | undefined;
  readonly error?: string | undefined;
}

/** The queue as the relay uses it: the Store's operations of the same names. */
export interface OutboundQueue {
  claimDue(
    input: QueueScope &
      BelievedTimes & {
        readonly now: number;
        readonly owner: string;
        readonly leaseUntil: number;
        readonly limit: number;
      },
  ): Promise<QueueRow[]>;
  settle(
    input: Changes & {
      readonly rows: readonly Settlement[];
      readonly facts: readonly RecipientFact[];
      /** A fact that no longer moves the tracking undoes the settlement: its notice must not be sent. */
      readonly mustMove: boolean;
    },
  ): Promise<unknown>;
  releaseOwn(input: {
    readonly owner: string;
    readonly inHand?: readonly number[] | undefined;
  }): Promise<unknown>;
  /** For each scope whether a claim would give rows; epoch milliseconds of the next due row, null when none waits. */
  dueScopes(
    input: BelievedTimes & { readonly now: number; readonly scopes: readonly QueueScope[] },
  ): Promise<{ readonly due: readonly boolean[]; readonly nextAttempt: number | null }>;
  open(contentId: number): Promise<Rope>;
  pack(rope: Rope): Promise<PackedRope>;
  /** Calls `listener` after every commit that touched the queue. @returns what ends it */
  onNews(listener: () => void): () => void;
}

/** The queue of a Store. */
export function storeQueue(store: Store): OutboundQueue {
  return {
    claimDue: (input) => store.write('claimDue', input),
    settle: (input) => store.write('settle', input),
    releaseOwn: (input) => store.write('releaseOwn', input),
    dueScopes: (input) => store.read('dueScopes', input),
    open: (contentId) => store.openProved(contentId),
    pack: (rope) => store.pack(rope),
    onNews: (listener) =>
      store.onCommit((news) => {
        if (news.queue || news.elsewhere === true) listener();
      }),
  };
}

/** Our own incoming point: a recipient of ours is handed over without a socket (architecture 3.2). */
export interface LocalReception {
  /** Whether we manage this domain (ASCII lower case). */
  isOwnDomain(domain: string): boolean;
  /** The domains we manage (ASCII lower case), as they are now. */
  domains(): Promise<readonly string[]>;
  /**
   * Takes the message for these recipients; durable when it resolves.
   * @throws SmtpError as an SMTP peer would answer: 4xx is tried again, 5xx is final; MimeError, which is final; anything else
   * is tried again
   */
  receive(arrival: {
    readonly mailFrom: string;
    readonly recipients: readonly string[];
    readonly message: Rope;
    readonly eightBit: boolean;
    readonly secure: boolean;
    readonly peer: string;
  }): Promise<void>;
}

/** Why a recipient cannot be reached, for good. */
export type Failure =
  | { readonly kind: 'refused'; readonly enhanced?: string | undefined; readonly text: string }
  /** The DNS says there is no such domain, or that it takes no mail. */
  | { readonly kind: 'no-domain' | 'no-mail'; readonly text: string }
  | { readonly kind: 'expired'; readonly text: string };

export interface FailedRow {
  readonly row: QueueRow;
  readonly failure: Failure;
}

/**
 * Adds to the commit that takes failed rows out of the queue what the sender is told: errore-consegna for kind 'envelope', a
 * DSN for kind 'ordinary'. The rows are of one content; other kinds never come here.
 * @returns the facts that close the tracking
 * @throws when the notices cannot be made now: the rows are tried again later
 */
export type FailureNotices = (failed: readonly FailedRow[], changes: ChangeSet) => Promise<RecipientFact[]>;
