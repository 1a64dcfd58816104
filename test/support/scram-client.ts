/** What a client of SCRAM-SHA-256 says, computed apart from our own code (RFC 5802 3). */
import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';

const hmac = (key: Buffer, data: string): Buffer => createHmac('sha256', key).update(data).digest();
const salted = new Map<string, Buffer>();

/** client-first-message. @param header of GS2: `n,,` */
export const scramFirst = (user: string, header = 'n,,'): string =>
  `${header}n=${user},r=${randomBytes(12).toString('hex')}`;

/** client-final-message, and the server-final-message it has to lead to. @param channel octets of the channel binding */
export function scramFinal(
  first: string,
  challenge: string,
  password: string,
  channel: Buffer = Buffer.alloc(0),
): { readonly message: string; readonly signature: string } {
  const [, nonce = '', salt = '', count = ''] = /^r=(.*),s=(.*),i=(.*)$/.exec(challenge) ?? [];
  const named = `${password} ${salt} ${count}`;
  const key =
    salted.get(named) ?? pbkdf2Sync(password, Buffer.from(salt, 'base64'), Number(count), 32, 'sha256');
  salted.set(named, key);
  const header = first.slice(0, first.indexOf(',', first.indexOf(',') + 1) + 1);
  const binding = Buffer.concat([Buffer.from(header), channel]).toString('base64');
  const withoutProof = `c=${binding},r=${nonce}`;
  const messages = `${first.slice(header.length)},${challenge},${withoutProof}`;
  const clientKey = hmac(key, 'Client Key');
  const signature = hmac(createHash('sha256').update(clientKey).digest(), messages);
  const proof = Buffer.from(clientKey.map((octet, at) => octet ^ (signature[at] ?? 0)));
  return {
    message: `${withoutProof},p=${proof.toString('base64')}`,
    signature: `v=${hmac(hmac(key, 'Server Key'), messages).toString('base64')}`,
  };
}
