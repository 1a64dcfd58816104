/**
 * One client's dialogue. Commands are answered one at a time, in order; a client may send as many in one write as it likes
 * (RFC 9051 5.5).
 *
 * Invariants: nothing is answered OK before the store has committed it; the state moves in #advance alone, which also lets go of
 * the folder that was open; a literal's octets are asked for only when there is a place for them.
 */
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ScramChannel } from '../accounts/index.js';
import {
  type Accepted,
  ConnectionLost,
  channelOf,
  Deflated,
  type MailSession,
  Output,
  type TurnedAway,
  tellFailure,
} from '../listener/index.js';
import { CommandReader, type Literal, type Piece, type Reading, Scanner } from '../wire/imap/index.js';
import type { Command, Connection, Context, Dialogue, Outcome, Sink } from './command.js';
import { capabilities, findCommand } from './commands/index.js';
import type { Extension } from './enabled.js';
import { type Failure, failureOf, ImapError } from './errors.js';
import { isOffered } from './offers.js';
import type { Services } from './options.js';
import { QuotaWarning } from './quota-warning.js';
import { refusals } from './refusals.js';
import type { State } from './state.js';

/** Octets of unread commands past which nothing more is taken from the socket. */
const UNREAD = 256 * 1024;
/** Commands answered before the other sessions have their turn. */
const TURN = 32;

/** A command whose octets are still coming. */
interface Coming {
  readonly command: Command | undefined;
  readonly sinks: Sink[];
  /** Octets of its literals so far. */
  octets: number;
}

const farewells: Readonly<Record<TurnedAway, string>> = {
  'too-many': 'Troppe connessioni da questo indirizzo / Too many connections',
  closing: 'Servizio in arresto / Service is shutting down',
};

export class Session implements MailSession {
  readonly #services: Services;
  readonly #accepted: Accepted;
  /** The connection itself, and what is read from and written to: the same, or compressed octets on it. */
  #network: Socket;
  #socket: Duplex;
  #secure: boolean;
  #channel: ScramChannel;
  #output: Output;
  #reader = new CommandReader();
  #state: State = { kind: 'not-authenticated' };
  #enabled = new Set<Extension>();
  #coming: Coming = { command: undefined, sinks: [], octets: 0 };
  #dialogue: { readonly tag: string; readonly command: Command; readonly ask: Dialogue } | undefined;
  /** Something is being answered, or its answer being sent. */
  #busy = false;
  #news = false;
  readonly #quota = new QuotaWarning();
  /** The mailbox may be fuller than when the client was last warned. */
  #filling = false;
  #inputEnded = false;
  #leaving = false;
  #badCommands = 0;
  #failedLogins = 0;
  #idle: NodeJS.Timeout | undefined;
  #linger: NodeJS.Timeout | undefined;
  readonly #detach: (() => void)[] = [];

  constructor(services: Services, accepted: Accepted) {
    this.#services = services;
    this.#accepted = accepted;
    this.#network = accepted.socket;
    this.#socket = this.#network;
    this.#secure = accepted.secure;
    this.#channel = channelOf(this.#network);
    this.#output = new Output(this.#socket, services.timeouts.write);
  }

  /** Greets, or turns the client away. */
  start(turnedAway?: TurnedAway): void {
    this.#attach();
    this.#idle = setTimeout(() => this.#onIdle(), this.#services.timeouts.login);
    if (turnedAway !== undefined) {
      this.#output.add(`* BYE [UNAVAILABLE] ${farewells[turnedAway]}\r\n`);
      this.#advance({ kind: 'logout' });
    } else {
      const { hostname } = this.#services;
      this.#output.add(`* OK [CAPABILITY ${this.#capabilities()}] ${hostname} IMAP pronto / ready\r\n`);
    }
    void this.#pump();
  }

  /** The listener closes: ends after the command that runs, at once when none does. */
  leave(): void {
    this.#leaving = true;
    void this.#pump();
  }

  /** Ends without a word. What is being committed is committed. */
  abort(): void {
    this.#socket.destroy();
  }

  // --- the socket ------------------------------------------------------------------------------------------------

  #attach(): void {
    const socket = this.#socket;
    const on = <A extends unknown[]>(event: string, listener: (...values: A) => void) => {
      socket.on(event, listener);
      this.#detach.push(() => socket.off(event, listener));
    };
    this.#network.setNoDelay(true);
    on('data', (chunk: Buffer) => this.#onData(chunk));
    on('end', () => {
      this.#inputEnded = true;
      void this.#pump();
    });
    on('error', (error: Error) => this.#report(error));
    on('close', () => this.#onClose());
  }

  #onData(chunk: Buffer): void {
    if (this.#state.kind === 'logout') return;
    // The time to log in is one of all that is said, not of silence.
    if (this.#state.kind !== 'not-authenticated') this.#idle?.refresh();
    this.#reader.push(chunk);
    if (this.#reader.pending > UNREAD) this.#socket.pause();
    void this.#pump();
  }

  #onClose(): void {
    clearTimeout(this.#idle);
    clearTimeout(this.#linger);
    this.#dropSinks();
    this.#advance({ kind: 'logout' });
  }

  #onIdle(): void {
    if (this.#busy) {
      this.#idle?.refresh();
      return;
    }
    this.#output.add('* BYE Troppo tempo senza comandi / Idle for too long\r\n');
    this.#advance({ kind: 'logout' });
    void this.#pump();
  }

  /** Closes our side; what the client still sends is not looked at. */
  #end(): void {
    this.#advance({ kind: 'logout' });
    clearTimeout(this.#idle);
    if (this.#socket.destroyed || this.#linger !== undefined) return;
    this.#socket.end();
    this.#socket.resume();
    this.#linger = setTimeout(() => this.#socket.destroy(), this.#services.timeouts.linger);
  }

  // --- the dialogue ----------------------------------------------------------------------------------------------

  async #pump(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    try {
      await this.#answerWhatWaits();
      if (this.#state.kind === 'logout' || this.#inputEnded) this.#end();
      else this.#socket.resume();
    } catch (error) {
      this.#report(error);
      this.#socket.destroy();
    } finally {
      this.#busy = false;
    }
  }

  /** Until no whole command waits and all answers are on their way. */
  async #answerWhatWaits(): Promise<void> {
    for (let answered = 1; ; answered += 1) {
      const reading = this.#nextReading();
      if (reading !== undefined) {
        await this.#take(reading);
        if (this.#output.full) await this.#output.flush();
        if (answered % TURN === 0) await nextTurn();
      } else if (this.#news && this.#dialogue?.ask.tellsNews) {
        await this.#tellNews(true);
      } else if (!this.#output.empty) {
        await this.#output.flush();
      } else if (this.#state.kind === 'securing') {
        await this.#startTls();
      } else if (this.#leaving && this.#state.kind !== 'logout') {
        this.#output.add(`* BYE [UNAVAILABLE] ${farewells.closing}\r\n`);
        this.#advance({ kind: 'logout' });
      } else {
        return;
      }
    }
  }

  #nextReading(): Reading | undefined {
    const { kind } = this.#state;
    if (kind === 'logout' || kind === 'securing') return undefined;
    if (this.#leaving && !this.#reader.inCommand) return undefined;
    const { command, beforeLogin } = this.#services.limits;
    return this.#reader.next({ command: kind === 'not-authenticated' ? beforeLogin : command });
  }

  async #take(reading: Reading): Promise<void> {
    switch (reading.kind) {
      case 'literal':
        return this.#onLiteral(reading.literal, reading.pieces);
      case 'octets':
        return this.#onOctets(reading.bytes, reading.last);
      case 'command':
        return this.#onCommand(reading.pieces);
      case 'too-long':
        this.#dropSinks();
        return this.#refuse(this.#endDialogue() ?? tagOf(reading.head), refusals.tooLong());
      case 'flood':
        this.#output.add('* BYE Riga senza fine / Endless line\r\n');
        return this.#advance({ kind: 'logout' });
    }
  }

  /** Says where a literal's octets go; one that is refused is answered before it is sent. */
  async #onLiteral(literal: Literal, pieces: readonly Piece[]): Promise<void> {
    const answering = this.#endDialogue();
    let tag = answering ?? '*';
    try {
      if (answering !== undefined) throw refusals.malformedResponse();
      const scanner = new Scanner(pieces);
      tag = scanner.tag();
      scanner.space();
      if (!literal.synchronising && !this.#offers('LITERAL+')) throw refusals.unknownArgument();
      this.#coming = { ...this.#coming, command: this.#coming.command ?? commandAt(scanner) };
      const { sinks } = this.#coming;
      const command = this.#allowed(this.#coming.command);
      const context = this.#context(tag);
      const streamed = command.stream;
      if (streamed !== undefined) {
        const again = new Scanner(pieces);
        again.tag();
        again.space();
        commandAt(again);
        const sink = await streamed(again, literal, context, sinks);
        if (sink !== undefined) {
          sinks.push(sink);
          return this.#goOn(literal, 'stream');
        }
      }
      this.#checkSize(literal);
      this.#goOn(literal, 'keep');
    } catch (error) {
      this.#dropSinks();
      this.#reader.decide('skip');
      this.#refuse(tag, error);
    }
  }

  /** @throws ImapError when there is no such command, or not now */
  #allowed(command: Command | undefined): Command {
    if (command === undefined || !command.comesWith.every((each) => this.#offers(each)))
      throw refusals.unknownCommand();
    if (!command.states.includes(this.#state.kind)) throw refusals.wrongState(command.name);
    return command;
  }

  /** What waits for a line got something else. @returns the tag of its command */
  #endDialogue(): string | undefined {
    const tag = this.#dialogue?.tag;
    this.#dialogue = undefined;
    return tag;
  }

  #checkSize({ size }: Literal): void {
    const { literal, command, beforeLogin } = this.#services.limits;
    this.#coming.octets += size;
    const early = this.#state.kind === 'not-authenticated';
    const most = early ? beforeLogin : literal;
    const all = early ? beforeLogin : command + literal;
    if (size > most || this.#coming.octets > all) throw refusals.literalTooLarge();
  }

  #goOn({ synchronising }: Literal, decision: 'keep' | 'stream'): void {
    this.#reader.decide(decision);
    if (synchronising) this.#output.add('+ Pronto / Ready\r\n');
  }

  async #onOctets(bytes: Buffer, last: boolean): Promise<void> {
    const sink = this.#coming.sinks.at(-1);
    sink?.push(bytes);
    await sink?.ready;
    if (last) await sink?.end(true);
  }

  async #onCommand(pieces: readonly Piece[]): Promise<void> {
    const { sinks } = this.#coming;
    this.#coming = { command: undefined, sinks: [], octets: 0 };
    const dialogue = this.#dialogue;
    if (dialogue !== undefined) {
      this.#dialogue = undefined;
      const line = pieces[0]?.kind === 'text' ? pieces[0].bytes : Buffer.alloc(0);
      return this.#perform(dialogue.tag, dialogue.command, () => dialogue.ask.answer(line));
    }
    let tag = '*';
    try {
      const scanner = new Scanner(pieces);
      tag = scanner.tag();
      scanner.space();
      const command = this.#allowed(commandAt(scanner));
      const context = this.#context(tag);
      const run = command.read(scanner, context);
      await this.#perform(tag, command, () => run(context, sinks));
    } catch (error) {
      if (error instanceof ConnectionLost) throw error;
      this.#refuse(tag, error);
    } finally {
      for (const sink of sinks) await sink.end(false);
    }
  }

  /** Runs a command, or one step of its dialogue, and answers it. */
  async #perform(tag: string, command: Command, run: () => Promise<Outcome> | Outcome): Promise<void> {
    let failure: Failure | undefined;
    let outcome: Outcome | undefined;
    try {
      outcome = await run();
    } catch (error) {
      if (error instanceof ConnectionLost) throw error;
      failure = this.#judge(error);
    }
    if (outcome !== undefined && 'prompt' in outcome) {
      this.#dialogue = { tag, command, ask: outcome };
      this.#output.add(`+ ${outcome.prompt}\r\n`);
      // What happened before the IDLE is told in it.
      this.#news = true;
      return;
    }
    // From the OK to COMPRESS on, what comes is for the one that inflates it.
    if (outcome?.compress) this.#socket.pause();
    if (outcome?.next !== undefined) {
      // From the OK to STARTTLS on, what comes is for the TLS layer.
      if (outcome.next.kind === 'securing') this.#socket.pause();
      this.#advance(outcome.next);
    }
    if (command.tells !== 'none') await this.#tellNews(command.tells === 'all');
    if (failure !== undefined) this.#answer(tag, failure);
    else this.#answer(tag, { status: 'OK', code: outcome?.code, text: outcome?.text ?? '' });
    if (outcome?.compress) await this.#compress();
    this.#endIfTooMany();
  }

  async #tellNews(expunges: boolean): Promise<void> {
    this.#news = false;
    await this.#warnOfQuota();
    const state = this.#state;
    if (state.kind !== 'selected') return;
    for (const line of await state.selected.sync(this.#enabled, expunges)) this.#output.add(`* ${line}\r\n`);
  }

  async #warnOfQuota(): Promise<void> {
    const state = this.#state;
    if (!this.#filling || (state.kind !== 'authenticated' && state.kind !== 'selected')) return;
    this.#filling = false;
    try {
      const usage = await this.#services.mailstore.usage(state.account.mailboxId);
      const warning = usage === undefined ? undefined : this.#quota.next(usage);
      if (warning !== undefined) this.#output.add(`* ${warning}\r\n`);
    } catch (error) {
      // The command it goes with was done all the same.
      this.#report(error);
    }
  }

  #refuse(tag: string, error: unknown): void {
    this.#answer(tag, this.#judge(error));
    this.#endIfTooMany();
  }

  #judge(error: unknown): Failure {
    const failure = failureOf(error);
    if (failure.code === 'UNAVAILABLE' || failure.code === 'CORRUPTION') this.#report(error);
    this.#charge(error);
    return failure;
  }

  #charge(error: unknown): void {
    const charge =
      error instanceof ImapError ? error.charge : failureOf(error).status === 'BAD' ? 'bad-command' : 'none';
    if (charge === 'bad-command') this.#badCommands += 1;
    if (charge === 'failed-login') this.#failedLogins += 1;
  }

  #endIfTooMany(): void {
    const { badCommands, failedLogins } = this.#services.limits;
    const guessing = this.#failedLogins >= failedLogins;
    if (this.#badCommands < badCommands && !guessing) return;
    this.#output.add('* BYE Troppi errori / Too many errors\r\n');
    this.#advance({ kind: 'logout' });
  }

  #answer(
    tag: string,
    { status, code, text }: Failure | { status: 'OK'; code: string | undefined; text: string },
  ): void {
    this.#output.add(`${tag} ${status} ${code === undefined ? '' : `[${code}] `}${text}\r\n`);
  }

  #context(tag: string): Context {
    return {
      services: this.#services,
      connection: this.#connection(),
      state: this.#state,
      enabled: this.#enabled,
      tag,
      enable: (extension) => {
        const before = this.#enabled.has('CONDSTORE');
        this.#enabled.add(extension);
        if (extension === 'QRESYNC') this.#enabled.add('CONDSTORE');
        // RFC 7162 3.1.2.2: a client that begins with modseqs is told where it stands.
        const state = this.#state;
        if (!before && this.#enabled.has('CONDSTORE') && state.kind === 'selected')
          this.#output.add(`* OK [HIGHESTMODSEQ ${state.selected.modseq}] HIGHESTMODSEQ\r\n`);
      },
      untagged: (line) => this.#output.add(`* ${line}\r\n`),
      write: (octets) => this.#output.add(octets),
      flow: () => {
        if (this.#socket.destroyed) throw new ConnectionLost('connection closed by the peer');
        return this.#output.full ? this.#output.flush() : undefined;
      },
      onNews: () => this.#onNews(),
      deselect: () => {
        const state = this.#state;
        if (state.kind === 'selected') this.#advance({ kind: 'authenticated', account: state.account });
      },
      capabilities: (state) => this.#capabilities(state),
      offers: (capability) => this.#offers(capability),
    };
  }

  #connection(): Connection {
    const { mode, testing } = this.#services;
    return {
      secure: this.#secure,
      channel: this.#channel,
      mayLogIn: this.#secure || testing,
      offersStartTls: mode === 'starttls' && !this.#secure,
      compression: this.#compression,
      appendLimit: this.#services.limits.append,
      pending: this.#reader.pending,
      peer: this.#accepted.peer.address,
      session: this.#accepted.peer.session,
    };
  }

  get #compression(): Connection['compression'] {
    if (this.#socket !== this.#network) return 'active';
    return this.#services.compress ? 'offered' : 'none';
  }

  #offers(capability: string): boolean {
    return !('account' in this.#state) || isOffered(capability, this.#state.account.hidden);
  }

  #capabilities(state = this.#state): string {
    return capabilities(this.#connection(), state).join(' ');
  }

  #onNews(): void {
    this.#news = true;
    this.#filling = true;
    if (this.#dialogue?.ask.tellsNews) void this.#pump();
  }

  async #startTls(): Promise<void> {
    const plain = this.#network;
    for (const off of this.#detach.splice(0)) off();
    try {
      this.#network = await this.#accepted.secureSocket(plain);
    } catch (error) {
      this.#report(error);
      this.#onClose();
      throw error;
    }
    this.#secure = true;
    this.#channel = channelOf(this.#network);
    this.#socket = this.#network;
    this.#output = new Output(this.#socket, this.#services.timeouts.write);
    // RFC 9051 6.2.1: nothing said in clear counts any more.
    this.#reader = new CommandReader();
    this.#advance({ kind: 'not-authenticated' });
    this.#attach();
  }

  /** RFC 4978 3: the OK goes as it is, all that follows compressed. */
  async #compress(): Promise<void> {
    await this.#output.flush();
    for (const off of this.#detach.splice(0)) off();
    this.#socket = new Deflated(this.#network);
    this.#output = new Output(this.#socket, this.#services.timeouts.write);
    this.#attach();
  }

  /** The one place where the state changes. */
  #advance(next: State): void {
    const state = this.#state;
    const kept = next.kind === 'selected' ? next.selected : undefined;
    if (state.kind === 'selected' && state.selected !== kept) state.selected.close();
    if (state.kind === 'logout') {
      // The client went away meanwhile.
      kept?.close();
      return;
    }
    this.#state = next;
    this.#filling = true;
    if (state.kind === 'not-authenticated' && next.kind === 'authenticated') {
      clearTimeout(this.#idle);
      this.#idle = setTimeout(() => this.#onIdle(), this.#services.timeouts.idle);
    }
  }

  #dropSinks(): void {
    const { sinks } = this.#coming;
    this.#coming = { command: undefined, sinks: [], octets: 0 };
    for (const sink of sinks) void sink.end(false);
  }

  #report(error: unknown): void {
    if (this.#state.kind === 'logout') return;
    tellFailure(this.#services.telemetry, 'imap', this.#accepted.peer, error);
  }
}

/** The command whose name comes next; `UID` has the name of another behind it. */
function commandAt(scanner: Scanner): Command | undefined {
  const first = scanner.keyword();
  if (first !== 'UID') return findCommand(first);
  scanner.space();
  return findCommand(`UID ${scanner.keyword()}`);
}

/** The tag of a line that is no command otherwise. */
const tagOf = (head: Buffer): string =>
  /^[^\s"(){%*\\+]{1,64}(?= )/.exec(head.toString('latin1'))?.[0] ?? '*';
