import { isUtf8 } from 'node:buffer';
import { TextDecoder } from 'node:util';

const decoders = new Map<string, TextDecoder | undefined>();
/** Labels come from outside: the cache of decoders must not grow with them. */
const DECODERS_KEPT = 64;

/**
 * Bytes in a named charset as text. An octet that charset does not know becomes U+FFFD; a charset nobody
 * knows is read as UTF-8 where the bytes are valid UTF-8, else as Latin-1.
 */
export function decodeCharset(bytes: Buffer, label: string): string {
  const decoder = decoderFor(label.toLowerCase());
  return decoder === undefined ? decodeUnlabelled(bytes) : decoder.decode(bytes);
}

/** Bytes that say nothing of their charset: UTF-8 if valid, else Latin-1. */
export function decodeUnlabelled(bytes: Buffer): string {
  return isUtf8(bytes) ? bytes.toString('utf8') : bytes.toString('latin1');
}

/** A header value read octet by octet (Latin-1) whose 8-bit octets are UTF-8 if valid, else stay Latin-1 (RFC 6532). */
export function decodeEightBit(raw: string): string {
  return hasEightBit(raw) ? decodeUnlabelled(Buffer.from(raw, 'latin1')) : raw;
}

/** Text on one line: every control character is a space, so nothing decoded can start a line of its own. */
export function oneLine(text: string): string {
  return /[\0-\x1f\x7f]/.test(text) ? text.replace(/[\0-\x1f\x7f]/g, ' ') : text;
}

function hasEightBit(raw: string): boolean {
  return /[\x80-\xff]/.test(raw);
}

function decoderFor(label: string): TextDecoder | undefined {
  if (decoders.has(label)) return decoders.get(label);
  if (decoders.size >= DECODERS_KEPT) decoders.clear();
  const decoder = openDecoder(label);
  decoders.set(label, decoder);
  return decoder;
}

function openDecoder(label: string): TextDecoder | undefined {
  // U+FEFF at the head of UTF-8 text belongs to the text; in UTF-16 it is the mark of byte order.
  const ignoreBOM = !label.startsWith('utf-16');
  try {
    return new TextDecoder(label, { ignoreBOM });
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}
