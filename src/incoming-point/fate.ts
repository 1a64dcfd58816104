import type { Header } from '../mime/index.js';
import { addressKey } from '../pec/index.js';
import type { Mailbox } from '../storage/index.js';

/** Why ordinary mail does not reach a recipient. */
export type Refusal = 'unknown' | 'rejected' | 'full' | 'loop';

/** What becomes of ordinary mail for one recipient. */
export type Fate =
  | { readonly kind: 'anomaly'; readonly recipient: string; readonly mailbox: Mailbox }
  | { readonly kind: 'forward'; readonly recipient: string; readonly mailbox: Mailbox; readonly to: string }
  | { readonly kind: 'refused'; readonly recipient: string; readonly why: Refusal };

/** Received fields of a message that goes round (RFC 5321 6.3). */
const MOST_HOPS = 100;

/** The rule of each recipient's mailbox, else that of the gestore (decisions 21). */
export function fateOf(
  recipient: string,
  mailbox: Mailbox | undefined,
  gestoreRule: 'reject' | 'anomaly',
  header: Header,
): Fate {
  if (mailbox === undefined || mailbox.kind === 'service' || mailbox.state !== 'active')
    return { kind: 'refused', recipient, why: 'unknown' };
  const rule = mailbox.ordinary ?? { kind: gestoreRule };
  switch (rule.kind) {
    case 'anomaly':
      return { kind: 'anomaly', recipient, mailbox };
    case 'forward':
      if (goesRound(header, mailbox.address)) return { kind: 'refused', recipient, why: 'loop' };
      return { kind: 'forward', recipient, mailbox, to: rule.to };
    case 'reject':
      return { kind: 'refused', recipient, why: 'rejected' };
  }
}

/** What is passed on says where it was: `Delivered-To`. */
export const deliveredTo = (address: string): string => `Delivered-To: ${address}\r\n`;

function goesRound(header: Header, address: string): boolean {
  return (
    header.all('Received').length > MOST_HOPS ||
    header.all('Delivered-To').some(({ raw }) => addressKey(raw) === addressKey(address))
  );
}
