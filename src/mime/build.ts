import { Rope } from '../rope/index.js';
import { MimeError } from './errors.js';

/** RFC 2046 5.1.1: bchars, at most 70, not ending with a space. */
const BOUNDARY = /^[0-9A-Za-z'()+_,\-./:=? ]{0,69}[0-9A-Za-z'()+_,\-./:=?]$/;

/**
 * An entity: header lines (without CRLF; folded ones carry their own CRLF and white space), a blank line, a body.
 * A string body is Latin-1. @throws MimeError malformed-header when a line would end the header or start another field.
 */
export function part(headers: readonly string[], body: Rope | string): Rope {
  return Rope.of(headerBlock(headers), body);
}

/**
 * A multipart entity: Content-Type with its boundary, the other header lines, the parts between delimiters, each ended
 * by the CRLF that belongs to the next delimiter. Ends with CRLF.
 * @param type subtype and parameters but the boundary: `mixed`, `signed; protocol="application/pkcs7-signature"`.
 * @param boundary must not occur in the parts: the caller draws it. @throws MimeError bad-boundary, malformed-header.
 */
export function multipart(
  type: string,
  boundary: string,
  parts: readonly Rope[],
  headers: readonly string[] = [],
  preamble = '',
): Rope {
  if (!BOUNDARY.test(boundary))
    throw new MimeError('bad-boundary', 'a boundary has 1 to 70 characters of RFC 2046 5.1.1');
  const contentType = `Content-Type: multipart/${type};\r\n boundary="${boundary}"`;
  const opening = preamble === '' ? '' : `${preamble}\r\n`;
  const delimited = parts.flatMap((each) => [`--${boundary}\r\n`, each, '\r\n']);
  return Rope.of(headerBlock([contentType, ...headers]), opening, ...delimited, `--${boundary}--\r\n`);
}

function headerBlock(headers: readonly string[]): string {
  for (const line of headers) {
    // A CR or LF that is no folding would let a value start a field of its own.
    if (/[\r\n]/.test(line.replaceAll(/\r\n(?=[ \t])/g, '')) || line === '') {
      throw new MimeError(
        'malformed-header',
        `a header line is broken: ${JSON.stringify(line.slice(0, 60))}`,
      );
    }
  }
  return headers.length === 0 ? '\r\n' : `${headers.join('\r\n')}\r\n\r\n`;
}
