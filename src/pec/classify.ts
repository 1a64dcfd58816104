import { type Header, parseContentType } from '../mime/index.js';
import { formReasons } from './reasons.js';
import { type NotificationKind, TIPI } from './types.js';

/**
 * What a message says it is. The outer header is not signed (decisions 5): this only chooses which form is demanded.
 * `signed` tells whether there is an S/MIME structure to verify (RFC 6109 2.2.2, signature existence).
 */
export type Classified =
  | { readonly kind: 'envelope'; readonly signed: true }
  | { readonly kind: 'notification'; readonly signed: true; readonly tipo: NotificationKind }
  | { readonly kind: 'anomaly'; readonly signed: true }
  | {
      readonly kind: 'ordinary';
      readonly signed: boolean;
      /** What is wrong with it if a gestore turns out to have signed it: it is of no known form. Italian. */
      readonly fault: string;
    };

/** The verification of origin and validity (RFC 6109 2.2.2): `unavailable` when the revocation list is (decisions 21). */
export type SignatureState = 'absent' | 'valid' | 'invalid' | 'unavailable';

/**
 * What the incoming point does with a message: `take` an envelope, `deliver` a notification, `wrap` in an anomaly
 * envelope whatever the mailbox's rule, treat as `ordinary` mail, `pass` a peer's anomaly on as it is, or ask to come
 * back `later`.
 */
export type Arrival = 'take' | 'deliver' | 'wrap' | 'ordinary' | 'pass' | 'later';

/** Classifies by `X-Trasporto`, `X-Ricevuta` and the top-level content type. Never throws. */
export function classify(header: Header): Classified {
  const transport = markerOf(header, 'X-Trasporto');
  const receipt = markerOf(header, 'X-Ricevuta');
  if (!isSigned(header)) return { kind: 'ordinary', signed: false, fault: formReasons.markersAbsent };
  if (transport.length + receipt.length === 0) return strange(formReasons.markersAbsent);
  if (transport.length + receipt.length > 1) return strange(formReasons.markersContradict);
  const [carried] = transport;
  if (carried === 'posta-certificata') return { kind: 'envelope', signed: true };
  if (carried === 'errore') return { kind: 'anomaly', signed: true };
  if (carried !== undefined) return strange(formReasons.markerUnknown('X-Trasporto', carried));
  const tipo = NOTIFICATION_KINDS.find((kind) => kind === receipt[0]);
  if (tipo !== undefined) return { kind: 'notification', signed: true, tipo };
  return strange(formReasons.markerUnknown('X-Ricevuta', receipt[0] ?? ''));
}

/**
 * Decisions 21: existence, origin or validity fails, and it is ordinary mail; all three pass and the form fails, and
 * it is an anomaly. Decisions 8: a peer's anomaly is never wrapped again.
 * @param formFaults of `readEnvelope`, `readNotification` or `readAnomaly`; not looked at for ordinary mail
 */
export function arrivalOf(
  kind: Classified['kind'],
  signature: SignatureState,
  formFaults: readonly string[],
): Arrival {
  if (signature === 'unavailable') return 'later';
  if (signature !== 'valid') return 'ordinary';
  if (kind === 'ordinary' || formFaults.length > 0) return 'wrap';
  if (kind === 'anomaly') return 'pass';
  return kind === 'envelope' ? 'take' : 'deliver';
}

/** Whether somebody must hear that this message went nowhere. Decisions 8: receipts never breed, nor do anomalies. */
export const mayCauseNotices = (kind: Classified['kind']): boolean =>
  kind === 'envelope' || kind === 'ordinary';

const NOTIFICATION_KINDS = TIPI.filter((tipo): tipo is NotificationKind => tipo !== 'posta-certificata');

const strange = (fault: string): Classified => ({ kind: 'ordinary', signed: true, fault });

/** The field's values in lower case; the same value said twice counts once. */
const markerOf = (header: Header, name: string): string[] => [
  ...new Set(header.all(name).map((field) => field.raw.trim().toLowerCase())),
];

/** pec-format 1.2: both `application/pkcs7-signature` and its `x-` form are in use. */
function isSigned(header: Header): boolean {
  const { type, subtype, parameters } = parseContentType(header.raw('Content-Type'));
  if (type !== 'multipart' || subtype !== 'signed') return false;
  const protocol = parameters.get('protocol')?.trim().toLowerCase();
  return protocol === undefined || /^application\/(?:x-)?pkcs7-signature$/.test(protocol);
}
