/**
 * The sending end of SMTP. One connection carries several messages; MAIL, RCPT and DATA leave in one segment where the peer
 * takes PIPELINING (RFC 2920). Every recipient gets its own verdict: the reply that decided it, or the loss of the
 * connection. A connection lost after the final dot is a loss like any other: the message may have arrived, and PEC knows
 * how to take it twice (decisions 7).
 */
import { connect as connectTcp } from 'node:net';
import type { Rope } from '../rope/index.js';
import { Channel, type Phase, SmtpClientError, type TlsCheck } from './channel.js';
import { stuffed } from './dot-stuffing.js';
import { makeReply, type Reply } from './reply.js';

export interface ClientTls extends TlsCheck {
  /** required: no STARTTLS, no mail. opportunistic: STARTTLS where offered. none: never. */
  readonly mode: 'required' | 'opportunistic' | 'none';
}

/** Milliseconds (RFC 5321 4.5.3.2). */
export interface ClientTimeouts {
  readonly connect: number;
  /** The peer's greeting; `command` if not given. */
  readonly greeting?: number | undefined;
  readonly command: number;
  readonly dataInitiation: number;
  readonly dataBlock: number;
  readonly dataTermination: number;
  /** The first reply on a connection that waited: its other end may be gone without a word. `command` if not given. */
  readonly reuse?: number | undefined;
  /** From the first connection tried to the last reply, however slowly all that is in between goes on. */
  readonly whole?: number | undefined;
}

export const defaultTimeouts: ClientTimeouts = {
  connect: 30_000,
  command: 5 * 60_000,
  dataInitiation: 2 * 60_000,
  dataBlock: 3 * 60_000,
  dataTermination: 10 * 60_000,
  reuse: 30_000,
  whole: 18 * 60_000,
};

const FINAL_DOT = Buffer.from('.\r\n');
/** Octets worth copying to save a segment. */
const SMALL = 64 * 1024;

export interface ConnectOptions {
  /** Address to connect to. */
  readonly host: string;
  readonly port: number;
  /** Our name in EHLO. */
  readonly localName: string;
  readonly tls: ClientTls;
  readonly timeouts?: ClientTimeouts | undefined;
  /** Ends the connection, at whatever point it is. */
  readonly signal?: AbortSignal | undefined;
}

export interface OutgoingMessage {
  readonly mailFrom: string;
  readonly recipients: readonly string[];
  /** Canonical CRLF text: its octets are sent as they are. */
  readonly content: Rope;
  readonly eightBit: boolean;
}

/** What became of one recipient. */
export type Verdict =
  | { readonly recipient: string; readonly phase: Phase; readonly reply: Reply }
  | { readonly recipient: string; readonly phase: Phase; readonly lost: SmtpClientError };

/**
 * Connects, greets and secures.
 * @throws SmtpClientError, with the peer's reply where it refused
 */
export async function connectSmtp(options: ConnectOptions): Promise<SmtpClient> {
  const timeouts = options.timeouts ?? defaultTimeouts;
  const channel = await openChannel(options, timeouts.connect);
  try {
    const greeting = await channel.reply('greeting', timeouts.greeting ?? timeouts.command);
    if (greeting.code !== 220) throw refused('greeting', greeting);
    let extensions = await hello(channel, options, timeouts);
    if (options.tls.mode !== 'none' && extensions.has('STARTTLS')) {
      await channel.write('STARTTLS\r\n', 'starttls', timeouts.command);
      const ready = await channel.reply('starttls', timeouts.command);
      if (ready.code === 220) {
        await channel.secure(options.tls, timeouts.command);
        extensions = await hello(channel, options, timeouts);
      } else if (options.tls.mode === 'required') throw refused('starttls', ready);
    } else if (options.tls.mode === 'required') {
      throw new SmtpClientError('starttls', 'the peer offers no STARTTLS');
    }
    return new SmtpClient(channel, extensions, timeouts);
  } catch (error) {
    channel.destroy();
    throw error;
  }
}

export class SmtpClient {
  readonly #channel: Channel;
  readonly #timeouts: ClientTimeouts;
  /** Left over from a transaction that never came to its dot: RSET goes before the next. */
  #open = false;
  #delivered = 0;

  constructor(
    channel: Channel,
    /** EHLO keyword, upper case, to its parameters. */
    readonly extensions: ReadonlyMap<string, string>,
    timeouts: ClientTimeouts,
  ) {
    this.#channel = channel;
    this.#timeouts = timeouts;
  }

  /** False once the connection is gone, or the peer announced that it goes. */
  get alive(): boolean {
    return this.#channel.quiet;
  }

  /** Transactions so far. */
  get transactions(): number {
    return this.#delivered;
  }

  get tls(): { readonly version: string; readonly cipher: string } | undefined {
    return this.#channel.tls;
  }

  /** One transaction. One verdict for each recipient, in their order; never rejects. */
  async deliver(message: OutgoingMessage): Promise<Verdict[]> {
    this.#delivered++;
    const forbidden = this.#refusesBeforehand(message);
    if (forbidden !== undefined)
      return message.recipients.map((recipient) => ({ recipient, phase: 'mail', reply: forbidden }));
    const verdicts: (Verdict | undefined)[] = message.recipients.map(() => undefined);
    let lost = new SmtpClientError('final', 'connection closed');
    try {
      await this.#transaction(message, verdicts);
    } catch (error) {
      // Also when reading our own bytes failed: the connection goes down before any dot ends a truncated message.
      this.#channel.destroy();
      lost =
        error instanceof SmtpClientError
          ? error
          : new SmtpClientError('content', 'content unreadable', undefined, error);
    }
    return message.recipients.map(
      (recipient, index) => verdicts[index] ?? { recipient, phase: lost.phase, lost },
    );
  }

  /** Says goodbye; does not wait for the answer. */
  quit(): void {
    this.#channel.end('QUIT\r\n');
  }

  /** @param reason what those are told who wait on it */
  destroy(reason?: string): void {
    this.#channel.destroy(reason);
  }

  /** What can be known without asking: too large for the peer's SIZE, or an address it could not read. */
  #refusesBeforehand({ content, mailFrom, recipients }: OutgoingMessage): Reply | undefined {
    const limit = Number(this.extensions.get('SIZE') || 0);
    if (limit > 0 && content.length > limit)
      return makeReply(552, [`5.3.4 Message exceeds the peer's maximum size of ${limit}`]);
    const addresses = [mailFrom, ...recipients];
    if (addresses.some((address) => /[\x00-\x1f\x7f]/.test(address)))
      return makeReply(553, ['5.1.3 Bad address syntax']);
    if (!this.extensions.has('SMTPUTF8') && addresses.some(isInternational)) {
      return makeReply(553, ['5.6.7 The peer does not take addresses with non-ASCII characters']);
    }
    return undefined;
  }

  async #transaction(message: OutgoingMessage, verdicts: (Verdict | undefined)[]): Promise<void> {
    const pipelined = this.extensions.has('PIPELINING');
    const commands = [
      ...(this.#open ? ['RSET'] : []),
      this.#mailCommand(message),
      ...message.recipients.map(rcptCommand),
      'DATA',
    ];
    if (pipelined) await this.#say(commands.join('\r\n'), 'mail');
    let next = 0;
    const ask = async (phase: Phase): Promise<Reply> => {
      if (!pipelined) await this.#say(commands[next] ?? '', phase);
      next++;
      return alive(phase, await this.#channel.reply(phase, this.#patience(phase, next === 1)));
    };
    const judge = (index: number, phase: Phase, reply: Reply): void => {
      verdicts[index] ??= { recipient: message.recipients[index] ?? '', phase, reply };
    };
    if (this.#open) await ask('mail');
    this.#open = true;
    const mail = await ask('mail');
    if (!positive(mail)) for (const index of verdicts.keys()) judge(index, 'mail', mail);
    if (!positive(mail) && !pipelined) return;
    for (let index = 0; index < message.recipients.length; index++) {
      const rcpt = await ask('rcpt');
      if (!positive(rcpt)) judge(index, 'rcpt', rcpt);
    }
    const taken = verdicts.some((verdict) => verdict === undefined);
    if (!taken && !pipelined) return;
    const data = await ask('data');
    if (data.code !== 354) {
      for (const index of verdicts.keys()) judge(index, 'data', data);
      return;
    }
    if (!taken) return this.#abandon(positive(mail));
    const final = await this.#content(message.content);
    this.#open = false;
    for (const index of verdicts.keys()) judge(index, 'final', final);
    alive('final', final);
  }

  #patience(phase: Phase, first: boolean): number {
    const { dataInitiation, command, reuse = command } = this.#timeouts;
    if (phase === 'data') return dataInitiation;
    return first && this.#delivered > 1 ? Math.min(reuse, command) : command;
  }

  /** The peer opened DATA though it took nobody. Nothing goes to nobody; a peer that refused even MAIL is not to be trusted. */
  async #abandon(empty: boolean): Promise<void> {
    if (!empty) return this.#channel.destroy();
    await this.#say('.', 'content');
    await this.#channel.reply('final', this.#timeouts.dataTermination);
    this.#open = false;
  }

  async #content(content: Rope): Promise<Reply> {
    const { dataBlock, dataTermination } = this.#timeouts;
    // One chunk is held back, so that a small message and its dot leave together.
    let held: Buffer = Buffer.alloc(0);
    for await (const chunk of stuffed(content)) {
      if (held.length > 0) await this.#channel.write(held, 'content', dataBlock);
      // Before the dot a reply can only be a refusal: the peer will not read on.
      if (this.#channel.replyWaiting) return this.#refusedEarly();
      held = chunk;
    }
    const together = held.length <= SMALL;
    await this.#channel.write(together ? Buffer.concat([held, FINAL_DOT]) : held, 'content', dataBlock);
    if (this.#channel.replyWaiting && !together) return this.#refusedEarly();
    if (!together) await this.#channel.write(FINAL_DOT, 'content', dataBlock);
    return this.#channel.reply('final', dataTermination);
  }

  async #refusedEarly(): Promise<Reply> {
    const reply = await this.#channel.reply('content', 0);
    this.#channel.destroy();
    if (positive(reply)) throw new SmtpClientError('content', 'the peer accepted before the end', reply);
    return reply;
  }

  async #say(line: string, phase: Phase): Promise<void> {
    await this.#channel.write(`${line}\r\n`, phase, this.#timeouts.command);
  }

  #mailCommand({ mailFrom, recipients, content, eightBit }: OutgoingMessage): string {
    const parameters = [
      this.extensions.has('SIZE') ? ` SIZE=${content.length}` : '',
      // decisions 17: sent even where 8BITMIME is not offered, then without the parameter.
      eightBit && this.extensions.has('8BITMIME') ? ' BODY=8BITMIME' : '',
      [mailFrom, ...recipients].some(isInternational) ? ' SMTPUTF8' : '',
    ];
    return `MAIL FROM:<${mailFrom}>${parameters.join('')}`;
  }
}

async function openChannel({ host, port, signal }: ConnectOptions, timeout: number): Promise<Channel> {
  const socket = connectTcp({ host, port, ...(signal === undefined ? {} : { signal }) });
  await new Promise<void>((resolve, reject) => {
    const fail = (cause?: Error): void => {
      socket.destroy();
      reject(
        new SmtpClientError(
          'connect',
          cause?.message ?? `no connection within ${timeout} ms`,
          undefined,
          cause,
        ),
      );
    };
    socket.setTimeout(timeout, () => fail());
    socket.once('error', fail);
    socket.once('connect', () => {
      socket.setTimeout(0);
      socket.removeAllListeners('timeout');
      socket.removeListener('error', fail);
      resolve();
    });
  });
  return new Channel(socket);
}

/** EHLO, or HELO for a peer that knows no better and needs no TLS. */
async function hello(
  channel: Channel,
  { localName, tls }: ConnectOptions,
  timeouts: ClientTimeouts,
): Promise<Map<string, string>> {
  await channel.write(`EHLO ${localName}\r\n`, 'ehlo', timeouts.command);
  const ehlo = await channel.reply('ehlo', timeouts.command);
  if (positive(ehlo)) return new Map(ehlo.lines.slice(1).map(extension));
  if (ehlo.code < 500 || tls.mode === 'required') throw refused('ehlo', ehlo);
  await channel.write(`HELO ${localName}\r\n`, 'ehlo', timeouts.command);
  const helo = await channel.reply('ehlo', timeouts.command);
  if (!positive(helo)) throw refused('ehlo', helo);
  return new Map();
}

function extension(line: string): [string, string] {
  const [keyword = '', ...parameters] = line.trim().split(/\s+/);
  return [keyword.toUpperCase(), parameters.join(' ')];
}

const positive = (reply: Reply): boolean => reply.code >= 200 && reply.code < 300;
const rcptCommand = (recipient: string): string => `RCPT TO:<${recipient}>`;
const isInternational = (address: string): boolean => /[^\x00-\x7f]/.test(address);
const refused = (phase: Phase, reply: Reply): SmtpClientError =>
  new SmtpClientError(phase, `${reply.code} ${reply.text}`, reply);

/** RFC 5321 3.8: after 421 the peer is gone. */
function alive(phase: Phase, reply: Reply): Reply {
  if (reply.code === 421) throw refused(phase, reply);
  return reply;
}
