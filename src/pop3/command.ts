import type { ScramChannel } from '../accounts/index.js';
import type { Grammar, Parsed, Reply } from '../wire/pop3/index.js';
import { commandLimits } from '../wire/pop3/index.js';
import type { Login } from './login.js';
import type { Maildrop } from './maildrop.js';
import { refusals } from './refusals.js';
import type { State, StateKind } from './state.js';

/** What a command may know of the session it runs in, and ask of it. */
export interface Context {
  readonly state: State;
  readonly connection: Connection;
  readonly login: Login;
  /** The lines of CAPA, as things stand. */
  capabilities(): readonly string[];
}

export interface Connection {
  /** TLS is on. */
  readonly secure: boolean;
  /** What a login can be bound to. */
  readonly channel: ScramChannel;
  /** Passwords may be sent: under TLS, or where `testing` allows it. */
  readonly mayLogIn: boolean;
  /** STLS can be given: a plain listener, before TLS. */
  readonly offersStls: boolean;
  /** Octets that came after the current line. */
  readonly pending: number;
}

/** What a command comes to: one reply, the lines that follow it, and where the session goes. */
export type Outcome =
  | {
      readonly reply: Reply;
      /** Lines ready for the wire, stuffed and whole; the final dot is added. A Latin-1 string is as good as a buffer. */
      readonly body?: AsyncIterable<Buffer | string>;
      readonly next?: State;
    }
  /** QUIT: delete what is marked, and say how it went. */
  | { readonly update: Maildrop };

type Run = (context: Context) => Outcome | Promise<Outcome>;

/** A command of the protocol as the session sees it. */
export interface Command {
  readonly name: string;
  readonly states: readonly StateKind[];
  /** Octets of its line, end included. */
  readonly lineLimit: number;
  /** Its line in CAPA, or undefined where it is not to be had. */
  capability(connection: Connection, state: State): string | undefined;
  /** Reads the argument; what comes back runs the command with it. */
  read(argument: Buffer | undefined): Parsed<Run>;
}

interface Definition<T> {
  readonly name: string;
  readonly grammar: Grammar<T>;
  readonly lineLimit?: number;
  readonly capability?: (connection: Connection, state: State) => string | undefined;
}

/** A command as data: its name, the states it may be given in, the grammar of its argument, what it does. */
export function command<T>(
  definition: Definition<T> & {
    readonly states: readonly StateKind[];
    readonly run: (argument: T, context: Context) => Outcome | Promise<Outcome>;
  },
): Command {
  const { name, states, grammar, run, lineLimit, capability } = definition;
  return {
    name,
    states,
    lineLimit: lineLimit ?? commandLimits.command,
    capability: (connection, state) => capability?.(connection, state),
    read(argument) {
      const parsed = grammar(argument);
      if (!parsed.ok) return parsed;
      return { ok: true, value: (context) => run(parsed.value, context) };
    },
  };
}

/** A command on the maildrop: TRANSACTION only. */
export function maildropCommand<T>(
  definition: Definition<T> & {
    readonly run: (maildrop: Maildrop, argument: T) => Outcome | Promise<Outcome>;
  },
): Command {
  const { run, ...rest } = definition;
  return command({
    ...rest,
    states: ['transaction'],
    run(argument, { state }) {
      if (state.kind !== 'transaction') throw refusals.wrongState(definition.name);
      return run(state.maildrop, argument);
    },
  });
}

export const ok = (text: string): Reply => ({ status: '+OK', text });
