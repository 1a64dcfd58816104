import type { DaySeal, RegisterRow } from '../../storage/index.js';
import { legalInstant } from '../day.js';

/** Leads the first line of a day's file: other lines or other names are another format. */
const FORMAT = 'ceralacca.day.1';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const instant = (epochMs: number): string => new Date(epochMs).toISOString();

/** The first line: which day, which span of each lane, which root. Instants are UTC. */
export const headerLine = (seal: DaySeal, gestore: string): string =>
  JSON.stringify({
    format: FORMAT,
    gestore,
    day: seal.day,
    part: seal.part,
    zone: 'Europe/Rome',
    from: instant(seal.recordedFrom),
    to: instant(seal.recordedTo),
    sealedAt: instant(seal.sealedAt),
    entries: seal.entries,
    lanes: seal.lanes,
    root: hex(seal.root),
  });

/** A line for each entry: all that its leaf commits to, with the salt, the leaf and the link. */
export const entryLine = (row: RegisterRow): string =>
  JSON.stringify({
    lane: row.lane,
    seq: row.seq,
    recordedAt: instant(row.recordedAt),
    identificativo: row.identificativo,
    at: instant(row.at),
    event: row.event,
    sender: row.sender,
    recipients: row.recipients,
    subject: row.subject,
    related: row.related,
    gestore: row.gestore,
    detail: row.detail,
    salt: hex(row.salt),
    leaf: hex(row.leaf),
    link: hex(row.link),
  });

/** The table for eyes: RFC 4180 with a byte order mark, the times those of Italy. */
export const TABLE_HEAD = `\ufeff${[
  'ora',
  'evento',
  'identificativo',
  'mittente',
  'destinatari',
  'oggetto',
  'riferimenti',
  'gestore',
  'dettagli',
  'registrato',
  'corsia',
  'numero',
].join(',')}\r\n`;

export const tableLine = (row: RegisterRow): string =>
  `${[
    legalInstant(row.at),
    row.event,
    row.identificativo,
    row.sender,
    row.recipients.join(' '),
    row.subject,
    row.related.join(' '),
    row.gestore,
    Object.entries(row.detail)
      .map(([name, value]) => `${name}: ${value}`)
      .join('; '),
    legalInstant(row.recordedAt),
    String(row.lane),
    String(row.seq),
  ]
    .map(cell)
    .join(',')}\r\n`;

/** What strangers wrote must not be a formula where the table is opened. */
function cell(text: string): string {
  const safe = /^[\s]*[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
