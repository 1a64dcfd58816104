import { type Header, readHeader } from '../../src/mime/index.js';
import { Rope } from '../../src/rope/index.js';

/** A header block out of its lines. */
export const headerOf = (...lines: string[]): Promise<Header> =>
  readHeader(Rope.of(Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'utf8')));

/** The same header with one field left out, or put in the place of what stood there. */
export const replaced = (lines: readonly string[], name: string, ...instead: string[]): string[] => [
  ...lines.filter((line) => !line.toLowerCase().startsWith(`${name.toLowerCase()}:`)),
  ...instead,
];

/** Lines of bytes as they stand on the wire. */
export const crlf = (...lines: string[]): string => `${lines.join('\r\n')}\r\n`;

export interface Facts {
  readonly tipo: string;
  readonly errore?: string;
  readonly mittente?: string;
  readonly destinatari?: readonly string[];
  readonly identificativo?: string;
  /** Elements after msgid, in the order of the DTD. */
  readonly tail?: string;
}

export const IDENTIFICATIVO = 'ceralacca1.20261122120000.0123456789abcdef@pec.alfa.example';
export const SENDER = 'mario.rossi@pec.alfa.example';
export const RECIPIENT = 'anna.bianchi@pec.beta.example';

/** A daticert.xml written by hand, so that wrong ones can be had too. */
export const daticertXml = (facts: Facts): string =>
  [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<postacert tipo="${facts.tipo}" errore="${facts.errore ?? 'nessuno'}">`,
    '    <intestazione>',
    `        <mittente>${facts.mittente ?? SENDER}</mittente>`,
    ...(facts.destinatari ?? [RECIPIENT]).map(
      (address) => `        <destinatari tipo="certificato">${address}</destinatari>`,
    ),
    `        <risposte>${facts.mittente ?? SENDER}</risposte>`,
    '        <oggetto>Così è, perché sì</oggetto>',
    '    </intestazione>',
    '    <dati>',
    '        <gestore-emittente>Alfa PEC S.p.A.</gestore-emittente>',
    '        <data zona="+0100"><giorno>22/11/2026</giorno><ora>12:00:00</ora></data>',
    `        <identificativo>${facts.identificativo ?? IDENTIFICATIVO}</identificativo>`,
    '        <msgid>&lt;1@client.example&gt;</msgid>',
    `        ${facts.tail ?? ''}`,
    '    </dati>',
    '</postacert>',
    '',
  ].join('\n');

const BOUNDARY = '----------=_1';

export const TEXT_PART = crlf(
  'Content-Type: text/plain; charset="iso-8859-1"',
  'Content-Transfer-Encoding: quoted-printable',
  '',
  '=C8 un testo',
);

export const daticertPart = (xml: string): string =>
  crlf(
    'Content-Type: application/xml; name="daticert.xml"',
    'Content-Disposition: inline; filename="daticert.xml"',
    'Content-Transfer-Encoding: base64',
    '',
    Buffer.from(xml, 'utf8').toString('base64').replace(/.{60}/g, '$&\r\n'),
  );

/** What a user sent, with the PEC msgid for its Message-ID. */
export const original = (identificativo = IDENTIFICATIVO, ...more: string[]): string =>
  crlf(
    'Received: from client.example by smtp.pec.alfa.example',
    `From: ${SENDER}`,
    `To: ${RECIPIENT}`,
    'Subject: prova',
    ...more,
    `Message-ID: <${identificativo}>`,
    'X-Riferimento-Message-ID: <1@client.example>',
    '',
    'Buongiorno,',
    '----------=_non un confine',
    'saluti',
  );

export const postacertPart = (message: string): string =>
  `${crlf(
    'Content-Type: message/rfc822; name="postacert.eml"',
    'Content-Disposition: inline; filename="postacert.eml"',
    'Content-Transfer-Encoding: 7bit',
    '',
  )}${message}`;

/** The signed multipart/mixed out of its parts. */
export const entityOf = (...parts: string[]): Rope =>
  Rope.of(
    Buffer.from(
      `${crlf(`Content-Type: multipart/mixed; boundary="${BOUNDARY}"`, 'MIME-Version: 1.0', '')}${parts
        .map((part) => `--${BOUNDARY}\r\n${part}\r\n`)
        .join('')}--${BOUNDARY}--\r\n`,
      'utf8',
    ),
  );
