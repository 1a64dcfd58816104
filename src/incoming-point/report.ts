import { composeDsn, type DkimSign, type NotificationPost } from '../delivery-point/index.js';
import type { Issuer } from '../issuing/index.js';
import type { Windows } from '../limits/index.js';
import type { Header } from '../mime/index.js';
import { addressKey, domainOf, isValidAddress, type LegalTime } from '../pec/index.js';
import type { SmtpError } from '../smtp/index.js';
import type { ChangeSet } from '../storage/index.js';
import type { Arrival } from './arrival.js';
import type { SenderChecked } from './sender-check.js';
import { wordsOf } from './uncertified.js';

export interface ReportOptions {
  readonly issuer: Issuer;
  readonly post: NotificationPost;
  readonly hostname: string;
  readonly dkim?: DkimSign | undefined;
  /** Reports sent to senders of whom nobody vouches. */
  readonly reports: Windows;
}

/** A message that some of its recipients do not get, taken for others. */
interface Partial {
  readonly arrival: Arrival;
  readonly header: Header;
  readonly time: LegalTime;
  readonly checked: SenderChecked;
  readonly failures: readonly { readonly recipient: string; readonly answer: SmtpError }[];
}

/** `giveBack` when what was reported did not become durable. */
export interface Report {
  /** Of the DSN; undefined when there is none. */
  readonly messageId: string | undefined;
  giveBack(): void;
}

const NO_REPORT: Report = { messageId: undefined, giveBack: () => undefined };

/** To one sender whose name nobody confirms: enough for who is honest, useless for flooding somebody through us. */
const DOUBTFUL_RATE = { most: 1, within: 3_600_000 };

/**
 * A DSN (RFC 3464) to the sender of ordinary mail about those who do not get it. Never to a forged sender, for whom it would
 * be unsolicited mail, and to one that cannot be verified once an hour.
 */
export async function reportTo(
  options: ReportOptions,
  { arrival, header, time, checked, failures }: Partial,
  changes: ChangeSet,
): Promise<Report> {
  const to = arrival.mailFrom;
  if (failures.length === 0 || !isValidAddress(to) || checked.standing === 'forged') return NO_REPORT;
  const doubtful = checked.standing === 'unknown';
  const rates = doubtful ? [{ key: addressKey(to), rate: DOUBTFUL_RATE }] : [];
  const admission = options.reports.admit(rates, time.epochMs);
  if (!admission.ok) return NO_REPORT;
  const messageId = options.issuer.newId(time);
  const dsn = composeDsn({
    time,
    hostname: options.hostname,
    mailDomain: options.issuer.provider.mailDomain,
    messageId,
    to,
    opening: [
      'Il messaggio è arrivato ad altri destinatari, ma non ai seguenti.',
      'The message reached other recipients, but not the following ones.',
    ],
    recipients: failures.map(({ recipient, answer: { code, enhanced, publicText } }) => ({
      address: recipient,
      status: enhanced,
      diagnostic: `${code} ${enhanced} ${publicText}`,
    })),
    returned: header.bytes,
  });
  const signed = options.dkim === undefined ? dsn : await options.dkim(dsn, time.epochMs);
  changes.enqueue({
    kind: 'dsn',
    identificativo: '',
    sender: to,
    subject: wordsOf(header.text('Subject')),
    origin: options.issuer.provider.name,
    content: await changes.content(signed),
    size: signed.length,
    mailFrom: '',
    recipient: to,
    destination: domainOf(to),
    eightBit: true,
    nextAttempt: time.epochMs,
    giveUpAt: time.epochMs + options.post.giveUpAfter,
  });
  return { messageId, giveBack: () => admission.giveBack() };
}
