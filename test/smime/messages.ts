import type { Composed } from '../../src/pec/index.js';
import { Rope, type Source } from '../../src/rope/index.js';
import { readSigned, type SignedMessage, seal } from '../../src/smime/index.js';
import { type Identity, signerOf } from '../support/pki.js';

/** A multipart/mixed entity like that of an envelope, of some 2 KB. */
export const entityText = [
  'Content-Type: multipart/mixed; boundary="interna"',
  'Content-Transfer-Encoding: binary',
  '',
  '--interna',
  'Content-Type: text/plain; charset="iso-8859-1"',
  '',
  'Messaggio di posta certificata',
  ...new Array<string>(30).fill('una riga di testo che serve a far numero'),
  '--interna',
  'Content-Type: message/rfc822; name="postacert.eml"',
  '',
  'From: mario@alfa.example',
  'Subject: prova',
  '',
  'testo',
  '--interna--',
  '',
].join('\r\n');

export const FROM = 'posta-certificata@pec.alfa.example';

export const composed = (entity: Rope | string = entityText): Composed => ({
  header: `From: "Per conto di: mario@alfa.example" <${FROM}>\r\nTo: anna@beta.example\r\nSubject: POSTA CERTIFICATA: prova\r\n`,
  entity: Rope.of(entity),
  boundary: '----0123456789ABCDEF0123456789ABCDEF',
});

/** A message sealed by an identity of the tests, as bytes. */
export async function sealed(
  identity: Identity,
  at = Date.now(),
  ...chain: readonly Buffer[]
): Promise<Buffer> {
  return (await seal(composed(), signerOf(identity, ...chain), at)).bytes();
}

/** The two halves of a message that must have them. */
export async function halves(message: Uint8Array | Rope): Promise<SignedMessage> {
  const signed = await readSigned(Rope.of(message));
  if (signed === undefined) throw new Error('the message is not multipart/signed');
  return signed;
}

/** A source that is not in memory. */
export const sourceOf = (bytes: Buffer): Source => ({
  length: bytes.length,
  read: async (offset, length) => bytes.subarray(offset, offset + length),
});

/** The same bytes cut at these places, every other piece in a source. */
export function inPieces(bytes: Buffer, cuts: readonly number[]): Rope {
  const places = cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b);
  const edges = [0, ...places, bytes.length];
  const pieces = edges.slice(1).map((end, index) => bytes.subarray(edges[index], end));
  return Rope.of(...pieces.map((piece, index) => (index % 2 === 0 ? piece : sourceOf(piece))));
}
