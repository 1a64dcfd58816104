/** A literal as it was announced (RFC 9051 4.3; RFC 7888 for the plus; RFC 3516 4.4 for the tilde). */
export interface Literal {
  /** Octets. */
  readonly size: number;
  readonly binary: boolean;
  /** The client waits to be told to go on. */
  readonly synchronising: boolean;
}

/** What a command is made of. */
export type Piece =
  | { readonly kind: 'text'; readonly bytes: Buffer }
  | { readonly kind: 'literal'; readonly bytes: Buffer; readonly binary: boolean }
  /** A literal whose octets went elsewhere. */
  | { readonly kind: 'streamed'; readonly size: number; readonly binary: boolean };
