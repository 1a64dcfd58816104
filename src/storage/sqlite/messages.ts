import type { News } from '../engine.js';
import type { DescribedError } from '../errors.js';

/** What the writer thread is started with. */
export interface WriterSettings {
  readonly file: string;
  readonly blobFolder: string;
  /** A module that exports `writes`, in place of the store's own operations. */
  readonly operations: string | undefined;
  /** Of a `LatestTime`. */
  readonly latest?: SharedArrayBuffer | undefined;
}

export interface WriteRequest {
  readonly id: number;
  readonly name: string;
  readonly input: unknown;
}

/** To the writer thread. */
export type ToWriter =
  | { readonly kind: 'write'; readonly requests: readonly WriteRequest[] }
  | { readonly kind: 'remove-files'; readonly id: number; readonly hashes: readonly string[] }
  | { readonly kind: 'close' };

export type WriteReply =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly error: DescribedError };

/** From the writer thread. */
export type FromWriter =
  | { readonly kind: 'ready' }
  | { readonly kind: 'unable'; readonly error: DescribedError }
  | { readonly kind: 'replies'; readonly replies: readonly WriteReply[]; readonly news: News | undefined }
  | { readonly kind: 'elsewhere' };
