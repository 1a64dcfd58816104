/** The mail that both servers hold: the same octets, made from a number, in the proportions of a PEC mailbox. */
import type { RawClient } from './raw-client.js';

export const MESSAGES = Number(process.env.CERALACCA_BENCH_IMAP_MESSAGES ?? 10_000);
/** Messages of 10 KB in the second folder. */
export const LARGE = Math.min(1000, MESSAGES);
export const LARGE_FOLDER = 'Grandi';
/** Messages of one APPEND (RFC 3502). */
const TOGETHER = 250;

/** In the body of one in a hundred, of every one, and in no body. */
export const WORDS = {
  rare: 'protocollo-riservato',
  common: 'cordiali saluti',
  absent: 'xylografia',
} as const;

const SUBJECTS = ['Fattura', 'Offerta di gara', 'Istanza', 'Contratto', 'Sollecito', 'Verbale'];
const day = (number: number): string => String((number % 28) + 1).padStart(2, '0');
const hour = (number: number): string => String((number * 7) % 24).padStart(2, '0');
const minute = (number: number): string => String((number * 13) % 60).padStart(2, '0');
const messageId = (number: number): string => `<opec2951.20251101.${number}@pec.alfa.example>`;

/** Every fifth is an answer to the one before it. */
function header(number: number, kind: string): string[] {
  const answers = number % 5 === 4;
  const base = number - (answers ? 1 : 0);
  const subject = `${SUBJECTS[base % SUBJECTS.length]} n. ${base}`;
  return [
    `Return-Path: <posta-certificata@pec.beta.example>`,
    `Received: from mx${number % 3}.beta.example (mx.beta.example [192.0.2.${number % 250}])\r\n\tby mail.alfa.example with ESMTPS id ${number}.ab; Sat, ${day(number)} Nov 2025 ${hour(number)}:${minute(number)}:12 +0100`,
    `Message-ID: ${messageId(number)}`,
    ...(answers ? [`In-Reply-To: ${messageId(base)}`, `References: ${messageId(base)}`] : []),
    `Date: Sat, ${day(number)} Nov 2025 ${hour(number)}:${minute(number)}:10 +0100`,
    `From: "Per conto di: ufficio${number % 97}@beta.example" <posta-certificata@pec.beta.example>`,
    `Reply-To: ufficio${number % 97}@beta.example`,
    `To: "Anna Rossi" <anna@alfa.example>, bruno${number % 11}@alfa.example`,
    ...(number % 4 === 0 ? [`Cc: =?utf-8?Q?Citt=C3=A0_di_Roma?= <comune@roma.example>`] : []),
    `Subject: ${answers ? 'Re: ' : ''}${kind}: ${subject}`,
    `X-Riferimento-Message-ID: <${number}@beta.example>`,
    'MIME-Version: 1.0',
  ];
}

const base64 = (octets: number): string =>
  `${'MIIGhjCCBW6gAwIBAgIQTn8vYq0bXkJ3c5fHd2l1ZjANBgkqhkiG9w0BAQsFADBUMQswCQYDVQQG\r\n'.repeat(Math.ceil(octets / 78))}`;

function text(number: number): string {
  const rare = number % 100 === 17 ? `Riferimento: ${WORDS.rare}.\r\n` : '';
  return `Il messaggio numero ${number} riguarda la pratica ${number % 731}.\r\n${rare}${WORDS.common}\r\nUfficio ${number % 97}\r\n`;
}

/** A transport envelope: multipart/signed around text, daticert.xml and the original. */
function envelope(number: number): string {
  const [outer, inner] = [`=_outer_${number}`, `=_inner_${number}`];
  return [
    ...header(number, 'POSTA CERTIFICATA'),
    'X-Trasporto: posta-certificata',
    `Content-Type: multipart/signed; protocol="application/pkcs7-signature"; micalg=sha-256;\r\n boundary="${outer}"`,
    '',
    `--${outer}`,
    `Content-Type: multipart/mixed; boundary="${inner}"`,
    '',
    `--${inner}`,
    'Content-Type: text/plain; charset=utf-8',
    '',
    text(number),
    `--${inner}`,
    'Content-Type: application/xml; name="daticert.xml"',
    'Content-Transfer-Encoding: base64',
    'Content-Disposition: inline; filename="daticert.xml"',
    '',
    base64(600),
    `--${inner}`,
    'Content-Type: message/rfc822; name="postacert.eml"',
    'Content-Disposition: inline; filename="postacert.eml"',
    '',
    `From: ufficio${number % 97}@beta.example`,
    'To: anna@alfa.example',
    `Subject: ${SUBJECTS[number % SUBJECTS.length]} n. ${number}`,
    'Content-Type: text/plain; charset=utf-8',
    '',
    text(number),
    `--${inner}--`,
    `--${outer}`,
    'Content-Type: application/pkcs7-signature; name="smime.p7s"',
    'Content-Transfer-Encoding: base64',
    'Content-Disposition: attachment; filename="smime.p7s"',
    '',
    base64(1200),
    `--${outer}--`,
    '',
  ].join('\r\n');
}

/** A receipt: text alone. */
function receipt(number: number): string {
  return [
    ...header(number, 'ACCETTAZIONE'),
    'X-Ricevuta: accettazione',
    'Content-Type: text/plain; charset=utf-8',
    'Content-Transfer-Encoding: 8bit',
    '',
    text(number),
  ].join('\r\n');
}

export const message = (number: number): string => (number % 2 === 0 ? envelope(number) : receipt(number));

/** A message of 10 KB. */
export function largeMessage(number: number): string {
  const head = [
    ...header(number, 'POSTA CERTIFICATA'),
    'Content-Type: text/plain; charset=us-ascii',
    '',
    '',
  ].join('\r\n');
  const line = `${`${number} `.padEnd(74, 'x')}\r\n`;
  return head + line.repeat(Math.ceil((10_240 - head.length) / line.length));
}

async function append(
  client: RawClient,
  folder: string,
  count: number,
  make: (at: number) => string,
): Promise<void> {
  for (let from = 0; from < count; from += TOGETHER) {
    const parts = Array.from({ length: Math.min(TOGETHER, count - from) }, (_, at) => make(from + at));
    const literals = parts.map((part) => ` {${Buffer.byteLength(part)}+}\r\n${part}`);
    await client.command(Buffer.from(`APPEND ${folder}${literals.join('')}`));
  }
}

/** The same mail through the same door into either server. */
export async function fill(client: RawClient): Promise<void> {
  await append(client, 'INBOX', MESSAGES, message);
  await client.command(`CREATE ${LARGE_FOLDER}`);
  await append(client, LARGE_FOLDER, LARGE, largeMessage);
}
