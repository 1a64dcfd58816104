import { CmsError } from './cms-error.js';

export interface PemBlock {
  readonly label: string;
  readonly der: Uint8Array;
}

const BEGIN = '-----BEGIN ';
const END = '-----END ';
/** The longest in RFC 7468 has 22 characters. */
const LONGEST_LABEL = 64;

/**
 * Every block of a PEM text (RFC 7468): from an END back to the last BEGIN, in one pass however many of them come. Text around
 * and between the blocks is skipped. @throws CmsError
 */
export function pemBlocks(file: Uint8Array): PemBlock[] {
  const text = new TextDecoder('latin1').decode(file);
  const blocks: PemBlock[] = [];
  let from = 0;
  for (let end = text.indexOf(END); end >= 0; end = text.indexOf(END, end + END.length)) {
    const at = end + END.length;
    const label = /^[A-Z0-9 ]+(?=-----)/.exec(text.slice(at, at + LONGEST_LABEL + 5))?.[0];
    if (label === undefined) continue;
    const before = text.slice(from, end);
    const begin = before.lastIndexOf(BEGIN);
    const opening = `${BEGIN}${label}-----`;
    if (begin >= 0 && before.startsWith(opening, begin))
      blocks.push({ label, der: fromBase64(before.slice(begin + opening.length)) });
    from = at + label.length + 5;
  }
  return blocks;
}

/** DER of CMS, certificates and CRLs starts with a SEQUENCE; a PEM text, even with a preface, cannot hold one before BEGIN. */
export function startsLikePem(file: Uint8Array): boolean {
  if (file[0] === 0x30 && (file[1] ?? 0) >= 0x80) return false;
  return new TextDecoder('latin1').decode(file).includes(BEGIN);
}

/** @throws CmsError */
export function fromBase64(text: string): Uint8Array {
  try {
    return Uint8Array.from(atob(text.replace(/\s+/g, '')), (character) => character.charCodeAt(0));
  } catch (cause) {
    throw new CmsError('bad-value', `not base64: ${cause instanceof Error ? cause.message : String(cause)}`);
  }
}

/** PEM of one block, 64 columns, LF line ends. */
export function toPem(label: string, der: Uint8Array): string {
  let octets = '';
  for (const octet of der) octets += String.fromCharCode(octet);
  const lines = btoa(octets).match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}
