// Reads messages of PEC by its own simple means, so that what Ceralacca writes is not judged by what Ceralacca reads.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { field, type Held, headerOf } from '../support/inbox.js';
import { openssl } from '../support/openssl.js';

/** A part of a multipart, byte for byte. */
interface Part {
  readonly header: string;
  readonly body: Buffer;
}

/** The parts of a multipart, from its bytes, header included. */
function partsOf(entity: Buffer): Part[] {
  const boundary = /^Content-Type: multipart\/.*?boundary="([^"]+)"/im.exec(headerOf(entity))?.[1];
  assert.ok(boundary, 'a multipart with a boundary');
  const text = `\r\n${entity.subarray(entity.indexOf('\r\n\r\n') + 4).toString('latin1')}`;
  const pieces = text.split(`\r\n--${boundary}`).slice(1, -1);
  return pieces.map((piece) => {
    const bytes = Buffer.from(piece.slice(piece.indexOf('\r\n') + 2), 'latin1');
    return { header: headerOf(bytes), body: bytes.subarray(bytes.indexOf('\r\n\r\n') + 4) };
  });
}

/** The signed part of a message: header, blank line, body. */
export function signedEntity({ bytes }: Pick<Held, 'bytes'>): Buffer {
  const [entity] = partsOf(bytes);
  assert.ok(entity, 'a signed part');
  return Buffer.concat([Buffer.from(entity.header, 'latin1'), Buffer.from('\r\n'), entity.body]);
}

function file(message: Pick<Held, 'bytes'>, name: string): Buffer | undefined {
  const part = partsOf(signedEntity(message)).find(({ header }) => header.includes(`name="${name}"`));
  if (part === undefined) return undefined;
  return /^Content-Transfer-Encoding: base64/im.test(part.header)
    ? Buffer.from(part.body.toString('latin1'), 'base64')
    : part.body;
}

/** The readable text of a receipt: text/plain, decoded. */
export function readableText(message: Pick<Held, 'bytes'>): string {
  const [readable] = partsOf(signedEntity(message));
  assert.ok(readable, 'a readable part');
  const bytes = Buffer.concat([Buffer.from(`${readable.header}\r\n`, 'latin1'), readable.body]);
  const [plain] = partsOf(bytes);
  const text = plain?.body.toString('latin1') ?? '';
  return text
    .replace(/=\r\n/g, '')
    .replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

/** postacert.eml as it was signed; undefined when the message has none. */
export const postacertOf = (message: Pick<Held, 'bytes'>): Buffer | undefined =>
  file(message, 'postacert.eml');

/** daticert.xml as it was signed. */
export function daticertXml(message: Pick<Held, 'bytes'>): string {
  const xml = file(message, 'daticert.xml');
  assert.ok(xml, 'daticert.xml');
  return xml.toString('utf8');
}

/** What daticert.xml says. */
export interface Said {
  readonly tipo: string;
  readonly errore: string;
  readonly mittente: string;
  /** `certificato bruno@pec.beta.example`, in the order of the file. */
  readonly destinatari: readonly string[];
  readonly oggetto: string;
  readonly gestore: string;
  readonly identificativo: string;
  readonly msgid: string | undefined;
  readonly ricevuta: string | undefined;
  readonly consegna: string | undefined;
  readonly ricezione: readonly string[];
  readonly esteso: string | undefined;
}

const read = new WeakMap<Pick<Held, 'bytes'>, Said>();

/** What a message's daticert.xml says; read once. */
export function said(message: Pick<Held, 'bytes'>): Said {
  const known = read.get(message) ?? reading(message);
  read.set(message, known);
  return known;
}

function reading(message: Pick<Held, 'bytes'>): Said {
  const xml = daticertXml(message);
  const all = (pattern: string): string[][] =>
    [...xml.matchAll(new RegExp(pattern, 'gs'))].map((match) => match.slice(1).map(unescaped));
  const one = (element: string): string | undefined => all(`<${element}>(.*?)</${element}>`)[0]?.[0];
  return {
    tipo: all('<postacert[^>]* ?tipo="([^"]*)"')[0]?.[0] ?? '',
    errore: all('<postacert[^>]* errore="([^"]*)"')[0]?.[0] ?? '',
    mittente: one('mittente') ?? '',
    destinatari: all('<destinatari tipo="([^"]*)">(.*?)</destinatari>').map((pair) => pair.join(' ')),
    oggetto: one('oggetto') ?? '',
    gestore: one('gestore-emittente') ?? '',
    identificativo: one('identificativo') ?? '',
    msgid: one('msgid'),
    ricevuta: all('<ricevuta tipo="([^"]*)"')[0]?.[0],
    consegna: one('consegna'),
    ricezione: all('<ricezione>(.*?)</ricezione>').flat(),
    esteso: one('errore-esteso'),
  };
}

const unescaped = (text: string): string =>
  text
    .replace(/&#x([0-9a-f]+);/gi, (_, hex: string) => String.fromCodePoint(Number.parseInt(hex, 16)))
    .replace(/&lt;/g, '<')
    .replace(/&gt;/g, '>')
    .replace(/&quot;/g, '"')
    .replace(/&apos;/g, "'")
    .replace(/&amp;/g, '&');

/** Whether a message is one of PEC that speaks of this identificativo. */
export const about =
  (identificativo: string, kind?: string) =>
  (message: Held): boolean => {
    const trasporto = field(message, 'X-Trasporto');
    const mark = field(message, 'X-Ricevuta') ?? trasporto;
    if (mark === undefined || trasporto === 'errore' || (kind !== undefined && mark !== kind)) return false;
    return said(message).identificativo === identificativo;
  };

/** The program's own words on a message that openssl does not verify; undefined when it does. */
export function opensslFault({ bytes }: Pick<Held, 'bytes'>, caFile: string): string | undefined {
  return inFile('message.eml', bytes, (path) => {
    const args = ['-purpose', 'smimesign', '-CAfile', caFile, '-in', path, '-out', '/dev/null'];
    const { ok, stderr } = openssl('cms', '-verify', ...args);
    return ok ? undefined : stderr;
  });
}

/** What xmllint has against a daticert.xml, by the DTD of RFC 6109 4.4; undefined when nothing. */
export function dtdFault(xml: string): string | undefined {
  return inFile('daticert.xml', Buffer.from(xml), (path) => {
    const run = spawnSync('xmllint', ['--noout', '--dtdvalid', 'test/fixtures/postacert.dtd', path]);
    return run.status === 0 ? undefined : run.stderr.toString();
  });
}

function inFile<T>(name: string, bytes: Buffer, use: (path: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), 'ceralacca-reading-'));
  try {
    const path = join(folder, name);
    writeFileSync(path, bytes);
    return use(path);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
