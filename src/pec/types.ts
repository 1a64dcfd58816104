import type { Rope } from '../rope/index.js';

/** The gestore that signs: what goes into From and `gestore-emittente`. */
export interface Provider {
  /** Company name, `gestore-emittente` of daticert.xml. */
  readonly name: string;
  /** Domain of the signing address `posta-certificata@<mailDomain>` and of every identificativo. */
  readonly mailDomain: string;
}

/** One instant as the law wants it written: Italian legal time, cut to the second (RFC 6109 4.1). */
export interface LegalTime {
  /** Milliseconds since 1970-01-01 UTC, a whole second. */
  readonly epochMs: number;
  /** `dd/mm/yyyy` */
  readonly giorno: string;
  /** `hh:mm:ss` */
  readonly ora: string;
  /** `+hhmm`, without colon (pec-format 1.3). */
  readonly zona: string;
  /** RFC 5322 date-time, no comment: `Tue, 13 Nov 2018 16:39:26 +0100`. */
  readonly date: string;
  /** `YYYYMMDDhhmmss`, legal time. */
  readonly compact: string;
}

/** `certificato`: the address is managed by a gestore in the directory; `esterno`: anything else. */
export type RecipientKind = 'certificato' | 'esterno';

export interface Recipient {
  readonly address: string;
  readonly kind: RecipientKind;
}

/** Kind of delivery notification, RFC 6109 3.3.2.1 - 3.3.2.3. */
export type ReceiptType = 'completa' | 'breve' | 'sintetica';

/** `tipo` of `<postacert>`, the eight words of the DTD (RFC 6109 4.4). */
export type Tipo =
  | 'accettazione'
  | 'non-accettazione'
  | 'presa-in-carico'
  | 'avvenuta-consegna'
  | 'posta-certificata'
  | 'errore-consegna'
  | 'preavviso-errore-consegna'
  | 'rilevazione-virus';

/** `errore` of `<postacert>` (RFC 6109 4.4). */
export type Errore = 'nessuno' | 'no-dest' | 'no-dominio' | 'virus' | 'altro';

export const TIPI: readonly Tipo[] = [
  'accettazione',
  'non-accettazione',
  'presa-in-carico',
  'avvenuta-consegna',
  'posta-certificata',
  'errore-consegna',
  'preavviso-errore-consegna',
  'rilevazione-virus',
];
export const ERRORI: readonly Errore[] = ['nessuno', 'no-dest', 'no-dominio', 'virus', 'altro'];
export const RECEIPT_TYPES: readonly ReceiptType[] = ['completa', 'breve', 'sintetica'];

/** daticert.xml, element by element (RFC 6109 4.4). Texts are decoded; no angle brackets unless said. */
export interface Daticert {
  readonly tipo: Tipo;
  readonly errore: Errore;
  readonly mittente: string;
  /** At least one. */
  readonly destinatari: readonly Recipient[];
  /** Reply-To of the original, the sender where there was none. */
  readonly risposte: string;
  /** Decoded subject; undefined when the element is absent. */
  readonly oggetto?: string | undefined;
  readonly gestoreEmittente: string;
  /** `dd/mm/yyyy` */
  readonly giorno: string;
  /** `hh:mm:ss` */
  readonly ora: string;
  /** `+hhmm` */
  readonly zona: string;
  /** PEC msgid of the transport envelope, without `<>`. */
  readonly identificativo: string;
  /** Message-ID the client gave, with its `<>`; undefined when it gave none (decisions 15). */
  readonly msgid?: string | undefined;
  /** Kind of receipt asked for; posta-certificata and avvenuta-consegna only. */
  readonly ricevuta?: ReceiptType | undefined;
  /** The one recipient a delivery, non-delivery, virus or time notice is about. */
  readonly consegna?: string | undefined;
  /** Recipients taken charge of; empty but for presa-in-carico. */
  readonly ricezione: readonly string[];
  readonly erroreEsteso?: string | undefined;
}

/** What the envelope and every notification say about the original message. */
export interface Certified {
  /** PEC msgid, without `<>`. */
  readonly identificativo: string;
  /** Message-ID the client gave, with its `<>`; absent when it gave none (decisions 15). */
  readonly msgid?: string | undefined;
  readonly sender: string;
  /** The accepted RCPTs (decisions 14). */
  readonly recipients: readonly Recipient[];
  /** Reply-To address list of the original; the sender where there is none. */
  readonly replyTo: string;
  /** Decoded; empty when the message has none. */
  readonly subject: string;
}

/** Everything a gestore says with a daticert, apart from the envelope itself. */
export type Notification =
  | { readonly kind: 'accettazione' }
  | { readonly kind: 'non-accettazione'; readonly reasons: readonly string[] }
  | { readonly kind: 'non-accettazione'; readonly virus: string }
  | { readonly kind: 'presa-in-carico'; readonly recipients: readonly string[] }
  | {
      readonly kind: 'avvenuta-consegna';
      readonly recipient: string;
      /** What the sender asked for: `<ricevuta tipo>` (decisions 28). */
      readonly receipt: ReceiptType;
      /** What this recipient's receipt looks like. */
      readonly form: ReceiptType;
      /** postacert.eml for the complete and the brief form (the latter already brief). */
      readonly original?: Rope | undefined;
      /** Whether `original` has octets above 127, where the caller knows; see `isEightBit`. */
      readonly eightBit?: boolean | undefined;
    }
  | {
      readonly kind: 'errore-consegna';
      readonly recipient: string;
      readonly errore: 'no-dest' | 'no-dominio' | 'altro';
      /** `errore-esteso` as it stands in XML and text, e.g. `5.1.1 - <gestore> - indirizzo non valido`. */
      readonly reason: string;
    }
  | { readonly kind: 'errore-consegna'; readonly recipient: string; readonly virus: string }
  | { readonly kind: 'preavviso-errore-consegna'; readonly recipient: string; readonly step: '12h' | '24h' }
  | { readonly kind: 'rilevazione-virus'; readonly recipient: string; readonly virus: string };

/** `X-Ricevuta` word of a notification. */
export type NotificationKind = Notification['kind'];

/** A message ready to be signed. */
export interface Composed {
  /** Outer header block without MIME-Version and Content-Type and without the blank line; every line ends in CRLF. */
  readonly header: string | Buffer;
  /** The multipart/mixed entity that is signed: its header, blank line, body; canonical CRLF. */
  readonly entity: Rope;
  /** For the outer multipart/signed; differs from every boundary inside. */
  readonly boundary: string;
}

/** daticert.xml is malformed, too large, or not of the shape of the DTD. The message is Italian, fit for an anomaly. */
export class DaticertError extends Error {
  override readonly name = 'DaticertError';
}

/** The signing address of a gestore, RFC 6109 3.1.2 and pec-format 1.1. */
export const serviceAddress = (mailDomain: string): string => `posta-certificata@${mailDomain}`;
