import { decodeBody, MimeError, type Part, readStructure } from '../mime/index.js';
import { Rope } from '../rope/index.js';
import type { Antivirus, ScanVerdict } from './antivirus.js';

/** The EICAR test file, cut in two so that this source is not one. */
export const EICAR = Buffer.from(
  ['X5O!P%@AP[4\\PZX54(P^)7CC)7}$', 'EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*'].join(''),
);
/** A part larger than this is searched as it stands, not decoded: the test file is 68 octets. */
const DECODE_LIMIT = 1024 * 1024;
const NESTING = 5;

/**
 * The built-in scanner: it knows the EICAR test file in any part, in any transfer encoding, and nothing else. For demo
 * and tests; `serve` warns.
 */
export class EicarAntivirus implements Antivirus {
  readonly name = 'builtin eicar';

  async scan(message: Rope): Promise<ScanVerdict> {
    const found = (await message.indexOf(EICAR)) >= 0 || (await foundInside(message, NESTING));
    return { virus: found ? 'Eicar-Test-Signature' : null, engine: this.name };
  }

  async ping(): Promise<boolean> {
    return true;
  }
}

async function foundInside(message: Rope, nesting: number): Promise<boolean> {
  try {
    return await foundInPart(message, await readStructure(message), nesting);
  } catch (error) {
    // Past the limits of the structure walk only the raw bytes are searched, and they have been.
    if (error instanceof MimeError) return false;
    throw error;
  }
}

async function foundInPart(message: Rope, part: Part, nesting: number): Promise<boolean> {
  for (const child of part.children) {
    if (await foundInPart(message, child, nesting)) return true;
  }
  const body = message.slice(part.bodyStart, part.end);
  const isMessage = part.type.type === 'message' && part.type.subtype === 'rfc822';
  const encoding = part.header.raw('Content-Transfer-Encoding')?.trim().toLowerCase() ?? '7bit';
  if (encoding !== 'base64' && encoding !== 'quoted-printable') {
    return isMessage && nesting > 0 && (await foundInside(body, nesting - 1));
  }
  const decoded = await decodeBody(body.slice(0, DECODE_LIMIT), encoding, DECODE_LIMIT);
  if (decoded.includes(EICAR)) return true;
  // RFC 2045 6.4 forbids to encode a message; whoever hides something does not mind.
  return isMessage && nesting > 0 && (await foundInside(Rope.of(decoded), nesting - 1));
}
