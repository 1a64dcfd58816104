import { type Certified, domainOf, serviceAddress } from '../pec/index.js';
import type { ChangeSet, ContentRef } from '../storage/index.js';

/** How notifications leave this gestore. */
export interface NotificationPost {
  readonly mailDomain: string;
  /** Milliseconds after which an undelivered notification is held (decisions 10). */
  readonly giveUpAfter: number;
}

/** A notification sealed and stored, to be sent. */
export interface Posted {
  readonly content: ContentRef;
  /** Octets. */
  readonly size: number;
  /** What it speaks of, and the gestore that sealed it. */
  readonly certified: Certified;
  readonly origin: string;
  readonly to: string;
  /** Epoch milliseconds. */
  readonly at: number;
}

/** Queues a notification to one address. Its reverse path is the signing address (pec-format 1.1). */
export function enqueueNotification(changes: ChangeSet, post: NotificationPost, posted: Posted): void {
  changes.enqueue({
    kind: 'notification',
    identificativo: posted.certified.identificativo,
    sender: posted.certified.sender,
    subject: posted.certified.subject,
    origin: posted.origin,
    content: posted.content,
    size: posted.size,
    mailFrom: serviceAddress(post.mailDomain),
    recipient: posted.to,
    destination: domainOf(posted.to),
    // The notification may carry an 8-bit original (decisions 17).
    eightBit: true,
    nextAttempt: posted.at,
    giveUpAt: posted.at + post.giveUpAfter,
  });
}
