import { type Header, type Mailbox, parseAddresses } from '../mime/index.js';
import { formalReasons as reasons } from './reasons.js';
import { addressKey, distinctAddresses, sameAddress } from './recipients.js';

/** RFC 5322 2.1.1, without the CRLF. */
const LINE_LIMIT = 998;
/**
 * Octets of a header block. Other gestori read 256 KiB of the envelope's and of postacert's, and both grow from this
 * one: To, Cc and the Received fields stand in each.
 */
const HEADER_LIMIT = 128 * 1024;
/** How much of a line that is no field is quoted back to its author. */
const QUOTED = 60;
/**
 * RFC 5322 3.6: at most one of each. From and Bcc have reasons of their own; a doubled Message-ID is collapsed
 * (decisions 15).
 */
const ONCE_ONLY = ['To', 'Cc', 'Reply-To', 'Sender', 'Subject', 'Date'] as const;

/** The provider's limits on one submission. */
export interface FormalLimits {
  /** RCPTs, once each. */
  readonly recipients: number;
  /** Octets times recipients. */
  readonly sizeTimesRecipients: number;
  /** Octets. */
  readonly messageSize: number;
}

/** A submission as the SMTP session took it. */
export interface FormalInput {
  readonly header: Header;
  readonly mailFrom: string;
  /** The accepted RCPTs; one that came twice counts once. */
  readonly recipients: readonly string[];
  /** Octets as received. */
  readonly size: number;
  /** Octets of the longest line, without its CRLF. */
  readonly longestLine: number;
  readonly limits: FormalLimits;
}

/**
 * The formal checks of the access point (RFC 6109 3.1.1, decisions 13). Never throws.
 * @returns the Italian reasons for a non-accettazione of the whole message; empty when there is none
 */
export function formalFaults(input: FormalInput): string[] {
  const recipients = distinctAddresses(input.recipients);
  return [
    ...shapeFaults(input),
    ...senderFaults(input.header, input.mailFrom),
    ...addressingFaults(input.header, recipients),
    ...sizeFaults(input, recipients.length),
  ];
}

/** RFC 6109 3.1.1: formal conformity as defined in [EMAIL]. */
function shapeFaults({ header, longestLine }: FormalInput): string[] {
  const faults: string[] = [];
  const [malformed] = header.malformed;
  if (malformed !== undefined) faults.push(reasons.malformedHeader(quoted(malformed)));
  if (Math.max(longestLine, header.longestLine) > LINE_LIMIT) faults.push(reasons.longLine(LINE_LIMIT));
  if (header.bytes.length > HEADER_LIMIT) faults.push(reasons.longHeader(HEADER_LIMIT));
  for (const name of ONCE_ONLY) if (header.all(name).length > 1) faults.push(reasons.repeatedField(name));
  return faults;
}

function senderFaults(header: Header, mailFrom: string): string[] {
  const fields = header.all('From');
  const [field] = fields;
  if (field === undefined || field.raw.trim() === '') return [reasons.fromAbsent];
  if (fields.length > 1) return [reasons.fromRepeated];
  const list = parseAddresses(field.raw);
  if (!list.valid || list.groups > 0) return [reasons.fromInvalid];
  const [author] = list.mailboxes;
  if (author === undefined) return [reasons.fromAbsent];
  if (list.mailboxes.length > 1) return [reasons.fromSeveral];
  // RFC 6109 3.1.1: the reverse path coincides with From.
  return sameAddress(author.address, mailFrom) ? [] : [reasons.fromDiffers(author.address, mailFrom)];
}

function addressingFaults(header: Header, recipients: readonly string[]): string[] {
  const to = addressesIn(header, 'To');
  const cc = addressesIn(header, 'Cc');
  const faults: string[] = [];
  if (header.all('To').length === 0) faults.push(reasons.toAbsent);
  else if (!to.valid) faults.push(reasons.invalidRecipients('To'));
  else if (to.mailboxes.length === 0) faults.push(reasons.toEmpty);
  if (!cc.valid) faults.push(reasons.invalidRecipients('Cc'));
  // RFC 6109 3.1.1: "Bcc:" does not contain any value.
  if (header.all('Bcc').some((field) => field.raw.trim() !== '')) faults.push(reasons.bcc);
  const written = new Set([...to.mailboxes, ...cc.mailboxes].map((mailbox) => addressKey(mailbox.address)));
  const unread = !to.valid || !cc.valid;
  for (const recipient of recipients) {
    // An address that may stand in the part that could not be read is not said to be missing.
    if (!unread && !written.has(addressKey(recipient))) faults.push(reasons.notAddressed(recipient));
  }
  return faults;
}

function sizeFaults({ size, limits }: FormalInput, recipients: number): string[] {
  const faults: string[] = [];
  const product = size * recipients;
  if (recipients > limits.recipients) faults.push(reasons.tooManyRecipients(recipients, limits.recipients));
  if (size > limits.messageSize) faults.push(reasons.tooLarge(size, limits.messageSize));
  // RFC 6109 3.1.1: the size multiplied by the number of recipients.
  if (product > limits.sizeTimesRecipients) {
    faults.push(reasons.tooLargeTogether(product, limits.sizeTimesRecipients));
  }
  return faults;
}

/** An empty field says nothing and is valid: whether that is enough is asked of To alone. */
function addressesIn(header: Header, name: string): { mailboxes: readonly Mailbox[]; valid: boolean } {
  const lists = header
    .all(name)
    .filter((field) => field.raw.trim() !== '')
    .map((field) => parseAddresses(field.raw));
  return {
    mailboxes: lists.flatMap((list) => list.mailboxes),
    valid: lists.every((list) => list.valid),
  };
}

const quoted = (line: string): string => line.slice(0, QUOTED).replace(/[^\x20-\x7e]/g, '?');
