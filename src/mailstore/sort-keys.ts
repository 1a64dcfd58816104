/** What messages are sorted and threaded by (RFC 5256 2 and 3; RFC 5957 for the display names). */
import { decodeWords, type Header, parseAddresses } from '../mime/index.js';
import { envelopeAddresses } from '../wire/imap/index.js';
import { baseSubject } from './base-subject.js';

export interface SortKeys {
  /** The Date field in epoch milliseconds; null when there is none to be read. */
  readonly sent: number | null;
  /** The day it names, zone apart (RFC 9051 6.4.4, SENTON), as its number since 1970. */
  readonly sentDay: number | null;
  /** RFC 5256 2.1: base subject; `reply` when something was taken off. */
  readonly subject: string;
  readonly reply: boolean;
  /** The first address's mailbox, upper case (RFC 5256 3). */
  readonly from: string;
  readonly to: string;
  readonly cc: string;
  /** The first address's name, else its address (RFC 5957). */
  readonly displayFrom: string;
  readonly displayTo: string;
  /** Without brackets; '' when there is none. */
  readonly messageId: string;
  /** References, or In-Reply-To's first (RFC 5256 3). */
  readonly references: readonly string[];
}

/** Message-IDs of one References field. */
const REFERENCES = 100;

export function sortKeys(header: Header): SortKeys {
  const { base, reply } = baseSubject(header.text('subject') ?? '');
  const references = messageIds(header.raw('references') ?? '');
  const date = sentAt(header.raw('date'));
  return {
    sent: date?.at ?? null,
    sentDay: date?.day ?? null,
    subject: base,
    reply,
    from: mailboxKey(header, 'from'),
    to: mailboxKey(header, 'to'),
    cc: mailboxKey(header, 'cc'),
    displayFrom: displayKey(header, 'from'),
    displayTo: displayKey(header, 'to'),
    messageId: messageIds(header.raw('message-id') ?? '')[0] ?? '',
    references: references.length > 0 ? references : messageIds(header.raw('in-reply-to') ?? '').slice(0, 1),
  };
}

function mailboxKey(header: Header, name: string): string {
  const first = envelopeAddresses(header.raw(name) ?? '')[0];
  return (first?.mailbox ?? '').toUpperCase();
}

function displayKey(header: Header, name: string): string {
  const raw = header.raw(name) ?? '';
  const first = envelopeAddresses(raw)[0];
  if (first === undefined) return '';
  // A group is shown by its name.
  if (first.host === undefined) return decodeWords(first.mailbox ?? '').toUpperCase();
  if (first.name) return decodeWords(first.name).toUpperCase();
  return (parseAddresses(raw).mailboxes[0]?.address ?? first.mailbox ?? '').toUpperCase();
}

const messageIds = (raw: string): string[] =>
  [...raw.slice(0, 64 * 1024).matchAll(/<([^<>\s]+)>/g)].slice(0, REFERENCES).map(([, id = '']) => id);

const MONTHS = 'janfebmaraprmayjunjulaugsepoctnovdec';
const DATE =
  /(\d{1,2})[ \t]+([a-z]{3})[a-z]*[ \t]+(\d{2,4})[ \t]+(\d{1,2}):(\d{2})(?::(\d{2}))?(?:[ \t]+(?:([+-])(\d{2})(\d{2})|([a-z]{1,5})))?/i;
/** RFC 5322 4.3. */
const ZONES: Readonly<Record<string, number>> = {
  EDT: -4,
  EST: -5,
  CDT: -5,
  CST: -6,
  MDT: -6,
  MST: -7,
  PDT: -7,
  PST: -8,
};

/** A Date field (RFC 5322 3.3 and 4.3), comments apart; null for what is none. */
export function sentAt(raw: string | undefined): { at: number; day: number } | null {
  const found = DATE.exec((raw ?? '').slice(0, 200));
  if (found === null) return null;
  const [, day, month = '', year = '', hour, minute, second, sign, zoneHour, zoneMinute, name = ''] = found;
  const monthAt = MONTHS.indexOf(month.toLowerCase());
  if (monthAt < 0 || monthAt % 3 !== 0) return null;
  const years =
    Number(year) + (year.length === 2 ? (Number(year) < 50 ? 2000 : 1900) : year.length === 3 ? 1900 : 0);
  const local = Date.UTC(years, monthAt / 3, Number(day), Number(hour), Number(minute), Number(second ?? 0));
  const minutes =
    sign === undefined
      ? (ZONES[name.toUpperCase()] ?? 0) * 60
      : (Number(zoneHour) * 60 + Number(zoneMinute)) * (sign === '-' ? -1 : 1);
  return Number.isFinite(local)
    ? { at: local - minutes * 60_000, day: Math.floor(local / 86_400_000) }
    : null;
}
