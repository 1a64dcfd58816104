/** A peer's answer to a command. */
export interface Reply {
  readonly code: number;
  /** RFC 3463, where the text starts with one of the reply's own class. */
  readonly enhanced?: string | undefined;
  /** The lines without code and enhanced code, joined by a space. */
  readonly text: string;
  /** The lines as they came, without code: what EHLO's answer is read from. */
  readonly lines: readonly string[];
}

/** The peer speaks something that is not SMTP, or too much of it. */
export class ReplyError extends Error {
  override readonly name = 'ReplyError';
}

/** Octets of one line and of one reply: RFC 5321 4.5.3.1.5 says 512 a line, peers send more. */
const MAX_LINE = 4096;
const MAX_REPLY = 64 * 1024;
const LINE = /^([2-5]\d\d)(?:([ -])(.*))?$/s;

/** Octets in, replies out. Pure; bounded. */
export class ReplyParser {
  #rest = '';
  #lines: string[] = [];
  #code = 0;
  #size = 0;

  /** True while octets are held that make no whole reply yet. */
  get partial(): boolean {
    return this.#rest !== '' || this.#lines.length > 0;
  }

  /** The replies these octets complete. @throws ReplyError */
  push(chunk: Buffer): Reply[] {
    const lines = (this.#rest + chunk.toString('latin1')).split('\n');
    this.#rest = lines.pop() ?? '';
    if (this.#rest.length > MAX_LINE) throw new ReplyError('reply line too long');
    const replies: Reply[] = [];
    for (const line of lines) {
      const reply = this.#line(line.endsWith('\r') ? line.slice(0, -1) : line);
      if (reply !== undefined) replies.push(reply);
    }
    return replies;
  }

  #line(line: string): Reply | undefined {
    const match = LINE.exec(line);
    this.#size += line.length;
    if (line.length > MAX_LINE || this.#size > MAX_REPLY) throw new ReplyError('reply too long');
    if (match === null) throw new ReplyError(`not a reply: ${printable(line)}`);
    const code = Number(match[1]);
    if (this.#lines.length > 0 && code !== this.#code)
      throw new ReplyError(`reply changes its code from ${this.#code} to ${code}`);
    this.#code = code;
    this.#lines.push(match[3] ?? '');
    if (match[2] === '-') return undefined;
    const reply = makeReply(code, this.#lines);
    this.#lines = [];
    this.#size = 0;
    return reply;
  }
}

/** A reply from its code and lines. */
export function makeReply(code: number, lines: readonly string[]): Reply {
  const status = new RegExp(`^(${Math.floor(code / 100)}\\.\\d{1,3}\\.\\d{1,3})(?: +|$)`);
  const enhanced = status.exec(lines[0] ?? '')?.[1];
  const bare = enhanced === undefined ? lines : lines.map((line) => line.replace(status, ''));
  return { code, enhanced, text: printable(bare.join(' ').trim()), lines };
}

/** `550 5.1.1 No such user`, for logs and events. */
export function describeReply(reply: Pick<Reply, 'code' | 'enhanced' | 'text'>): string {
  return [String(reply.code), reply.enhanced, reply.text]
    .filter((part) => part !== undefined && part !== '')
    .join(' ');
}

const printable = (text: string): string => text.replace(/[^\x20-\x7e]/g, '?').slice(0, 1000);
