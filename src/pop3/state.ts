import type { Maildrop } from './maildrop.js';

/** Where a session stands (RFC 1939 3). Session.#advance alone moves it. */
export type State =
  /** Who is it? */
  | { readonly kind: 'authorization' }
  /** USER was given, PASS is awaited. */
  | { readonly kind: 'user'; readonly user: string }
  /** A client's response is awaited (RFC 5034 4): the next line is no command. */
  | { readonly kind: 'sasl'; readonly mechanism: 'PLAIN' }
  /** STLS was answered; the handshake comes next. */
  | { readonly kind: 'securing' }
  | { readonly kind: 'transaction'; readonly maildrop: Maildrop }
  /** QUIT was given: what is marked is being deleted. */
  | { readonly kind: 'update'; readonly maildrop: Maildrop }
  /** No command is read any more. */
  | { readonly kind: 'closed' };

export type StateKind = State['kind'];
