/** An entry of the register as it is hashed: the fields of RFC 6109 2.3, the gestore, and where and when it stands. */
export interface LedgerEvent {
  readonly lane: number;
  readonly seq: number;
  /** Epoch milliseconds. */
  readonly recordedAt: number;
  readonly identificativo: string;
  /** Epoch milliseconds. */
  readonly at: number;
  readonly event: string;
  readonly sender: string;
  readonly recipients: readonly string[];
  readonly subject: string;
  readonly related: readonly string[];
  readonly gestore: string;
  readonly detail: Readonly<Record<string, string>>;
}

/** Leads every encoding: another order of fields is another format, and may never be taken for this one. */
const FORMAT = 'ceralacca.event.1';

/**
 * The bytes an entry's leaf commits to: a JSON array in UTF-8, fields in fixed order, `detail` as pairs sorted by key.
 * Two entries that differ in any field never share an encoding: JSON strings are self-delimiting, and a lone surrogate
 * is written as an escape.
 */
export function canonicalEvent(event: LedgerEvent): Buffer {
  const detail = Object.entries(event.detail).sort(([a], [b]) => (a < b ? -1 : 1));
  const fields = [
    FORMAT,
    event.lane,
    event.seq,
    event.recordedAt,
    event.identificativo,
    event.at,
    event.event,
    event.sender,
    event.recipients,
    event.subject,
    event.related,
    event.gestore,
    detail,
  ];
  return Buffer.from(JSON.stringify(fields), 'utf8');
}
