/** What a message says, without its bytes: a run sees more of them than memory holds. */
import { createHash } from 'node:crypto';
import { postacertOf, said } from '../e2e/reading.js';
import { field, type Held } from './inbox.js';

export interface Note {
  readonly uid: string;
  /** SHA-256 of the whole. */
  readonly hash: string;
  /** daticert's `tipo`, or `anomalia`, or `ordinaria`. */
  readonly kind: string;
  readonly identificativo: string;
  readonly subject: string;
  /** `certificato bruno@pec.beta.example`, as daticert lists them. */
  readonly destinatari: readonly string[];
  /** The recipient a notice of delivery or of non-delivery is about. */
  readonly consegna: string | undefined;
  /** Those a presa in carico took. */
  readonly ricezione: readonly string[];
  /** Fault of daticert: `nessuno` when there is none. */
  readonly errore: string;
  /** SHA-256 of the body of the original it carries; undefined when it carries none. */
  readonly body: string | undefined;
  /** Of an anomaly: the recipients a DSN in it gives up. */
  readonly failed: readonly string[];
}

const sha256 = (bytes: Buffer | string): string => createHash('sha256').update(bytes).digest('hex');

/** SHA-256 of what follows the header. */
export const bodyHash = (message: Buffer): string =>
  sha256(message.subarray(message.indexOf('\r\n\r\n') + 4));

/** Reads a message as its user got it. */
export function noteOf(message: Held): Note {
  const base = { uid: message.uid, hash: sha256(message.bytes) };
  const trasporto = field(message, 'X-Trasporto');
  if (trasporto === 'errore' || (trasporto ?? field(message, 'X-Ricevuta')) === undefined) {
    const failed = [...message.bytes.toString('latin1').matchAll(/^Final-Recipient: rfc822; (\S+)\r$/gm)];
    return {
      ...base,
      kind: trasporto === 'errore' ? 'anomalia' : 'ordinaria',
      identificativo:
        /^X-Riferimento-Message-ID: <?([^\s<>]+)/m.exec(message.bytes.toString('latin1'))?.[1] ?? '',
      subject: markerIn(message.bytes.toString('latin1')),
      destinatari: [],
      consegna: undefined,
      ricezione: [],
      errore: '',
      body: undefined,
      failed: failed.map(([, address = '']) => address),
    };
  }
  const { tipo, identificativo, oggetto, destinatari, consegna, ricezione, errore } = said(message);
  const carriesWhole = tipo === 'posta-certificata' || tipo === 'avvenuta-consegna';
  const postacert = carriesWhole ? postacertOf(message) : undefined;
  return {
    ...base,
    kind: tipo,
    identificativo,
    subject: oggetto,
    destinatari,
    consegna,
    ricezione,
    errore,
    body: postacert === undefined ? undefined : bodyHash(postacert),
    failed: [],
  };
}

/** The marker a submission carries in its subject, in whatever message it turns up; empty when there is none. */
export const markerIn = (text: string): string => /\bgiro [a-z]+\.\d+\b/.exec(text)?.[0] ?? '';
