import { encodeQuotedPrintable, multipart, part } from '../mime/index.js';
import type { LegalTime } from '../pec/index.js';
import { Rope } from '../rope/index.js';

/** A recipient that could not be reached, and what was said. */
export interface FailedRecipient {
  readonly address: string;
  /** RFC 3463, class 5. */
  readonly status: string;
  /** The peer's reply, or our own finding; one line. */
  readonly diagnostic: string;
}

export interface DsnInput {
  readonly time: LegalTime;
  readonly hostname: string;
  readonly mailDomain: string;
  /** Without angle brackets. */
  readonly messageId: string;
  readonly to: string;
  /** What happened, in Italian and in English, a sentence each that the recipients follow. */
  readonly opening: readonly [string, string];
  readonly recipients: readonly FailedRecipient[];
  /** Header block of the message that did not arrive. */
  readonly returned: Buffer;
}

/** A delivery status notification for ordinary mail (RFC 3464, RFC 6522), canonical CRLF. */
export function composeDsn(input: DsnInput): Rope {
  const boundary = `dsn-${input.messageId.replace(/[^0-9A-Za-z]/g, '').slice(-48)}`;
  const text = part(
    ['Content-Type: text/plain; charset=utf-8', 'Content-Transfer-Encoding: quoted-printable'],
    encodeQuotedPrintable(Buffer.from(wording(input), 'utf8')),
  );
  const status = part(['Content-Type: message/delivery-status'], deliveryStatus(input));
  const returned = part(['Content-Type: text/rfc822-headers'], Rope.of(input.returned));
  return multipart(
    'report; report-type=delivery-status',
    boundary,
    [text, status, returned],
    [
      `From: Mail Delivery System <MAILER-DAEMON@${input.mailDomain}>`,
      `To: ${input.to}`,
      'Subject: Mancata consegna / Delivery failure',
      `Date: ${input.time.date}`,
      `Message-ID: <${input.messageId}>`,
      'Auto-Submitted: auto-replied',
      'MIME-Version: 1.0',
    ],
  );
}

function wording({ opening, recipients }: DsnInput): string {
  const list = recipients.map(({ address, diagnostic }) => `${address}: ${oneLine(diagnostic)}`);
  return [...opening, '', ...list, ''].join('\r\n');
}

function deliveryStatus({ hostname, time, recipients }: DsnInput): string {
  const groups = recipients.map(
    ({ address, status, diagnostic }) =>
      `Final-Recipient: rfc822; ${oneLine(address)}\r\nAction: failed\r\nStatus: ${status}\r\n` +
      `Diagnostic-Code: smtp; ${oneLine(diagnostic)}\r\n`,
  );
  return [`Reporting-MTA: dns; ${hostname}\r\nArrival-Date: ${time.date}\r\n`, ...groups].join('\r\n');
}

/** A peer's words are not trusted to stay on their line. */
const oneLine = (text: string): string => text.replace(/[^\x20-\x7e]+/g, ' ').slice(0, 500);
