import { createSocket, type RemoteInfo } from 'node:dgram';

/** What the name server does with a question. */
export type Temper = 'right' | 'silent' | 'SERVFAIL' | 'forged' | 'garbage';

const TYPE = { A: 1, MX: 15, TXT: 16 } as const;
const SERVFAIL = 2;
const NXDOMAIN = 3;

interface Question {
  readonly name: string;
  readonly type: number;
  /** Where the next section begins. */
  readonly end: number;
}

/** A resolver on loopback (RFC 1035 4) that knows a few names, and can be in trouble. */
export class NameServer {
  temper: Temper = 'right';
  /** Host to IPv4 addresses. */
  readonly hosts = new Map<string, readonly string[]>();
  /** Domain to its MX hosts, best first. */
  readonly exchanges = new Map<string, readonly string[]>();
  /** Name to its TXT records, each of at most 255 characters. */
  readonly texts = new Map<string, readonly string[]>();
  /** Names asked for, each time. */
  readonly asked: string[] = [];
  readonly #socket = createSocket('udp4');

  async listen(): Promise<string> {
    this.#socket.on('message', (query, from) => this.#answer(query, from));
    await new Promise<void>((resolve) => this.#socket.bind(0, '127.0.0.1', resolve));
    return `127.0.0.1:${this.#socket.address().port}`;
  }

  close(): Promise<void> {
    return new Promise((resolve) => this.#socket.close(() => resolve()));
  }

  #answer(query: Buffer, from: RemoteInfo): void {
    const question = questionOf(query);
    this.asked.push(question.name);
    if (this.temper === 'silent') return;
    this.#socket.send(this.#reply(query, question), from.port, from.address);
  }

  #reply(query: Buffer, question: Question): Buffer {
    if (this.temper === 'garbage') return Buffer.concat([query.subarray(0, 2), Buffer.alloc(7, 0xff)]);
    if (this.temper === 'SERVFAIL') return message(query, question, SERVFAIL, []);
    const hosts = this.hosts.get(question.name);
    const exchanges = this.exchanges.get(question.name);
    // Somebody who does not see the question guesses its number.
    if (this.temper === 'forged') {
      const reply = message(query, question, 0, [record(TYPE.A, address('127.0.0.9'))]);
      reply.writeUInt16BE(reply.readUInt16BE(0) ^ 0xffff, 0);
      return reply;
    }
    const texts = this.texts.get(question.name);
    if (hosts === undefined && exchanges === undefined && texts === undefined)
      return message(query, question, NXDOMAIN, []);
    if (question.type === TYPE.A)
      return message(
        query,
        question,
        0,
        (hosts ?? []).map(address).map((data) => record(TYPE.A, data)),
      );
    if (question.type === TYPE.MX)
      return message(
        query,
        question,
        0,
        (exchanges ?? []).map(exchange).map((data) => record(TYPE.MX, data)),
      );
    if (question.type === TYPE.TXT)
      return message(
        query,
        question,
        0,
        (texts ?? []).map((text) => record(TYPE.TXT, Buffer.from([text.length, ...Buffer.from(text)]))),
      );
    return message(query, question, 0, []);
  }
}

function questionOf(query: Buffer): Question {
  const labels: string[] = [];
  let at = 12;
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += length + 1;
  }
  return { name: labels.join('.').toLowerCase(), type: query.readUInt16BE(at + 1), end: at + 5 };
}

function message(query: Buffer, { end }: Question, code: number, records: readonly Buffer[]): Buffer {
  const header = Buffer.alloc(12);
  header.writeUInt16BE(query.readUInt16BE(0), 0);
  // A response, recursion desired and available.
  header.writeUInt16BE(0x8180 | code, 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(records.length, 6);
  return Buffer.concat([header, query.subarray(12, end), ...records]);
}

/** About the name asked for, not to be remembered. */
function record(type: number, data: Buffer): Buffer {
  const head = Buffer.alloc(12);
  head.writeUInt16BE(0xc00c, 0);
  head.writeUInt16BE(type, 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt16BE(data.length, 10);
  return Buffer.concat([head, data]);
}

const address = (text: string): Buffer => Buffer.from(text.split('.').map(Number));

function exchange(host: string, index: number): Buffer {
  const labels = host.split('.').map((label) => Buffer.from([label.length, ...Buffer.from(label, 'latin1')]));
  return Buffer.concat([Buffer.from([0, 10 * (index + 1)]), ...labels, Buffer.from([0])]);
}
