import type { NotificationKind } from './types.js';

/**
 * IMAP keywords that are set at delivery, one for each kind of message, so that any mail program can filter by them. They are the
 * user's to change: nothing here is decided by them.
 */
const NOTIFICATIONS: Readonly<Record<NotificationKind, string>> = {
  accettazione: '$Accettazione',
  'non-accettazione': '$NonAccettazione',
  'presa-in-carico': '$PresaInCarico',
  'avvenuta-consegna': '$Consegna',
  'errore-consegna': '$MancataConsegna',
  // RFC 6109 3.1.6: an avviso di mancata consegna it is too.
  'preavviso-errore-consegna': '$MancataConsegna',
  'rilevazione-virus': '$Virus',
};

/** Of a transport envelope. */
export const ENVELOPE_KEYWORD = '$PostaCertificata';

/** Of an anomaly envelope, ours or another gestore's. */
export const ANOMALY_KEYWORD = '$Anomalia';

export const keywordOf = (kind: NotificationKind): string => NOTIFICATIONS[kind];
