import { encodeSubject, type Header, parseAddresses } from '../mime/index.js';
import type { Rope } from '../rope/index.js';
import { composeEntity } from './body.js';
import { copied, line, onBehalfOf, oneLine, replyTo } from './header-lines.js';
import { boundariesOf } from './identificativo.js';
import { originalMessageId } from './original-header.js';
import { anomalyWording } from './texts.js';
import { type Composed, type LegalTime, type Provider, serviceAddress } from './types.js';

export interface AnomalyInput {
  readonly provider: Provider;
  /** Arrival of the message. */
  readonly time: LegalTime;
  /** Reverse path, without `<>`; empty for a DSN. */
  readonly mailFrom: string;
  readonly recipients: readonly string[];
  readonly receivedHeader: Header;
  /** The message as received, with the incoming point's Received on top. */
  readonly original: Rope;
  /** Whether `original` has octets above 127, where the caller knows; see `isEightBit`. */
  readonly eightBit?: boolean | undefined;
  /** Italian, one sentence part. */
  readonly reason: string;
  /** Fresh, without `<>`: boundaries hang on it, and it is the Message-ID of a message that came without. */
  readonly messageId: string;
}

/**
 * The busta di anomalia, ready to be signed (RFC 6109 3.2.2): Received, To, Cc and Message-ID of the message as they
 * stand, a text, the whole message, and no daticert: nothing is certified.
 */
export function composeAnomaly(input: AnomalyInput): Composed {
  const { provider, time, receivedHeader } = input;
  const boundaries = boundariesOf(input.messageId);
  const sender = originalSender(receivedHeader, input.mailFrom);
  const subject = receivedHeader.text('Subject') ?? '';
  const { recipients } = input;
  const wording = anomalyWording(time, { subject, sender: sender ?? '', recipients }, input.reason);
  const { entity, eightBit } = composeEntity({
    boundaries,
    wording,
    original: { rope: input.original, eightBit: input.eightBit },
  });
  const header =
    copied(receivedHeader, 'Received') +
    `Subject: ${encodeSubject(wording.prefix, oneLine(subject))}\r\n` +
    `Date: ${time.date}\r\n` +
    (sender === undefined ? copied(receivedHeader, 'Reply-To') : replyTo(receivedHeader, sender)) +
    copied(receivedHeader, 'To') +
    copied(receivedHeader, 'Cc') +
    'X-Trasporto: errore\r\n' +
    line('From', onBehalfOf(sender ?? '', serviceAddress(provider.mailDomain))) +
    (originalMessageId(receivedHeader) === undefined
      ? line('Message-ID', `<${input.messageId}>`)
      : copied(receivedHeader, 'Message-ID')) +
    (eightBit ? 'Content-Transfer-Encoding: 8bit\r\n' : '');
  return { header, entity, boundary: boundaries.signed };
}

/** Octets of an address that can be one (RFC 5321 4.5.3.1); longer ones would not fit a header line. */
const ADDRESS_LIMIT = 320;

/** Whom the message names as its author; the reverse path, which mailing services vary, only where that is missing. */
function originalSender(header: Header, mailFrom: string): string | undefined {
  const author = parseAddresses(header.raw('From') ?? '').mailboxes[0]?.address ?? '';
  return [author, mailFrom].find((address) => address !== '' && address.length <= ADDRESS_LIMIT);
}
