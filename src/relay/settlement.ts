import type { QueueRow, RegisterEvent } from '../storage/index.js';
import type { Disposition } from './outcome.js';
import type { FailedRow, Settlement } from './ports.js';

/** A row and where it goes. */
export interface Disposed {
  readonly row: QueueRow;
  readonly disposition: Disposition;
}

/** Rows of one content, sender and destination: one SMTP transaction. Never empty. */
export type Batch = readonly [QueueRow, ...QueueRow[]];

export function batchesOf(rows: readonly QueueRow[]): Batch[] {
  const key = ({ contentId, destination, kind, mailFrom }: QueueRow): string =>
    [contentId, destination, kind, mailFrom].join(' ');
  return [...groupedBy(rows, key).values()];
}

export function groupedBy<T>(
  items: readonly T[],
  key: (item: T) => string,
): Map<string, readonly [T, ...T[]]> {
  const groups = new Map<string, readonly [T, ...T[]]>();
  for (const item of items) {
    const group = groups.get(key(item));
    groups.set(key(item), group === undefined ? [item] : [...group, item]);
  }
  return groups;
}

/** What the queue is told. */
export function settlementOf({ row: { id, fence, attempts }, disposition }: Disposed): Settlement {
  const claim = { id, fence, attempts };
  switch (disposition.kind) {
    case 'retry':
      return { ...claim, result: 'retry', nextAttempt: disposition.at, error: disposition.error };
    case 'held':
      return { ...claim, result: 'held', error: disposition.error };
    default:
      return { ...claim, result: 'done' };
  }
}

export function failuresOf(disposed: readonly Disposed[]): FailedRow[] {
  return disposed.flatMap(({ row, disposition }) =>
    disposition.kind === 'failed' ? [{ row, failure: disposition.failure }] : [],
  );
}

/** The peer's words, or ours. */
export function reasonOf(disposition: Disposition): string {
  if (disposition.kind === 'sent') return disposition.answer;
  return disposition.kind === 'failed' ? disposition.failure.text : disposition.error;
}

/** What the register keeps: handing over, and giving up. A try that will be repeated is not an operation on the message. */
export function registerEvents(disposed: readonly Disposed[], at: number): RegisterEvent[] {
  const final = disposed.filter(({ disposition }) => disposition.kind !== 'retry');
  const groups = groupedBy(final, ({ disposition }) => `${disposition.kind} ${reasonOf(disposition)}`);
  return [...groups.values()].map((group) => {
    const [{ row, disposition }] = group;
    return {
      identificativo: row.identificativo,
      at,
      event: disposition.kind === 'sent' ? 'inoltro' : 'inoltro-fallito',
      sender: row.sender,
      recipients: group.map((each) => each.row.recipient),
      subject: row.subject,
      related: [],
      gestore: row.origin,
      detail: { tipo: row.kind, risposta: reasonOf(disposition) },
    };
  });
}
