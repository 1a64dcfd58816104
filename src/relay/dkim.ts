/**
 * DKIM signatures (RFC 6376) for what leaves for ordinary recipients, made before queueing (decisions 16). Header relaxed, body
 * simple: the body is hashed as its octets stand, for one that a relay changed has lost its S/MIME signature anyway.
 */
import { createHash, type KeyObject, sign } from 'node:crypto';
import { promisify } from 'node:util';
import { type Header, readHeader } from '../mime/index.js';
import { Rope } from '../rope/index.js';

export interface DkimOptions {
  /** `d=`: the mail domain. */
  readonly domain: string;
  readonly selector: string;
  /** RSA or Ed25519 (RFC 8463). */
  readonly key: KeyObject;
  /** Epoch milliseconds, for `t=`. */
  readonly at: number;
}

/** RFC 6376 5.4.1, and the fields PEC reads. */
const SIGNED = [
  ...['From', 'To', 'Cc', 'Reply-To', 'Subject', 'Date', 'Message-ID', 'MIME-Version', 'Content-Type'],
  ...['X-Trasporto', 'X-Ricevuta', 'X-TipoRicevuta', 'X-Riferimento-Message-ID'],
];
const CR = 0x0d;
const LF = 0x0a;
const CRLF = Buffer.from('\r\n');

const signInThreadPool = promisify(
  (
    algorithm: string | null,
    data: Buffer,
    key: KeyObject,
    done: (error: Error | null, signature: Buffer) => void,
  ) => sign(algorithm, data, key, done),
);

/** The message with a DKIM-Signature on top. @throws MimeError when the header is too large, and what the key fails with */
export async function dkimSign(message: Rope, options: DkimOptions): Promise<Rope> {
  const header = await readHeader(message);
  const bodyHash = await simpleBodyHash(message.slice(header.bodyOffset));
  const names = signedNames(header);
  const rsa = options.key.asymmetricKeyType !== 'ed25519';
  const unsigned = [
    `DKIM-Signature: v=1; a=${rsa ? 'rsa' : 'ed25519'}-sha256; c=relaxed/simple;`,
    `\td=${options.domain}; s=${options.selector}; t=${Math.floor(options.at / 1000)};`,
    `\th=${names.join(':\r\n\t ')};`,
    `\tbh=${bodyHash};`,
    '\tb=',
  ].join('\r\n');
  const data = Buffer.from(
    `${relaxedFields(header, names)}${relaxed('dkim-signature', afterColon(unsigned))}`,
    'latin1',
  );
  // RFC 8463 3: Ed25519 signs the hash.
  const signature = await (rsa
    ? signInThreadPool('sha256', data, options.key)
    : signInThreadPool(null, createHash('sha256').update(data).digest(), options.key));
  const folded = signature.toString('base64').replace(/.{1,70}(?=.)/g, '$&\r\n\t ');
  return Rope.of(`${unsigned}${folded}\r\n`, message);
}

/** Names for `h=`, once for each field there is; From once more, so that none can be added (RFC 6376 8.15). */
function signedNames(header: Header): string[] {
  return ['From', ...SIGNED.flatMap((name) => header.all(name).map(() => name))];
}

/** RFC 6376 5.4.2: a name met again means the next field above; past the topmost it means nothing. */
function relaxedFields(header: Header, names: readonly string[]): string {
  const used = new Map<string, number>();
  let text = '';
  for (const name of names) {
    const fields = header.all(name);
    const already = used.get(name) ?? 0;
    used.set(name, already + 1);
    const field = fields[fields.length - 1 - already];
    if (field !== undefined) text += `${relaxed(name.toLowerCase(), field.raw)}\r\n`;
  }
  return text;
}

/** RFC 6376 3.4.2. */
const relaxed = (name: string, value: string): string =>
  `${name}:${value.replace(/[ \t\r\n]+/g, ' ').trim()}`;

const afterColon = (field: string): string => field.slice(field.indexOf(':') + 1);

/** RFC 6376 3.4.3: without the empty lines at the end, with one CRLF; streamed. */
async function simpleBodyHash(body: Rope): Promise<string> {
  const hash = createHash('sha256');
  let emptyLines = 0;
  let carried: Buffer = Buffer.alloc(0);
  for await (const next of body.chunks()) {
    const chunk = carried.length === 0 ? next : Buffer.concat([carried, next]);
    // A CR at the end waits for its LF.
    const whole = chunk[chunk.length - 1] === CR ? chunk.length - 1 : chunk.length;
    carried = chunk.subarray(whole);
    let end = whole;
    while (end >= 2 && chunk[end - 1] === LF && chunk[end - 2] === CR) end -= 2;
    if (end > 0) {
      for (; emptyLines > 0; emptyLines--) hash.update(CRLF);
      hash.update(chunk.subarray(0, end));
    }
    emptyLines += (whole - end) / 2;
  }
  if (carried.length > 0) {
    for (; emptyLines > 0; emptyLines--) hash.update(CRLF);
    hash.update(carried);
  }
  return hash.update(CRLF).digest('base64');
}
