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
 * Every block of a PEM text (RFC 7468); text around and between them is skipped. One pass, since lists come from the
 * network: no text makes it go back.
 * @throws CmsError
 */
export function pemBlocks(file: Uint8Array): PemBlock[] {
  const text = new TextDecoder('latin1').decode(file);
  const blocks: PemBlock[] = [];
  for (let at = text.indexOf(BEGIN); at >= 0; at = text.indexOf(BEGIN, at)) {
    at += BEGIN.length;
    const label = /^[A-Z0-9 ]+(?=-----)/.exec(text.slice(at, at + LONGEST_LABEL + 5))?.[0];
    if (label === undefined) continue;
    const from = at + label.length + 5;
    const to = text.indexOf(END, from);
    // Nothing ends after here.
    if (to < 0) break;
    at = to + END.length;
    if (!text.startsWith(`${label}-----`, at)) continue;
    blocks.push({ label, der: fromBase64(text.slice(from, to)) });
  }
  return blocks;
}

/** DER of CMS, certificates and CRLs starts with a SEQUENCE; a PEM text, even with a preface, cannot hold one before BEGIN. */
export function startsLikePem(file: Uint8Array): boolean {
  if (file[0] === 0x30 && (file[1] ?? 0) >= 0x80) return false;
  return new TextDecoder('latin1').decode(file).includes('-----BEGIN ');
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
