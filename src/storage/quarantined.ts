/** Infected messages kept apart (RFC 6109 2.2.4). The message itself is a content of ciphertext; the rest needs no key. */
import type { ContentRef } from './content-ref.js';

/** Which message it was: one of our users', or what a gestore sent. */
export type QuarantinedKind = 'submission' | 'envelope' | 'notification' | 'anomaly';

export interface NewQuarantined {
  /** Unique; the ciphertext is bound to it. */
  readonly id: string;
  readonly at: number;
  readonly kind: QuarantinedKind;
  /** Of the message it carries or speaks of; empty where it has none. */
  readonly identificativo: string;
  /** The gestore that sent it: ours for a submission. */
  readonly gestore: string;
  readonly sender: string;
  readonly recipients: readonly string[];
  readonly subject: string;
  readonly virus: string;
  /** Engine and signature version that found it. */
  readonly engine: string;
  /** SHA-256 of the message, lower-case hex, and its octets. */
  readonly sha256: string;
  readonly size: number;
  /** Which key opens it. */
  readonly keyId: string;
  readonly content: ContentRef;
}

export interface QuarantinedRow extends Omit<NewQuarantined, 'content'> {
  readonly contentId: number;
  /** Octets of the ciphertext. */
  readonly sealedSize: number;
}

/** Where a page of the quarantine ended; the next one starts after it. */
export interface QuarantinePlace {
  readonly at: number;
  readonly id: string;
}
