/** What a message says, and what nobody may read into it, in plain words. */
import type { CarriedOriginal, CertifiedFacts, Kind, Sentence } from './report.js';
import { isoDay } from './words.js';

const say = (it: string, en: string): Sentence => ({ it, en });

const RECIPIENT_KIND = {
  certificato: say('posta certificata', 'certified mail'),
  esterno: say('posta ordinaria', 'ordinary mail'),
} as const;

/** Pieces every sentence is made of. */
interface Pieces {
  readonly when: Sentence;
  /** `il messaggio M, oggetto "S", inviato da A` */
  readonly message: Sentence;
  readonly recipients: Sentence;
  readonly recipient: string;
}

function piecesOf(facts: CertifiedFacts): Pieces {
  const { giorno, ora, zona, identificativo, subject, sender } = facts;
  const list = (language: 'it' | 'en'): string =>
    facts.recipients.map(({ address, kind }) => `${address} (${RECIPIENT_KIND[kind][language]})`).join(', ');
  return {
    when: say(`il ${giorno} alle ore ${ora} (${zona})`, `on ${isoDay(giorno)} at ${ora} (${zona})`),
    message: say(
      `il messaggio ${identificativo}, con oggetto "${subject ?? ''}", inviato da ${sender}`,
      `the message ${identificativo}, with subject "${subject ?? ''}", sent by ${sender}`,
    ),
    recipients: say(list('it'), list('en')),
    recipient: facts.recipient ?? '?',
  };
}

/**
 * What the message attests, in the mouth of who signed it.
 * @param gestore by the directory, else by the certificate
 */
export function attestations(
  gestore: string,
  facts: CertifiedFacts,
  original: CarriedOriginal | null,
): Sentence[] {
  const pieces = piecesOf(facts);
  const sentence = outcome(facts, pieces);
  const sentences = [
    say(
      `Il gestore ${gestore} attesta che ${sentence.it}.`,
      `The gestore ${gestore} attests that ${sentence.en}.`,
    ),
  ];
  if (original === null) return sentences;
  if (facts.receiptForm === 'breve') {
    sentences.push(
      say(
        'La ricevuta contiene i testi del messaggio e, al posto di ogni allegato, la sua impronta SHA-1.',
        'The receipt holds the texts of the message and, in the place of each attachment, its SHA-1 hash.',
      ),
    );
  } else {
    sentences.push(
      say(
        `Il contenuto è quello del messaggio allegato, ${original.octets} byte, SHA-256 ${original.sha256}.`,
        `The content is that of the attached message, ${original.octets} octets, SHA-256 ${original.sha256}.`,
      ),
    );
  }
  return sentences;
}

function outcome(facts: CertifiedFacts, { when, message, recipients, recipient }: Pieces): Sentence {
  const why = facts.errorText ?? facts.errore;
  switch (facts.tipo) {
    case 'accettazione':
      return say(
        `${when.it} ha accettato e inoltrato ${message.it} a: ${recipients.it}`,
        `${when.en} it accepted and forwarded ${message.en} to: ${recipients.en}`,
      );
    case 'non-accettazione':
      return say(
        `${when.it} non ha accettato, e quindi non ha inoltrato, ${message.it} a: ${recipients.it}. Motivo: ${why}`,
        `${when.en} it did not accept, and so did not forward, ${message.en} to: ${recipients.en}. Reason: ${why}`,
      );
    case 'posta-certificata':
      return say(
        `${when.it} ha accettato e spedito ${message.it} a: ${recipients.it}`,
        `${when.en} it accepted and sent out ${message.en} to: ${recipients.en}`,
      );
    case 'presa-in-carico':
      return say(
        `${when.it} ha preso in carico ${message.it}, per consegnarlo a: ${facts.takenInCharge.join(', ')}`,
        `${when.en} it took charge of ${message.en}, to deliver it to: ${facts.takenInCharge.join(', ')}`,
      );
    case 'avvenuta-consegna':
      return say(
        `${when.it} ha consegnato ${message.it}, nella casella di ${recipient}`,
        `${when.en} it delivered ${message.en}, to the mailbox of ${recipient}`,
      );
    case 'errore-consegna':
      return say(
        `${when.it} non ha potuto consegnare ${message.it}, a ${recipient}. Motivo: ${why}`,
        `${when.en} it could not deliver ${message.en} to ${recipient}. Reason: ${why}`,
      );
    case 'preavviso-errore-consegna':
      return say(
        `${when.it}, trascorso il tempo massimo, non aveva notizia della consegna a ${recipient} del ${bare(message.it)}${detail(facts)}`,
        `${when.en}, the time allowed having passed, it had no word of the delivery to ${recipient} of ${message.en}${detail(facts)}`,
      );
    case 'rilevazione-virus':
      return say(
        `${when.it} ha trovato un virus nel ${bare(message.it)} a ${recipient}, e non l'ha consegnato. Virus: ${why}`,
        `${when.en} it found a virus in ${message.en} to ${recipient}, and did not deliver it. Virus: ${why}`,
      );
  }
}

/** Without its article. */
const bare = (message: string): string => message.replace(/^il /, '');

const detail = ({ errorText }: CertifiedFacts): string => (errorText === null ? '' : `. ${errorText}`);

/** What an anomaly envelope attests: it has no certified data. */
export const anomalyAttestation = (gestore: string, original: CarriedOriginal | null): Sentence[] => [
  say(
    `Il gestore ${gestore} attesta solo di avere ricevuto il messaggio allegato e di non averlo potuto certificare${
      original === null ? '' : ` (${original.octets} byte, SHA-256 ${original.sha256})`
    }.`,
    `The gestore ${gestore} attests only that it received the attached message and could not certify it${
      original === null ? '' : ` (${original.octets} octets, SHA-256 ${original.sha256})`
    }.`,
  ),
];

const READING = say(
  'Non prova che qualcuno abbia letto il messaggio.',
  'It does not prove that anybody read the message.',
);
const TIME = say(
  "L'ora è quella dell'orologio del gestore: nessuna marca temporale indipendente la conferma.",
  "The time is that of the gestore's clock: no independent timestamp confirms it.",
);
const PERSON = say(
  'Non prova quale persona abbia scritto o spedito: prova da quale casella il gestore ha ricevuto il messaggio.',
  'It does not prove which person wrote or sent it: it proves from which mailbox the gestore took the message.',
);
const NOT_DELIVERY = say(
  'Non prova la consegna: per ogni destinatario occorre la sua ricevuta di avvenuta consegna.',
  'It does not prove delivery: for each recipient that takes its own delivery receipt.',
);
const NOT_CONTENT = say(
  'Non contiene il messaggio: non ne prova il contenuto, né quello degli allegati.',
  'It does not hold the message: it proves neither its content nor that of the attachments.',
);
const BRIEF = say(
  "Degli allegati prova soltanto l'impronta SHA-1: per sapere che cosa contenevano occorre l'originale (--original).",
  'Of the attachments it proves only the SHA-1 hash: what was in them takes the original (--original).',
);
const CHANGED = say(
  "Del messaggio originale il gestore cambia due campi dell'intestazione: Message-ID, sostituito dall'identificativo, e X-Riferimento-Message-ID, aggiunto; in testa aggiunge i suoi Received.",
  'Of the original the gestore changes two header fields: Message-ID, replaced by the identifier, and X-Riferimento-Message-ID, added; on top it adds its own Received.',
);

/** What a message of that kind does not prove. */
export function limitsOf(
  kind: Kind,
  facts: CertifiedFacts | null,
  original: CarriedOriginal | null,
): Sentence[] {
  if (kind === 'illeggibile') return [];
  if (kind === 'ordinario' || kind === 'firmato') {
    return [
      say(
        'Non prova né invio né consegna: nessun gestore di posta certificata ne attesta qualcosa.',
        'It proves neither sending nor delivery: no certified mail provider attests anything about it.',
      ),
    ];
  }
  if (kind === 'anomalia') {
    return [
      say(
        "Non prova chi abbia scritto il messaggio allegato, né quando, né che sia intatto: il gestore non l'ha certificato.",
        'It does not prove who wrote the attached message, nor when, nor that it is intact: the gestore did not certify it.',
      ),
      READING,
      TIME,
    ];
  }
  const limits: Sentence[] = [];
  if (kind === 'avvenuta-consegna') {
    limits.push(
      say(
        'Non prova che il destinatario abbia letto il messaggio: prova che era a sua disposizione nella casella.',
        'It does not prove that the recipient read the message: it proves that it was there in the mailbox.',
      ),
    );
  } else if (kind === 'preavviso-errore-consegna') {
    limits.push(
      say(
        'Non prova che la consegna non sia avvenuta più tardi.',
        'It does not prove that the message was not delivered later.',
      ),
    );
  } else if (kind === 'posta-certificata' || kind === 'accettazione' || kind === 'presa-in-carico') {
    limits.push(NOT_DELIVERY, READING);
  }
  if (facts?.recipients.some((recipient) => recipient.kind === 'esterno') && kind !== 'non-accettazione') {
    limits.push(
      say(
        'Per i destinatari di posta ordinaria non esiste ricevuta di consegna.',
        'For recipients of ordinary mail there is no delivery receipt.',
      ),
    );
  }
  if (original === null) limits.push(NOT_CONTENT);
  else limits.push(facts?.receiptForm === 'breve' ? BRIEF : CHANGED);
  limits.push(PERSON, TIME);
  return limits;
}
