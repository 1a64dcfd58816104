import type { Rope } from '../rope/index.js';
import type { Mailbox } from '../storage/index.js';

/** A message as the submission session took it: authenticated, addressed, spooled, not yet judged. */
export interface Submission {
  /** The mailbox of the user who logged in. */
  readonly mailbox: Mailbox;
  /** SMTP reverse path: an address of that user. */
  readonly mailFrom: string;
  /** SMTP forward paths in the order given, case kept, each once. */
  readonly recipients: readonly string[];
  readonly message: Rope;
  /** Octets of the longest line, without its CRLF. */
  readonly longestLine: number;
  readonly eightBit: boolean;
  /** The access point's Received line, folded, CRLF-ended. */
  readonly received: (date: string) => string;
}

/** What became of a submission that was answered 250 (decisions 2: one or the other, exactly once). */
export interface Submitted {
  readonly identificativo: string;
  readonly outcome: 'accettazione' | 'non-accettazione';
}
