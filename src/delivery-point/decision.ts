import type { LocalCause } from '../pec/index.js';
import type { Mailbox } from '../storage/index.js';

/** What will happen to a certified message for one recipient. */
export type Decision =
  | { readonly kind: 'deliver'; readonly mailbox: Mailbox }
  | { readonly kind: 'refuse'; readonly cause: LocalCause };

/**
 * RFC 6109 3.3.1 and pec-format 9. The commit checks again that the mailbox is still as it was here.
 * @param size octets of the message as it will be stored
 * @param coming octets the same commit puts there for other recipients
 */
export function decide(mailbox: Mailbox | undefined, size: number, coming = 0): Decision {
  if (mailbox === undefined || mailbox.kind === 'service')
    return { kind: 'refuse', cause: 'unknown-mailbox' };
  if (mailbox.state === 'revoked') return { kind: 'refuse', cause: 'revoked-mailbox' };
  if (mailbox.state === 'suspended') return { kind: 'refuse', cause: 'suspended-mailbox' };
  if (mailbox.used + coming + size > mailbox.quota) return { kind: 'refuse', cause: 'full-mailbox' };
  return { kind: 'deliver', mailbox };
}
