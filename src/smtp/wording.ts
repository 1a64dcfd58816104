import type { ReplyLine } from './errors.js';
import { wireText } from './errors.js';

/** A reply smtp-server makes by itself, and how Ceralacca words it. */
interface Wording {
  readonly code: number;
  readonly said: RegExp;
  readonly reply: ReplyLine;
}

const wording = (code: number, said: RegExp, replyCode: number, text: string): Wording => ({
  code,
  said,
  reply: { code: replyCode, text },
});

/**
 * smtp-server speaks English and knows one enhanced code per reply code; a user of ours reads Italian. What is not in the
 * table passes as the library words it, with the library's enhanced code.
 */
const table: readonly Wording[] = [
  wording(250, /^Accepted$/, 250, 'OK'),
  wording(250, /^Flushed$/, 250, '2.0.0 OK'),
  wording(221, /^Bye$/, 221, '2.0.0 Arrivederci / Bye'),
  wording(235, /./, 235, '2.7.0 Autenticazione riuscita / Authentication successful'),
  wording(421, /Timeout/, 421, '4.4.2 Tempo scaduto / Timeout, closing connection'),
  wording(
    421,
    /shutting down/,
    421,
    '4.3.2 Servizio in arresto, riprovare / Service shutting down, try again later',
  ),
  wording(421, /talk too soon|HTTP requests/, 421, '4.7.0 Violazione del protocollo / Protocol violation'),
  wording(421, /Command line too long/, 421, '4.5.2 Comando troppo lungo / Command line too long'),
  wording(421, /unrecognized|unauthenticated/, 421, '4.7.0 Troppi comandi errati / Too many bad commands'),
  wording(
    421,
    /Too many connected/,
    421,
    '4.7.0 Troppe connessioni, riprovare / Too many connections, try again later',
  ),
  wording(451, /./, 451, '4.3.0 Errore temporaneo, riprovare / Temporary local error, try again later'),
  wording(452, /too many recipients/, 452, '4.5.3 Troppi destinatari / Too many recipients'),
  wording(500, /./, 500, '5.5.2 Comando non riconosciuto / Command not recognized'),
  wording(501, /sender address/, 501, '5.1.7 Indirizzo del mittente non valido / Bad sender address syntax'),
  wording(
    501,
    /recipient address/,
    501,
    '5.1.3 Indirizzo del destinatario non valido / Bad recipient address syntax',
  ),
  wording(501, /./, 501, '5.5.4 Parametri non validi / Syntax error in parameters'),
  wording(503, /HELO\/EHLO first/, 503, '5.5.1 Inviare prima EHLO / Send EHLO first'),
  wording(503, /./, 503, '5.5.1 Sequenza di comandi errata / Bad sequence of commands'),
  wording(504, /./, 504, '5.5.4 Metodo di autenticazione non previsto / Unrecognized authentication type'),
  wording(530, /./, 530, '5.7.0 Autenticazione richiesta / Authentication required'),
  wording(538, /./, 538, '5.7.11 Usare prima STARTTLS / Must issue a STARTTLS command first'),
  wording(535, /./, 535, '5.7.8 Nome utente o password errati / Authentication credentials invalid'),
  wording(
    552,
    /maximum message size/,
    552,
    '5.3.4 Messaggio troppo grande / Message exceeds the maximum size',
  ),
];

/** Verbs of SMTP that are known and not served (RFC 5321 4.2.4: 502, not 500). */
const UNSERVED = new Set([
  'VRFY',
  'EXPN',
  'HELP',
  'ETRN',
  'TURN',
  'ATRN',
  'SEND',
  'SOML',
  'SAML',
  'BDAT',
  'XCLIENT',
  'XFORWARD',
]);
const ENHANCED = /^[245]\.\d{1,3}\.\d{1,3} /;

/**
 * The reply to send instead of smtp-server's own.
 * @param context what smtp-server knows of the moment: a command's name, `MAIL_FROM_OK`..., false for a bare reply
 * @returns undefined to leave the library's reply as it is
 */
export function reword(
  code: number,
  said: string,
  context: string | false | undefined,
): ReplyLine | undefined {
  // A handler's own words carry their enhanced code already.
  if (ENHANCED.test(said)) return { code, text: wireText(said) };
  if (code === 500 && typeof context === 'string' && UNSERVED.has(context)) {
    return { code: 502, text: '5.5.1 Comando non disponibile / Command not implemented' };
  }
  if (context === 'MAIL_FROM_OK') return { code, text: '2.1.0 OK' };
  if (context === 'RCPT_TO_OK') return { code, text: '2.1.5 OK' };
  return table.find((entry) => entry.code === code && entry.said.test(said))?.reply;
}
