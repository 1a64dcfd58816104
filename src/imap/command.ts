import type { ScramChannel } from '../accounts/index.js';
import type { Literal, Piece, Scanner } from '../wire/imap/index.js';
import type { Enabled, Extension } from './enabled.js';
import type { Services } from './options.js';
import { refusals } from './refusals.js';
import type { Selected } from './selected.js';
import type { Account, State, StateKind } from './state.js';

export interface Connection {
  /** TLS is on. */
  readonly secure: boolean;
  /** What a login can be bound to. */
  readonly channel: ScramChannel;
  /** Passwords may be sent: under TLS, or where `testing` allows it. */
  readonly mayLogIn: boolean;
  /** STARTTLS can be given: a plain listener, before TLS. */
  readonly offersStartTls: boolean;
  /** COMPRESS (RFC 4978): not wanted, to be had, or in use. */
  readonly compression: 'none' | 'offered' | 'active';
  /** Octets a message may have that is appended (RFC 7889). */
  readonly appendLimit: number;
  /** Octets that came after the current command. */
  readonly pending: number;
  /** The peer's IP address, and the id of the connection for the log. */
  readonly peer: string;
  readonly session: string;
}

/** What a command may know of the session it runs in, and do in it. */
export interface Context {
  readonly services: Services;
  readonly connection: Connection;
  readonly state: State;
  readonly enabled: Enabled;
  readonly tag: string;
  enable(extension: Extension): void;
  /** An untagged response, without its `* ` and line end. A string is Latin-1. */
  untagged(line: string): void;
  /** Octets as they are: parts of a long response. */
  write(octets: Buffer | string): void;
  /** Lets what was written leave, when there is much of it: then there is something to wait for. @throws ConnectionLost */
  flow(): Promise<void> | undefined;
  /** Called when something may have changed in the selected folder. */
  onNews(): void;
  /** Leaves the folder that is open, whatever becomes of the command. */
  deselect(): void;
  /** @param state the one to tell of; the present one if not given */
  capabilities(state?: State): string;
  /** Whether a capability is there for who is logged in. */
  offers(capability: string): boolean;
}

/** How a command ended well. */
export interface Done {
  readonly code?: string | undefined;
  readonly text: string;
  readonly next?: State;
  /** From the answer on, what is said both ways is compressed. */
  readonly compress?: boolean;
}

/** A command that goes on with lines of its own: SASL responses, DONE. */
export interface Dialogue {
  /** What the client is told before it goes on: base64, or words. */
  readonly prompt: string;
  /** The client's line; another dialogue asks for one more. */
  answer(line: Buffer): Promise<Outcome> | Outcome;
  /** Whether the session tells news while it waits (IDLE). */
  readonly tellsNews?: boolean;
}

export type Outcome = Done | Dialogue;

/** What takes the octets of a literal while they come. */
export interface Sink {
  push(bytes: Buffer): void;
  /** Resolves when more may be pushed. */
  readonly ready: Promise<void> | undefined;
  /** All octets are there, or the client is gone. */
  end(whole: boolean): Promise<void>;
}

/** News after a command: all, without EXPUNGE (RFC 9051 7.5.1), or none because it made a new view itself. */
export type Telling = 'all' | 'no-expunge' | 'none';

/**
 * A literal is announced. `scanner` stands after the command's name, and sees what came so far.
 * @returns undefined: it is kept in memory like any other. @throws ImapError to refuse it before it is sent
 */
export type Streaming = (
  scanner: Scanner,
  literal: Literal,
  context: Context,
  sinks: readonly Sink[],
) => Promise<Sink | undefined> | Sink | undefined;

export interface Command {
  readonly name: string;
  readonly states: readonly StateKind[];
  readonly tells: Telling;
  /** The capabilities without any of which it is no command. */
  readonly comesWith: readonly string[];
  /** What it adds to the capabilities, as things stand. */
  capability(connection: Connection, state: State): readonly string[];
  /** Reads the arguments; what comes back runs the command with them. @throws ImapSyntaxError */
  read(
    scanner: Scanner,
    context: Context,
  ): (context: Context, sinks: readonly Sink[]) => Promise<Outcome> | Outcome;
  /** Where the octets of a literal go when they are not to be kept in memory. */
  readonly stream?: Streaming;
}

export const anyState: readonly StateKind[] = ['not-authenticated', 'authenticated', 'selected'];
export const loggedIn: readonly StateKind[] = ['authenticated', 'selected'];
export const inFolder: readonly StateKind[] = ['selected'];

interface Definition<T> {
  readonly name: string;
  readonly states: readonly StateKind[];
  readonly tells?: Telling;
  readonly comesWith?: readonly string[];
  /** The capabilities that an argument is there with. */
  readonly uses?: (argument: T) => readonly string[];
  readonly capability?: readonly string[] | ((connection: Connection, state: State) => readonly string[]);
  /** Reads all arguments; the space before them is there to be read. */
  readonly grammar: (scanner: Scanner, context: Context) => T;
  readonly run: (argument: T, context: Context, sinks: readonly Sink[]) => Promise<Outcome> | Outcome;
  readonly stream?: Streaming;
}

/** A command as data: its name, the states it may be given in, the grammar of its arguments, what it does. */
export function command<T>(definition: Definition<T>): Command {
  const { grammar, run, capability, tells, uses, comesWith, ...rest } = definition;
  return {
    ...rest,
    tells: tells ?? 'all',
    comesWith: comesWith ?? [],
    capability: typeof capability === 'function' ? capability : () => capability ?? [],
    read(scanner, context) {
      const argument = grammar(scanner, context);
      scanner.end();
      if (uses?.(argument).some((each) => !context.offers(each))) throw refusals.unknownArgument();
      return (running, sinks) => run(argument, running, sinks);
    },
  };
}

export const noArguments = (): undefined => undefined;

/** @throws ImapError when nobody is logged in: `states` keeps that from happening */
export function accountOf({ state }: Context): Account {
  if (state.kind === 'authenticated' || state.kind === 'selected') return state.account;
  throw refusals.wrongState('');
}

/** @throws ImapError when no folder is open: `states` keeps that from happening */
export function selectedOf({ state }: Context): Selected {
  if (state.kind === 'selected') return state.selected;
  throw refusals.wrongState('');
}

/** The same, where changes may be made. */
export function writableOf(context: Context): Selected {
  const selected = selectedOf(context);
  if (selected.readOnly) throw refusals.readOnly();
  return selected;
}

export type { Piece };
