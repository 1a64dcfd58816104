import { encodePhrase, encodeQuotedPrintable, part } from '../mime/index.js';
import { type Certified, domainOf, type LegalTime, type Provider } from '../pec/index.js';
import type { Rope } from '../rope/index.js';
import type { ChangeSet } from '../storage/index.js';
import type { EnvelopeInHand } from './envelope-in-hand.js';
import type { NotificationPost } from './post.js';

/** Signs with the mail domain's DKIM key. @param at epoch milliseconds */
export type DkimSign = (message: Rope, at: number) => Promise<Rope>;

export interface WatchedNoticeOptions {
  readonly issuer: { readonly provider: Provider; newId(time: LegalTime): string };
  readonly post: NotificationPost;
  readonly dkim?: DkimSign | undefined;
}

/** Queues a short word to each ordinary address that is to be told of this sender's messages: it certifies nothing. */
export async function enqueueWatchedNotices(
  options: WatchedNoticeOptions,
  { time, certified, origin }: EnvelopeInHand,
  recipient: string,
  notified: readonly string[],
  changes: ChangeSet,
): Promise<void> {
  for (const to of notified) {
    const notice = composeNotice(options, time, certified, recipient, to);
    const signed = options.dkim === undefined ? notice : await options.dkim(notice, time.epochMs);
    changes.enqueue({
      kind: 'notice',
      identificativo: certified.identificativo,
      sender: certified.sender,
      subject: certified.subject,
      origin,
      content: await changes.content(signed),
      size: signed.length,
      // Nobody wants to hear that it did not arrive (RFC 3834 4).
      mailFrom: '',
      recipient: to,
      destination: domainOf(to),
      eightBit: false,
      nextAttempt: time.epochMs,
      giveUpAt: time.epochMs + options.post.giveUpAfter,
    });
  }
}

function composeNotice(
  { issuer }: WatchedNoticeOptions,
  time: LegalTime,
  { sender, subject }: Certified,
  recipient: string,
  to: string,
): Rope {
  const { name, mailDomain } = issuer.provider;
  const lines = [
    `Nella casella ${recipient} è arrivato un messaggio di posta certificata.`,
    `A certified message has come to the mailbox ${recipient}.`,
    '',
    `Mittente / Sender: ${sender}`,
    `Oggetto / Subject: ${subject}`,
    '',
    'Questo avviso non ha valore legale: il messaggio si legge nella casella.',
    'This notice has no legal value: the message is read in the mailbox.',
    '',
  ];
  return part(
    [
      `From: ${encodePhrase(name)} <MAILER-DAEMON@${mailDomain}>`,
      `To: ${to}`,
      'Subject: Nuovo messaggio di posta certificata / New certified message',
      `Date: ${time.date}`,
      `Message-ID: <${issuer.newId(time)}>`,
      'Auto-Submitted: auto-generated',
      'MIME-Version: 1.0',
      'Content-Type: text/plain; charset=utf-8',
      'Content-Transfer-Encoding: quoted-printable',
    ],
    encodeQuotedPrintable(Buffer.from(lines.join('\r\n'), 'utf8')),
  );
}
