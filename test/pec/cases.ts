import { Header, readHeader } from '../../src/mime/index.js';
import {
  briefForm,
  type Certified,
  type Composed,
  composeAnomaly,
  composeEnvelope,
  composeNotification,
  composePostacert,
  identificativo,
  legalTime,
  type Notification,
  originalMessageId,
  type Provider,
} from '../../src/pec/index.js';
import { Rope } from '../../src/rope/index.js';

/** One transaction, and everything the two gestori say about it. */

export const provider: Provider = { name: 'Ceralacca di prova S.r.l.', mailDomain: 'gestore.example' };
export const time = legalTime(Date.UTC(2026, 9, 14, 7, 5, 9, 870));
export const receivedLine =
  'Received: from [192.0.2.7] (casa.example [192.0.2.7])\r\n' +
  '\tby smtps.gestore.example (Ceralacca) with ESMTPSA id 7f3a;\r\n' +
  '\tWed, 14 Oct 2026 09:05:09 +0200\r\n';

export const id = (seed: string): string => identificativo(time, seed.padEnd(24, '0'), provider.mailDomain);

export const message = (...lines: string[]): Rope => Rope.of(lines.join('\r\n'));

export const original = message(
  'Received: from pc.casa.example by client.example; Wed, 14 Oct 2026 09:05:07 +0200',
  'Message-ID: <cliente.42@casa.example>',
  'Date: Wed, 14 Oct 2026 09:05:07 +0200',
  'From: Anna Bianchi <anna.bianchi@studio.example>',
  'To: "Rossi, Mario" <mario.rossi@comune.example>,',
  '\tufficio@azienda.example',
  'Cc:  esterno@posta.example',
  'Subject: Ricorso n. 12 & allegati "urgenti"',
  'X-TipoRicevuta: completa',
  'X-Trasporto: errore',
  'MIME-Version: 1.0',
  'Content-Type: multipart/mixed; boundary="confine"',
  '',
  '--confine',
  'Content-Type: text/plain; charset=utf-8',
  '',
  'Si trasmette quanto in oggetto.',
  '--confine',
  'Content-Type: application/pdf; name="ricorso.pdf"',
  'Content-Disposition: attachment; filename="ricorso.pdf"',
  'Content-Transfer-Encoding: base64',
  '',
  'JVBERi0xLjQKJcOkw7zDtsOfCg==',
  '--confine--',
  '',
);

export const headerOf = (rope: Rope): Promise<Header> => readHeader(rope);

export const certified: Certified = {
  identificativo: id('busta'),
  msgid: '<cliente.42@casa.example>',
  sender: 'anna.bianchi@studio.example',
  recipients: [
    { address: 'mario.rossi@comune.example', kind: 'certificato' },
    { address: 'ufficio@azienda.example', kind: 'certificato' },
    { address: 'esterno@posta.example', kind: 'esterno' },
  ],
  replyTo: 'anna.bianchi@studio.example',
  subject: 'Ricorso n. 12 & allegati "urgenti"',
};

const recipient = 'mario.rossi@comune.example';

export const notify = (notification: Notification, about: Certified = certified): Composed =>
  composeNotification({
    provider,
    time,
    messageId: id(notification.kind.replaceAll('-', '')),
    to:
      notification.kind === 'presa-in-carico' || notification.kind === 'rilevazione-virus'
        ? 'posta-certificata@altro-gestore.example'
        : about.sender,
    certified: about,
    notification,
  });

export async function envelope(from: Rope = original, about: Certified = certified): Promise<Composed> {
  const header = await headerOf(from);
  const postacert = composePostacert({
    original: from,
    header,
    identificativo: about.identificativo,
    received: receivedLine,
  });
  return composeEnvelope({
    provider,
    time,
    certified: about,
    receiptType: 'completa',
    originalHeader: header,
    postacert: postacert.rope,
    mailFrom: about.sender,
    received: receivedLine,
  });
}

/** What `certified` is for another original: the same transaction. */
export async function certifiedFor(from: Rope): Promise<Certified> {
  const header = await headerOf(from);
  return { ...certified, msgid: originalMessageId(header), subject: header.text('Subject') ?? '' };
}

export async function anomaly(
  from: Rope = original,
  mailFrom = 'anna.bianchi@studio.example',
): Promise<Composed> {
  return composeAnomaly({
    provider,
    time,
    mailFrom,
    recipients: ['mario.rossi@comune.example'],
    receivedHeader: await headerOf(from),
    original: from,
    reason: 'la firma digitale del messaggio non risulta attendibile',
    messageId: id('anomalia'),
  });
}

/** Every kind of message a gestore composes, by the name of its golden file. */
export async function everyKind(): Promise<Map<string, Composed>> {
  const postacert = composePostacert({
    original,
    header: await headerOf(original),
    identificativo: certified.identificativo,
    received: receivedLine,
  }).rope;
  const delivered = { kind: 'avvenuta-consegna', recipient } as const;
  const notices: readonly (readonly [string, Notification])[] = [
    ['accettazione', { kind: 'accettazione' }],
    [
      'non-accettazione',
      {
        kind: 'non-accettazione',
        reasons: [
          "l'indirizzo email terzo@azienda.example non appare nei campi To o Cc",
          'il campo Bcc contiene un valore',
        ],
      },
    ],
    ['non-accettazione-virus', { kind: 'non-accettazione', virus: 'Eicar-Test-Signature' }],
    ['presa-in-carico', { kind: 'presa-in-carico', recipients: [recipient, 'ufficio@azienda.example'] }],
    ['consegna-completa', { ...delivered, receipt: 'completa', form: 'completa', original: postacert }],
    [
      'consegna-breve',
      { ...delivered, receipt: 'breve', form: 'breve', original: await briefForm(postacert) },
    ],
    ['consegna-sintetica', { ...delivered, receipt: 'sintetica', form: 'sintetica' }],
    ['consegna-completa-in-copia', { ...delivered, receipt: 'completa', form: 'sintetica' }],
    [
      'mancata-consegna',
      {
        kind: 'errore-consegna',
        recipient,
        errore: 'no-dest',
        reason: '5.1.1 - Ceralacca di prova S.r.l. - indirizzo non valido',
      },
    ],
    ['mancata-consegna-virus', { kind: 'errore-consegna', recipient, virus: 'Eicar-Test-Signature' }],
    ['preavviso-12h', { kind: 'preavviso-errore-consegna', recipient, step: '12h' }],
    ['preavviso-24h', { kind: 'preavviso-errore-consegna', recipient, step: '24h' }],
    ['rilevazione-virus', { kind: 'rilevazione-virus', recipient, virus: 'Eicar-Test-Signature' }],
  ];
  const composed = new Map(notices.map(([name, notification]) => [name, notify(notification)]));
  composed.set('busta', await envelope());
  composed.set('anomalia', await anomaly());
  return composed;
}

/** Header and entity, as the signer finds them. */
export async function rendered(composed: Composed): Promise<Buffer> {
  return Rope.of(composed.header, composed.entity).bytes();
}

/** The outer header as a reader finds it once signed. */
export const outer = (composed: Composed): Header =>
  new Header(Buffer.concat([Buffer.from(composed.header.toString('latin1'), 'latin1'), Buffer.from('\r\n')]));
export const names = (composed: Composed): string[] => outer(composed).fields.map(({ name }) => name);
export const bodyText = (composed: Composed): string => composed.entity.resident()?.toString('latin1') ?? '';
/** Quoted-printable undone, well enough to look for sentences. */
export const shown = (composed: Composed): string =>
  bodyText(composed)
    .replaceAll('=\r\n', '')
    .replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));

export function daticertOf(composed: Composed): string {
  const encoded = bodyText(composed).split('filename="daticert.xml"')[1]?.split('\r\n\r\n')[1] ?? '';
  return Buffer.from(encoded, 'base64').toString('utf8');
}
