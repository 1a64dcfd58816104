import type { Selected } from './selected.js';

/** Who is logged in. */
export interface Account {
  readonly mailboxId: number;
  readonly address: string;
  /** The capabilities that are hidden from it. */
  readonly hidden: ReadonlySet<string>;
}

/** Where a session stands (RFC 9051 3). Session.#advance alone moves it. */
export type State =
  | { readonly kind: 'not-authenticated' }
  | { readonly kind: 'authenticated'; readonly account: Account }
  | { readonly kind: 'selected'; readonly account: Account; readonly selected: Selected }
  /** STARTTLS was answered; the handshake comes next. */
  | { readonly kind: 'securing' }
  /** No command is read any more. */
  | { readonly kind: 'logout' };

export type StateKind = State['kind'];
