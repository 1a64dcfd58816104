import { connect, type Socket } from 'node:net';
import { connect as connectTls, createSecureContext, type SecureContext, type TLSSocket } from 'node:tls';

/** implicit: TLS from the first octet. starttls: in clear until STARTTLS or STLS. none: in clear. */
export type Protection = 'implicit' | 'starttls' | 'none';

/** Where a server listens on loopback, and the CA (PEM) its certificate is checked against. */
export interface Server {
  readonly port: number;
  readonly ca: string;
  /** The address of loopback a client comes from; 127.0.0.1 if not given. */
  readonly from?: string;
}

/** The other end closed or broke the connection before it answered. */
export class Disconnected extends Error {
  override readonly name = 'Disconnected';
}

/** Milliseconds of silence before a hang becomes a failure with a name. */
const PATIENCE = 60_000;

const contexts = new Map<string, SecureContext>();

/** One for all connections that trust the same. */
function trusting(ca: string): SecureContext {
  const context = contexts.get(ca) ?? createSecureContext({ ca });
  contexts.set(ca, context);
  return context;
}

/** A connection read by lines or by octets. Bytes are never decoded on the way. */
export class Wire {
  #socket: Socket;
  #pieces: Buffer[] = [];
  #ended: Error | undefined;
  #wake: (() => void) | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.#listen();
  }

  static async open({ port, ca, from }: Server, secure: boolean): Promise<Wire> {
    const target = { host: '127.0.0.1', port, ...(from === undefined ? {} : { localAddress: from }) };
    const socket = secure ? connectTls({ ...target, secureContext: trusting(ca) }) : connect(target);
    await connected(socket, secure);
    return new Wire(socket);
  }

  async startTls({ ca }: Server): Promise<void> {
    this.#socket.removeAllListeners();
    const socket = connectTls({ socket: this.#socket, host: '127.0.0.1', ca });
    await connected(socket, true);
    this.#socket = socket;
    this.#pieces = [];
    this.#listen();
  }

  write(bytes: string | Buffer): Promise<void> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    return new Promise((resolve, reject) => {
      this.#socket.write(bytes, (error) => (error ? reject(new Disconnected(error.message)) : resolve()));
    });
  }

  /** Without its CRLF, Latin-1. @param patience milliseconds of silence; Infinity for a line that may never come */
  async line(patience = PATIENCE): Promise<string> {
    return (await this.#until('\r\n', patience)).subarray(0, -2).toString('latin1');
  }

  /** Up to the lone dot that ends it, dots still stuffed, the dot's line excluded. */
  async block(): Promise<Buffer> {
    const first = await this.#until('\r\n');
    if (first.equals(Buffer.from('.\r\n'))) return Buffer.alloc(0);
    this.#pieces.unshift(first);
    return (await this.#until('\r\n.\r\n')).subarray(0, -3);
  }

  async octets(count: number): Promise<Buffer> {
    for (let held = 0, counted = 0; ; ) {
      for (; counted < this.#pieces.length; counted += 1) held += this.#pieces[counted]?.length ?? 0;
      if (held >= count) break;
      if (this.#ended !== undefined) throw this.#ended;
      await this.#more();
    }
    const all = Buffer.concat(this.#pieces);
    this.#pieces = all.length > count ? [all.subarray(count)] : [];
    return all.subarray(0, count);
  }

  close(): void {
    this.#socket.destroy();
  }

  async #until(mark: string, patience = PATIENCE): Promise<Buffer> {
    let tail = '';
    let scanned = 0;
    for (;;) {
      for (; scanned < this.#pieces.length; scanned += 1) {
        const window = tail + (this.#pieces[scanned]?.toString('latin1') ?? '');
        if (window.includes(mark)) return this.#cut(mark);
        tail = window.slice(1 - mark.length);
      }
      if (this.#ended !== undefined) throw this.#ended;
      await this.#more(patience);
    }
  }

  #cut(mark: string): Buffer {
    const held = Buffer.concat(this.#pieces);
    const end = held.indexOf(mark, 0, 'latin1') + mark.length;
    this.#pieces = end < held.length ? [held.subarray(end)] : [];
    return held.subarray(0, end);
  }

  async #more(patience = PATIENCE): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const late = (): void => reject(new Error(`no answer within ${patience / 1000} seconds`));
      const timer = patience === Number.POSITIVE_INFINITY ? undefined : setTimeout(late, patience);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #listen(): void {
    const end = (reason: string): void => {
      this.#ended ??= new Disconnected(reason);
      this.#wake?.();
    };
    this.#socket.on('data', (chunk: Buffer) => {
      this.#pieces.push(chunk);
      this.#wake?.();
    });
    this.#socket.on('error', (error) => end(error.message));
    this.#socket.on('close', () => end('the connection was closed'));
    this.#socket.on('end', () => end('the connection was closed'));
  }
}

function connected(socket: Socket | TLSSocket, secure: boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once(secure ? 'secureConnect' : 'connect', () => {
      socket.removeAllListeners('error');
      resolve();
    });
    socket.once('error', (error) => reject(new Disconnected(error.message)));
  });
}

/** A reply of the SMTP server. */
export interface Reply {
  readonly code: number;
  /** Without the codes, its lines joined by LF. */
  readonly text: string;
  /** `250 2.0.0 text`, as a test compares it. */
  readonly line: string;
}

/** An SMTP client that sends whatever it is told to, octet by octet. */
export class SmtpClient {
  readonly #wire: Wire;

  private constructor(wire: Wire) {
    this.#wire = wire;
  }

  /** Connected, greeted, TLS up where it was asked for. */
  static async open(server: Server, protection: Protection): Promise<SmtpClient> {
    const client = new SmtpClient(await Wire.open(server, protection === 'implicit'));
    await client.reply();
    await client.ask('EHLO client.example');
    if (protection === 'starttls') {
      await client.ask('STARTTLS');
      await client.#wire.startTls(server);
      await client.ask('EHLO client.example');
    }
    return client;
  }

  async reply(): Promise<Reply> {
    const lines: string[] = [];
    for (;;) {
      const line = await this.#wire.line();
      lines.push(line.slice(4));
      if (line[3] === '-') continue;
      const code = Number(line.slice(0, 3));
      const text = lines.join('\n');
      return { code, text, line: `${code} ${text}` };
    }
  }

  async ask(line: string): Promise<Reply> {
    await this.#wire.write(`${line}\r\n`);
    return this.reply();
  }

  login(user: string, password: string): Promise<Reply> {
    return this.ask(`AUTH PLAIN ${Buffer.from(`\0${user}\0${password}`).toString('base64')}`);
  }

  /** DATA, the content with its dots stuffed, the final dot; answers what came at the end, or to DATA if not 354. */
  async data(content: Buffer): Promise<Reply> {
    const go = await this.ask('DATA');
    if (go.code !== 354) return go;
    const stuffed = Buffer.from(content.toString('latin1').replace(/^\./gm, '..'), 'latin1');
    // Bytes may be refused before they have all been taken.
    const [, reply] = await Promise.all([this.#wire.write(Buffer.concat([stuffed, END])), this.reply()]);
    return reply;
  }

  /** One transaction up to the first refusal; answers that, or the reply to the content. */
  async send(mail: Mail): Promise<Reply> {
    const from = await this.ask(`MAIL FROM:<${mail.from}>${mail.parameters ?? ''}`);
    if (from.code !== 250) return from;
    for (const recipient of mail.to) {
      const rcpt = await this.ask(`RCPT TO:<${recipient}>`);
      if (rcpt.code !== 250) return rcpt;
    }
    return this.data(mail.content);
  }

  async quit(): Promise<void> {
    await this.ask('QUIT').catch((error: unknown) => {
      if (!(error instanceof Disconnected)) throw error;
    });
    this.#wire.close();
  }

  close(): void {
    this.#wire.close();
  }
}

const END = Buffer.from('.\r\n');

/** What one SMTP transaction carries. */
export interface Mail {
  readonly from: string;
  readonly to: readonly string[];
  /** Canonical CRLF, or whatever the test wants to be refused. */
  readonly content: Buffer;
  /** Of MAIL FROM, with a leading space: ` BODY=8BITMIME`. */
  readonly parameters?: string;
}

/** A POP3 client: enough to read a mailbox. */
export class Pop3Client {
  readonly #wire: Wire;

  private constructor(wire: Wire) {
    this.#wire = wire;
  }

  static async open(server: Server): Promise<Pop3Client> {
    const client = new Pop3Client(await Wire.open(server, true));
    await client.#answer();
    return client;
  }

  /** @throws Error with the server's words on `-ERR` */
  async login(user: string, password: string): Promise<void> {
    await this.ask(`USER ${user}`);
    await this.ask(`PASS ${password}`);
  }

  /** The text behind `+OK`. @throws Error with the server's words on `-ERR` */
  async ask(line: string): Promise<string> {
    await this.#wire.write(`${line}\r\n`);
    return this.#answer();
  }

  /** Number and unique id of every message, oldest first. */
  async uidl(): Promise<{ readonly number: number; readonly uid: string }[]> {
    await this.ask('UIDL');
    const listing = (await this.#wire.block()).toString('latin1');
    return listing
      .split('\r\n')
      .filter((line) => line !== '')
      .map((line) => {
        const [number = '', uid = ''] = line.split(' ');
        return { number: Number(number), uid };
      });
  }

  /** A message, byte for byte. */
  async retrieve(number: number): Promise<Buffer> {
    await this.ask(`RETR ${number}`);
    const stuffed = await this.#wire.block();
    return Buffer.from(stuffed.toString('latin1').replace(/^\./gm, ''), 'latin1');
  }

  async quit(): Promise<void> {
    await this.ask('QUIT');
    this.#wire.close();
  }

  close(): void {
    this.#wire.close();
  }

  async #answer(): Promise<string> {
    const line = await this.#wire.line();
    if (!line.startsWith('+OK')) throw new Error(line);
    return line.slice(4);
  }
}
