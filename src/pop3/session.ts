/**
 * One client's dialogue. Lines wait as octets in the reader and are answered one at a time, in order, so that a client
 * may send as many commands in one write as it likes (RFC 2449 6.6).
 *
 * Invariants: the maildrop's lock is released whenever the state leaves it (#advance); nothing is deleted but in the
 * state `update`, which only QUIT leads to (RFC 1939 6); a connection that breaks while the deletion commits lets it end.
 */
import type { Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ScramChannel } from '../accounts/index.js';
import {
  type Accepted,
  ConnectionLost,
  channelOf,
  type MailSession,
  messageOf,
  Output,
  type TurnedAway,
  tellFailure,
} from '../listener/index.js';
import {
  commandLimits,
  END,
  encodeReply,
  type Line,
  LineReader,
  parseRequest,
  type Reply,
} from '../wire/pop3/index.js';
import type { Connection, Context, Outcome } from './command.js';
import { capabilities, findCommand } from './commands/index.js';
import { Pop3Error, replyFor } from './errors.js';
import { Login, type LoginDesk } from './login.js';
import type { Maildrop } from './maildrop.js';
import type { Pop3Limits, Pop3Mode, Pop3Timeouts } from './options.js';
import { refusals } from './refusals.js';
import { answerSasl } from './sasl.js';
import type { State } from './state.js';

/** What all sessions of a listener have in common. */
export interface Services extends LoginDesk {
  readonly hostname: string;
  readonly mode: Pop3Mode;
  readonly testing: boolean;
  readonly limits: Pop3Limits;
  readonly timeouts: Pop3Timeouts;
  /** Deletions being committed: they end before the listener does, also when their client is gone. */
  readonly updates: Set<Promise<void>>;
}

/** Octets of unread commands past which nothing more is taken from the socket. */
const UNREAD = 64 * 1024;
/** Commands answered before the other sessions have their turn. */
const TURN = 128;

const farewells: Readonly<Record<TurnedAway, () => Pop3Error>> = {
  'too-many': refusals.tooManyConnections,
  closing: refusals.shuttingDown,
};

export class Session implements MailSession {
  readonly #services: Services;
  readonly #accepted: Accepted;
  #socket: Socket;
  #secure: boolean;
  #channel: ScramChannel;
  #output: Output;
  #reader = new LineReader();
  #state: State = { kind: 'authorization' };
  /** A line is being answered, or its answer being sent. */
  #busy = false;
  #inputEnded = false;
  #leaving = false;
  #badCommands = 0;
  #failedLogins = 0;
  #idle: NodeJS.Timeout | undefined;
  /** Ends who does not log in. */
  #hurry: NodeJS.Timeout | undefined;
  #linger: NodeJS.Timeout | undefined;
  readonly #detach: (() => void)[] = [];

  constructor(services: Services, accepted: Accepted) {
    this.#services = services;
    this.#accepted = accepted;
    this.#socket = accepted.socket;
    this.#secure = accepted.secure;
    this.#channel = channelOf(this.#socket);
    this.#output = new Output(this.#socket, services.timeouts.write);
  }

  /** Greets, or turns the client away. */
  start(turnedAway?: TurnedAway): void {
    this.#attach();
    const { timeouts, hostname } = this.#services;
    this.#idle = setTimeout(() => this.#onIdle(), timeouts.idle);
    this.#hurry = setTimeout(() => this.#onHurry(), timeouts.login);
    if (turnedAway !== undefined) {
      this.#output.add(encodeReply(replyFor(farewells[turnedAway]())));
      this.#advance({ kind: 'closed' });
    } else {
      // No angle brackets in the greeting: they would announce APOP (RFC 2449 6).
      this.#output.add(encodeReply({ status: '+OK', text: `${hostname} POP3 pronto / ready` }));
    }
    void this.#pump();
  }

  /** The listener closes: ends after the command that runs, at once when none does. */
  leave(): void {
    this.#leaving = true;
    void this.#pump();
  }

  /** Ends without a word; a deletion that is being committed is waited for. */
  abort(): void {
    if (this.#state.kind !== 'update') this.#socket.destroy();
  }

  // --- the socket ------------------------------------------------------------------------------------------------

  #attach(): void {
    const socket = this.#socket;
    const on = <A extends unknown[]>(event: string, listener: (...values: A) => void) => {
      socket.on(event, listener);
      this.#detach.push(() => socket.off(event, listener));
    };
    socket.setNoDelay(true);
    on('data', (chunk: Buffer) => this.#onData(chunk));
    on('end', () => {
      this.#inputEnded = true;
      void this.#pump();
    });
    on('error', (error: Error) => this.#report(error));
    on('close', () => this.#onClose());
  }

  #onData(chunk: Buffer): void {
    if (this.#state.kind === 'closed') return;
    this.#reader.push(chunk);
    if (this.#reader.pending > UNREAD) this.#socket.pause();
    void this.#pump();
  }

  #onClose(): void {
    this.#stopWaiting();
    clearTimeout(this.#linger);
    if (this.#state.kind !== 'update') this.#advance({ kind: 'closed' });
  }

  #stopWaiting(): void {
    clearTimeout(this.#idle);
    clearTimeout(this.#hurry);
  }

  /** RFC 1939 3: neither an answer nor the UPDATE state. */
  #onIdle(): void {
    if (this.#busy) this.#idle?.refresh();
    else this.#socket.destroy();
  }

  /** A login that is being checked is waited for. */
  #onHurry(): void {
    if (this.#busy) this.#hurry?.refresh();
    else this.#socket.destroy();
  }

  /** Closes our side; what the client still sends is not looked at. */
  #end(): void {
    this.#advance({ kind: 'closed' });
    this.#stopWaiting();
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
      await this.#answerWaitingLines();
      if (this.#state.kind === 'closed' || this.#inputEnded) this.#end();
      else this.#socket.resume();
    } catch (error) {
      this.#report(error);
      this.#socket.destroy();
    } finally {
      this.#busy = false;
    }
  }

  /** Until no whole line waits and all answers are on their way. */
  async #answerWaitingLines(): Promise<void> {
    for (let answered = 1; ; answered++) {
      const line = this.#nextLine();
      if (line !== undefined) {
        await this.#answerLine(line);
        if (answered % TURN === 0) await nextTurn();
      } else if (!this.#output.empty) {
        await this.#output.flush();
      } else if (this.#state.kind === 'securing') {
        await this.#startTls();
      } else if (this.#leaving && this.#state.kind !== 'closed') {
        this.#output.add(encodeReply(replyFor(refusals.shuttingDown())));
        this.#advance({ kind: 'closed' });
      } else {
        return;
      }
    }
  }

  #nextLine(): Line | undefined {
    const { kind } = this.#state;
    if (kind === 'closed' || kind === 'securing' || this.#leaving) return undefined;
    return this.#reader.next(kind === 'sasl' ? commandLimits.sasl : commandLimits.auth);
  }

  async #answerLine(line: Line): Promise<void> {
    this.#idle?.refresh();
    if (this.#state.kind === 'transaction') this.#state.maildrop.renew();
    try {
      const outcome = await this.#run(line);
      if ('update' in outcome) await this.#update(outcome.update);
      else await this.#deliver(outcome);
    } catch (error) {
      if (error instanceof ConnectionLost) throw error;
      this.#refuse(error, line);
    }
    if (this.#output.full) await this.#output.flush();
  }

  #run(line: Line): Outcome | Promise<Outcome> {
    const state = this.#state;
    if (line.kind !== 'line') throw refusals.lineTooLong();
    const context = this.#context(state);
    if (state.kind === 'sasl') return answerSasl(state.step, line.bytes.toString('latin1'), context);
    const request = parseRequest(line.bytes);
    const command = findCommand(request?.keyword ?? '');
    // The line's end counts too (RFC 2449 4).
    if (line.bytes.length + 2 > (command?.lineLimit ?? commandLimits.command)) throw refusals.lineTooLong();
    if (request === undefined) throw refusals.malformedLine();
    if (command === undefined) throw refusals.unknownCommand();
    if (!command.states.includes(state.kind)) throw refusals.wrongState(command.name);
    const parsed = command.read(request.argument);
    if (!parsed.ok) throw refusals.badArgument(parsed.fault);
    return parsed.value(context);
  }

  #context(state: State): Context {
    const { mode, testing } = this.#services;
    const connection: Connection = {
      secure: this.#secure,
      channel: this.#channel,
      mayLogIn: this.#secure || testing,
      offersStls: mode === 'starttls' && !this.#secure,
      pending: this.#reader.pending,
    };
    const { address: peer, session } = this.#accepted.peer;
    const onLost = () => this.#socket.destroy();
    return {
      state,
      connection,
      login: new Login(this.#services, { peer, session, channel: this.#channel, onLost }),
      capabilities: () => capabilities(connection, state),
    };
  }

  async #deliver({ reply, body, next }: Exclude<Outcome, { update: Maildrop }>): Promise<void> {
    const pieces = body?.[Symbol.asyncIterator]();
    // A message that cannot be read is refused while that can still be said.
    let piece = await pieces?.next();
    // From the +OK to STLS on, what comes is for the TLS layer.
    if (next?.kind === 'securing') this.#socket.pause();
    if (next !== undefined) this.#advance(next);
    this.#output.add(encodeReply(reply));
    if (pieces === undefined || piece === undefined) return;
    try {
      for (; !piece.done; piece = await pieces.next()) {
        this.#output.add(piece.value);
        if (this.#output.full) await this.#flushPart();
      }
    } catch (error) {
      // There is no way to take a +OK back: the client must not take a part for the whole.
      throw error instanceof ConnectionLost ? error : new ConnectionLost(messageOf(error), { cause: error });
    } finally {
      await pieces.return?.();
    }
    this.#output.add(END);
  }

  async #flushPart(): Promise<void> {
    await this.#output.flush();
    if (this.#state.kind === 'transaction') this.#state.maildrop.renew();
  }

  /** RFC 1939 6. */
  async #update(maildrop: Maildrop): Promise<void> {
    // First the answers to what was pipelined before: a client that is gone did not get them, and loses nothing.
    await this.#output.flush();
    this.#advance({ kind: 'update', maildrop });
    let reply: Reply = { status: '+OK', text: 'Arrivederci / Bye' };
    const deletion = maildrop.update();
    const settled = deletion.then(
      () => undefined,
      () => undefined,
    );
    this.#services.updates.add(settled);
    try {
      await deletion;
    } catch (error) {
      reply = replyFor(error);
      const cause = error instanceof Error ? (error.cause ?? error) : error;
      this.#services.telemetry.event('store.unavailable', { operation: 'expunge', error: messageOf(cause) });
    }
    this.#services.updates.delete(settled);
    // The lock goes first: who reads the answer may log in again at once.
    this.#advance({ kind: 'closed' });
    this.#output.add(encodeReply(reply));
  }

  #refuse(error: unknown, line: Line): void {
    const { limits } = this.#services;
    if (!(error instanceof Pop3Error)) this.#report(error);
    const charge = error instanceof Pop3Error ? error.charge : 'none';
    if (charge === 'bad-command') this.#badCommands += 1;
    if (charge === 'failed-login') this.#failedLogins += 1;
    const tooMany = this.#badCommands >= limits.badCommands;
    const guessing = this.#failedLogins >= limits.failedLogins;
    this.#output.add(encodeReply(replyFor(tooMany ? refusals.tooManyErrors() : error)));
    if (tooMany || guessing || line.kind === 'flood') this.#advance({ kind: 'closed' });
    else if (this.#state.kind === 'user' || this.#state.kind === 'sasl') {
      this.#advance({ kind: 'authorization' });
    }
  }

  async #startTls(): Promise<void> {
    const plain = this.#socket;
    for (const off of this.#detach.splice(0)) off();
    try {
      this.#socket = await this.#accepted.secureSocket(plain);
    } catch (error) {
      this.#report(error);
      this.#onClose();
      throw error;
    }
    this.#secure = true;
    this.#channel = channelOf(this.#socket);
    this.#output = new Output(this.#socket, this.#services.timeouts.write);
    // RFC 2595 4: nothing said in clear counts any more.
    this.#reader = new LineReader();
    this.#advance({ kind: 'authorization' });
    this.#attach();
  }

  /** The one place where the state changes. */
  #advance(next: State): void {
    const state = this.#state;
    if (state.kind === 'closed') {
      // The client went away while it was being logged in.
      if ('maildrop' in next) next.maildrop.release();
      return;
    }
    if ('maildrop' in next) clearTimeout(this.#hurry);
    if ('maildrop' in state && !('maildrop' in next)) state.maildrop.release();
    this.#state = next;
  }

  #report(error: unknown): void {
    if (this.#state.kind === 'closed') return;
    tellFailure(this.#services.telemetry, 'pop3', this.#accepted.peer, error);
  }
}
