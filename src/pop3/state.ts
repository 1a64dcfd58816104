import type { ScramMechanism, ScramStart } from '../accounts/index.js';
import type { Mailbox } from '../storage/index.js';
import type { Maildrop } from './maildrop.js';

/** What the client's next line answers (RFC 4616, RFC 5802 5). */
export type SaslStep =
  | { readonly kind: 'plain' }
  | { readonly kind: 'scram'; readonly mechanism: ScramMechanism }
  | { readonly kind: 'scram-proof'; readonly finish: Extract<ScramStart, { ok: true }>['finish'] }
  /** It has our signature: an empty line says that it is the right one. */
  | { readonly kind: 'scram-agreed'; readonly mailbox: Mailbox };

/** Where a session stands (RFC 1939 3). Session.#advance alone moves it. */
export type State =
  /** Who is it? */
  | { readonly kind: 'authorization' }
  /** USER was given, PASS is awaited. */
  | { readonly kind: 'user'; readonly user: string }
  /** A client's response is awaited (RFC 5034 4): the next line is no command. */
  | { readonly kind: 'sasl'; readonly step: SaslStep }
  /** STLS was answered; the handshake comes next. */
  | { readonly kind: 'securing' }
  | { readonly kind: 'transaction'; readonly maildrop: Maildrop }
  /** QUIT was given: what is marked is being deleted. */
  | { readonly kind: 'update'; readonly maildrop: Maildrop }
  /** No command is read any more. */
  | { readonly kind: 'closed' };

export type StateKind = State['kind'];
