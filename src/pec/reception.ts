import { anomalyReasons } from './reasons.js';
import { addressKey, distinctAddresses } from './recipients.js';
import type { Daticert } from './types.js';

/** A recipient this gestore answered for already, of the same origin gestore and identificativo. */
export interface KnownReception {
  readonly recipient: string;
  /** Digest of the signed entity. */
  readonly digest: string;
}

/** The RCPTs of one transaction that carried a valid envelope, each in one place. */
export interface SortedRecipients<T extends KnownReception> {
  /** To be taken in charge now. */
  readonly fresh: readonly string[];
  /** Answered for already: their stored receipts go out again (decisions 7). */
  readonly repeated: readonly T[];
  /** To be given an anomaly, with its Italian reason (decisions 6 and 7). */
  readonly anomalies: readonly { readonly recipient: string; readonly reason: string }[];
}

/**
 * Sorts the RCPTs of a valid envelope. An address missing from daticert is an anomaly for that recipient alone
 * (decisions 6). Same gestore, identificativo, digest and RCPT is a repeat; the same id over other bytes is an anomaly
 * for everyone in the transaction, never swallowed (decisions 7).
 */
export function sortRecipients<T extends KnownReception>(
  accepted: readonly string[],
  daticert: Pick<Daticert, 'identificativo' | 'destinatari'>,
  digest: string,
  known: readonly T[],
): SortedRecipients<T> {
  const recipients = distinctAddresses(accepted);
  if (known.some((reception) => reception.digest !== digest)) {
    const reason = anomalyReasons.otherBytes(daticert.identificativo);
    return { fresh: [], repeated: [], anomalies: recipients.map((recipient) => ({ recipient, reason })) };
  }
  const certified = new Set(daticert.destinatari.map((recipient) => addressKey(recipient.address)));
  const answered = new Map(known.map((reception) => [addressKey(reception.recipient), reception]));
  const fresh: string[] = [];
  const repeated: T[] = [];
  const anomalies: { recipient: string; reason: string }[] = [];
  for (const recipient of recipients) {
    const key = addressKey(recipient);
    const before = answered.get(key);
    if (before !== undefined) repeated.push(before);
    else if (certified.has(key)) fresh.push(recipient);
    else anomalies.push({ recipient, reason: anomalyReasons.notAddressed(recipient) });
  }
  return { fresh, repeated, anomalies };
}
