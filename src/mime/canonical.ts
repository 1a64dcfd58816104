import { isAscii } from 'node:buffer';

export type CanonicalFault = 'bare-cr' | 'bare-lf' | 'nul';

const CR = 0x0d;
const LF = 0x0a;

/**
 * Watches text go by, chunk after chunk, and says whether every line ends with CRLF. How the text is cut into chunks
 * makes no difference. The verdict stands after `end()`.
 */
export class CanonicalGuard {
  /** The first fault in the text. */
  fault: CanonicalFault | undefined;
  /** An octet over 127 was seen. */
  eightBit = false;
  private longest = 0;
  /** Octets since the last CRLF, a CR that waits for its LF included. */
  private line = 0;
  /** The last octet is a CR that waits for its LF. */
  private afterCr = false;
  private seen = false;

  /** The longest run of octets without CRLF, its end not counted. */
  get longestLine(): number {
    return Math.max(this.longest, this.line);
  }

  /** The text is not empty and its last line is ended. */
  get endsWithCrlf(): boolean {
    return this.seen && this.line === 0;
  }

  push(chunk: Buffer): void {
    if (chunk.length === 0) return;
    this.seen = true;
    if (!this.eightBit) this.eightBit = !isAscii(chunk);
    const nul = this.fault === undefined ? chunk.indexOf(0) : -1;
    const bare = this.readLines(chunk);
    if (nul >= 0 && (bare === undefined || nul < bare.at)) this.fault ??= 'nul';
    else this.fault ??= bare?.fault;
  }

  /** Nothing follows: a CR still waiting is bare. */
  end(): void {
    if (this.afterCr) this.fault ??= 'bare-cr';
  }

  /** Measures the lines of a chunk. @returns the first line end that is no CRLF. */
  private readLines(chunk: Buffer): { at: number; fault: CanonicalFault } | undefined {
    let bare: { at: number; fault: CanonicalFault } | undefined;
    let lineStart = -this.line;
    // An offset past the chunk means none. Each is looked for again only when passed, so a chunk is read once for each.
    let cr = this.afterCr ? -1 : ahead(chunk, CR, 0);
    let lf = ahead(chunk, LF, 0);
    while (cr < chunk.length - 1 || lf < chunk.length) {
      if (lf === cr + 1) {
        this.longest = Math.max(this.longest, cr - lineStart);
        lineStart = lf + 1;
      } else if (lf < cr) {
        bare ??= { at: lf, fault: 'bare-lf' };
      } else {
        bare ??= { at: cr, fault: 'bare-cr' };
      }
      const passed = Math.min(cr, lf) + (lf === cr + 1 ? 2 : 1);
      if (cr < passed) cr = ahead(chunk, CR, passed);
      if (lf < passed) lf = ahead(chunk, LF, passed);
    }
    this.afterCr = cr === chunk.length - 1;
    this.line = chunk.length - lineStart;
    return bare;
  }
}

function ahead(chunk: Buffer, octet: number, from: number): number {
  const at = chunk.indexOf(octet, from);
  return at < 0 ? chunk.length + 1 : at;
}
