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
