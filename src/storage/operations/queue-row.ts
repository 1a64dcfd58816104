import type { QueueRow } from '../records.js';

/** A row of the queue as it is stored. */
export type StoredRow = Omit<QueueRow, 'eightBit'> & { readonly eightBit: number };

export const columns = [
  'id',
  'kind',
  'identificativo',
  'sender',
  'subject',
  'origin',
  'content_id as contentId',
  'size',
  'mail_from as mailFrom',
  'recipient',
  'destination',
  'eight_bit as eightBit',
  'next_attempt as nextAttempt',
  'give_up_at as giveUpAt',
  'state',
  'attempts',
  'last_error as lastError',
  'created_at as createdAt',
  'fence',
  'lease_owner as leaseOwner',
  'lease_until as leaseUntil',
] as const;

export const asRow = (row: StoredRow): QueueRow => ({ ...row, eightBit: row.eightBit === 1 });
