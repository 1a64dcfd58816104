import { oneLine } from './header-lines.js';
import type { Certified, LegalTime, Notification, ReceiptType } from './types.js';

/**
 * The word catalogue: every Subject prefix, title and sentence a user can meet in a message of ours, in the wording of
 * the annex to DM 2-11-2005 (pec-format 1.1 and 1.3). Nowhere else does the composing side write Italian.
 */

/** The readable part before it becomes plain text and HTML. */
export interface Wording {
  /** Stands before the original subject, with its colon. */
  readonly prefix: string;
  readonly title: string;
  readonly lines: readonly string[];
}

/** What every wording speaks of. */
type Facts = Pick<Certified, 'identificativo' | 'sender' | 'recipients' | 'subject'>;

const opening = (time: LegalTime, what: string): string =>
  `Il giorno ${time.giorno} alle ore ${time.ora} (${time.zona}) ${what}`;

const quoted = (text: string): string => `"${oneLine(text)}"`;

const comingFrom = (facts: Facts): string =>
  `${quoted(facts.subject)} proveniente da ${quoted(facts.sender)}`;

const closing = (facts: Facts): string => `Identificativo messaggio: ${oneLine(facts.identificativo)}`;

const addresses = (facts: Facts): string[] => facts.recipients.map(({ address }) => oneLine(address));

/** RFC 6109 3.1.5. */
export const envelopeWording = (time: LegalTime, facts: Facts): Wording => ({
  prefix: 'POSTA CERTIFICATA:',
  title: 'Messaggio di posta certificata',
  lines: [
    opening(time, 'il messaggio'),
    `${quoted(facts.subject)} è stato inviato da ${quoted(facts.sender)}`,
    'indirizzato a:',
    ...addresses(facts),
    'Il messaggio originale è incluso in allegato.',
    closing(facts),
  ],
});

/** RFC 6109 3.2.2: nothing certified, hence no identificativo. */
export const anomalyWording = (
  time: LegalTime,
  facts: { readonly subject: string; readonly sender: string; readonly recipients: readonly string[] },
  reason: string,
): Wording => ({
  prefix: 'ANOMALIA MESSAGGIO:',
  title: 'Anomalia nel messaggio',
  lines: [
    opening(time, 'è stato ricevuto'),
    `il messaggio ${quoted(facts.subject)} proveniente da ${quoted(facts.sender)}`,
    'ed indirizzato a:',
    ...facts.recipients.map(oneLine),
    'Tali dati non sono stati certificati per il seguente errore:',
    oneLine(reason),
    'Il messaggio originale è incluso in allegato.',
  ],
});

/** The words of each of the notices. */
export function notificationWording(time: LegalTime, facts: Facts, notification: Notification): Wording {
  switch (notification.kind) {
    case 'accettazione':
      return accettazione(time, facts);
    case 'non-accettazione':
      return 'virus' in notification
        ? nonAccettazioneVirus(time, facts, notification.virus)
        : nonAccettazione(time, facts, notification.reasons);
    case 'presa-in-carico':
      return presaInCarico(time, facts, notification.recipients);
    case 'avvenuta-consegna':
      return avvenutaConsegna(time, facts, notification.recipient, notification.form);
    case 'errore-consegna':
      return 'virus' in notification
        ? erroreConsegnaVirus(time, facts, notification.recipient, notification.virus)
        : erroreConsegna(time, facts, notification.recipient, notification.reason);
    case 'preavviso-errore-consegna':
      return preavviso(time, facts, notification.recipient, notification.step);
    case 'rilevazione-virus':
      return rilevazioneVirus(time, facts, notification.recipient, notification.virus);
  }
}

/** RFC 6109 3.1.4. */
const accettazione = (time: LegalTime, facts: Facts): Wording => ({
  prefix: 'ACCETTAZIONE:',
  title: 'Ricevuta di accettazione',
  lines: [
    opening(time, 'il messaggio'),
    comingFrom(facts),
    'ed indirizzato a:',
    ...facts.recipients.map(
      ({ address, kind }) =>
        `${oneLine(address)} ("${kind === 'certificato' ? 'posta certificata' : 'posta ordinaria'}")`,
    ),
    'è stato accettato dal sistema ed inoltrato.',
    closing(facts),
  ],
});

/** RFC 6109 3.1.2. */
const nonAccettazione = (time: LegalTime, facts: Facts, reasons: readonly string[]): Wording => ({
  prefix: 'AVVISO DI NON ACCETTAZIONE:',
  title: "Errore nell'accettazione del messaggio",
  lines: [
    opening(time, 'nel messaggio'),
    comingFrom(facts),
    'ed indirizzato a:',
    ...addresses(facts),
    "è stato rilevato un problema che ne impedisce l'accettazione",
    'a causa di:',
    ...reasons.map((reason) => `- ${oneLine(reason)}`),
    'Il messaggio non è stato accettato.',
    closing(facts),
  ],
});

/** RFC 6109 3.1.3. */
const nonAccettazioneVirus = (time: LegalTime, facts: Facts, virus: string): Wording => ({
  prefix: 'AVVISO DI NON ACCETTAZIONE PER VIRUS:',
  title: "Errore nell'accettazione del messaggio dovuto alla presenza di virus",
  lines: [
    opening(time, 'nel messaggio'),
    comingFrom(facts),
    'ed indirizzato a:',
    ...addresses(facts),
    securityProblem(virus),
    'Il messaggio non è stato accettato.',
    closing(facts),
  ],
});

const securityProblem = (virus: string): string =>
  `è stato rilevato un problema di sicurezza ${oneLine(virus)}.`;

/** RFC 6109 3.2.1: the recipients of this transaction, not those of the whole message (decisions 1). */
const presaInCarico = (time: LegalTime, facts: Facts, taken: readonly string[]): Wording => ({
  prefix: 'PRESA IN CARICO:',
  title: 'Ricevuta di presa in carico',
  lines: [
    opening(time, 'il messaggio'),
    comingFrom(facts),
    'ed indirizzato a:',
    ...taken.map(oneLine),
    'è stato accettato dal sistema.',
    closing(facts),
  ],
});

const CONSEGNA_TITLES: Readonly<Record<ReceiptType, string>> = {
  completa: 'Ricevuta di avvenuta consegna',
  breve: 'Ricevuta breve di avvenuta consegna',
  sintetica: 'Ricevuta sintetica di avvenuta consegna',
};

/** RFC 6109 3.3.2.1 - 3.3.2.3. The text follows what this recipient gets (decisions 28). */
const avvenutaConsegna = (time: LegalTime, facts: Facts, recipient: string, form: ReceiptType): Wording => ({
  prefix: 'CONSEGNA:',
  title: CONSEGNA_TITLES[form],
  lines: [
    opening(time, 'il messaggio'),
    comingFrom(facts),
    `ed indirizzato a ${quoted(recipient)}`,
    'è stato consegnato nella casella di destinazione.',
    closing(facts),
  ],
});

/** RFC 6109 3.3.3. */
const erroreConsegna = (time: LegalTime, facts: Facts, recipient: string, reason: string): Wording => ({
  prefix: 'AVVISO DI MANCATA CONSEGNA:',
  title: 'Avviso di mancata consegna',
  lines: [
    opening(time, 'nel messaggio'),
    comingFrom(facts),
    `e destinato all'utente ${quoted(recipient)}`,
    `è stato rilevato un errore ${oneLine(reason)}.`,
    'Il messaggio è stato rifiutato dal sistema.',
    closing(facts),
  ],
});

/** RFC 6109 3.2.4. */
const erroreConsegnaVirus = (time: LegalTime, facts: Facts, recipient: string, virus: string): Wording => ({
  prefix: 'AVVISO DI MANCATA CONSEGNA PER VIRUS:',
  title: 'Avviso di mancata consegna per virus',
  lines: [
    opening(time, 'nel messaggio'),
    `${quoted(facts.subject)} destinato all'utente ${quoted(recipient)}`,
    securityProblem(virus),
    'Il messaggio non è stato consegnato.',
    closing(facts),
  ],
});

/** RFC 6109 3.1.6; the RFC's double space after `SUP.` is line filling (pec-format 1.1). */
const preavviso = (time: LegalTime, facts: Facts, recipient: string, step: '12h' | '24h'): Wording => ({
  prefix: 'AVVISO DI MANCATA CONSEGNA PER SUP. TEMPO MASSIMO:',
  title: 'Avviso di mancata consegna',
  lines: [
    opening(time, 'il messaggio'),
    comingFrom(facts),
    `e destinato all'utente ${quoted(recipient)}`,
    ...(step === '12h'
      ? [
          'non è stato consegnato nelle prime dodici ore dal suo invio. Non escludendo che questo possa avvenire in seguito, ' +
            "si ritiene utile considerare che l'invio potrebbe non andare a buon fine. Il sistema provvederà comunque ad " +
            'inviare un ulteriore avviso di mancata consegna se nelle prossime dodici ore non vi sarà la conferma della ' +
            'ricezione da parte del destinatario.',
        ]
      : [
          'non è stato consegnato nelle ventiquattro ore successive al suo invio. Si ritiene che la spedizione debba ' +
            'considerarsi non andata a buon fine.',
        ]),
    closing(facts),
  ],
});

/** `errore-esteso` of both time notices (pec-format 9). */
export const timeoutReason = (step: '12h' | '24h', gestore: string): string =>
  `5.4.1 - ${gestore} - il messaggio non è stato consegnato nelle prime ${step === '12h' ? 'dodici' : 'ventiquattro'} ore dal suo invio`;

/** RFC 6109 3.2.3. */
const rilevazioneVirus = (time: LegalTime, facts: Facts, recipient: string, virus: string): Wording => ({
  prefix: 'PROBLEMA DI SICUREZZA:',
  title: 'Avviso di rilevazione virus informatico',
  lines: [
    opening(time, 'nel messaggio'),
    comingFrom(facts),
    `e destinato all'utente ${quoted(recipient)}`,
    securityProblem(virus),
    closing(facts),
  ],
});
