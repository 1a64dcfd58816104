/** RFC 2045 6.7 (5): columns of an encoded line, the `=` of a soft break included. */
const QP_COLUMNS = 76;
const SPACE = 0x20;
const TAB = 0x09;
const CR = 0x0d;
const LF = 0x0a;
const EQUALS = 0x3d;

const HEX = Buffer.from('0123456789ABCDEF');

/**
 * Quoted-printable (RFC 2045 6.7) of text whose lines end with CRLF. A CRLF stays a line end; any other CR or LF,
 * and white space before a line end, is encoded. No line end is added.
 */
export function encodeQuotedPrintable(bytes: Buffer): string {
  // Three octets for one, and a soft break after at least 73 of them.
  const out = new LineWriter(bytes.length * 3 + Math.ceil(bytes.length / 24) * 3);
  for (let at = 0; at < bytes.length; at += 1) {
    if (isLineEnd(bytes, at)) {
      out.lineEnd();
      at += 1;
    } else {
      out.octet(bytes[at] ?? 0, at + 1 === bytes.length || isLineEnd(bytes, at + 1));
    }
  }
  return out.text();
}

const isLineEnd = (bytes: Buffer, at: number): boolean => bytes[at] === CR && bytes[at + 1] === LF;

class LineWriter {
  private readonly out: Buffer;
  private length = 0;
  private column = 0;

  constructor(capacity: number) {
    this.out = Buffer.allocUnsafe(capacity);
  }

  /** @param last the line ends after this octet: it needs no room for a soft break. */
  octet(octet: number, last: boolean): void {
    const literal = isLiteral(octet, last);
    if (this.column + (literal ? 1 : 3) > (last ? QP_COLUMNS : QP_COLUMNS - 1)) {
      this.put(EQUALS);
      this.lineEnd();
    }
    if (literal) {
      this.put(octet);
      return;
    }
    this.put(EQUALS);
    this.put(HEX[octet >> 4] ?? 0);
    this.put(HEX[octet & 15] ?? 0);
  }

  lineEnd(): void {
    this.put(CR);
    this.put(LF);
    this.column = 0;
  }

  text(): string {
    return this.out.toString('latin1', 0, this.length);
  }

  private put(octet: number): void {
    this.out[this.length] = octet;
    this.length += 1;
    this.column += 1;
  }
}

/** RFC 2045 6.7 (3): white space may stand for itself except at the end of a line. */
function isLiteral(octet: number, last: boolean): boolean {
  if (octet === SPACE || octet === TAB) return !last;
  return octet > SPACE && octet < 0x7f && octet !== EQUALS;
}

/** Base64 in lines of `columns` characters with CRLF between them, none after the last one. */
export function encodeBase64(bytes: Uint8Array, columns = 76): string {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
  const lines: string[] = [];
  for (let at = 0; at < text.length; at += columns) lines.push(text.slice(at, at + columns));
  return lines.join('\r\n');
}
