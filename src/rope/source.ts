/**
 * Bytes that live elsewhere (a spool file, a blob) and never change.
 * A source that keeps its bytes in memory says so with `resident`, and then reading costs nothing.
 */
export interface Source {
  /** Length in octets. */
  readonly length: number;
  /** SHA-256 of the whole content, lower-case hex, where the source knows it: the store then links it, not copies it. */
  readonly hash?: string | undefined;
  /** The whole content, when it is in memory. */
  readonly resident?: Buffer | undefined;
  /** Exactly `length` octets from `offset`; rejects when the source is shorter. */
  read(offset: number, length: number): Promise<Buffer>;
}
