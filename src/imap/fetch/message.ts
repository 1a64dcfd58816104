import { type Layout, type Mailstore, summarise } from '../../mailstore/index.js';
import type { Rope } from '../../rope/index.js';
import type { ListedMessage, SummarisedMessage, Summary, SummaryPart } from '../../storage/index.js';
import { after, type Soon } from '../soon.js';

/** What FETCH and SEARCH read of one message: its row, its summary where it is stored, its bytes only when they are asked for. */
export class MessageData {
  readonly row: ListedMessage;
  readonly #mailstore: Pick<Mailstore, 'open'>;
  readonly #stored: SummarisedMessage | undefined;
  #computed: Promise<Summary> | undefined;
  #layout: Layout | undefined;
  #rope: Promise<Rope> | undefined;

  constructor(row: ListedMessage | SummarisedMessage, mailstore: Pick<Mailstore, 'open'>) {
    this.row = row;
    this.#mailstore = mailstore;
    this.#stored = 'indexed' in row && row.indexed !== null ? row : undefined;
  }

  /** All of its bytes. @throws StoreConflict 'content' when it was expunged and swept; BlobDamaged */
  rope(): Promise<Rope> {
    this.#rope ??= this.#mailstore.open(this.row, 'part');
    return this.#rope;
  }

  /** All of its bytes, proved to be those that were stored. */
  whole(): Promise<Rope> {
    return this.#mailstore.open(this.row, 'whole');
  }

  /** A part of its summary: as it was read with the row, or computed now because it is not stored yet. */
  summary<P extends SummaryPart>(part: P): Soon<Summary[P]> {
    const stored = this.#stored?.[part];
    return stored === undefined ? this.#compute().then((summary) => summary[part]) : (stored as Summary[P]);
  }

  #compute(): Promise<Summary> {
    this.#computed ??= this.rope()
      .then(summarise)
      .then(({ summary }) => summary);
    return this.#computed;
  }

  async layout(): Promise<Layout> {
    this.#layout ??= JSON.parse(await this.summary('parts')) as Layout;
    return this.#layout;
  }

  /** The header block, from beside the row where it is kept there. */
  header(): Soon<Buffer> {
    return after(this.summary('header'), (kept) => this.#headerOf(kept));
  }

  #headerOf(kept: Uint8Array | null): Soon<Buffer> {
    if (kept !== null) return Buffer.from(kept.buffer, kept.byteOffset, kept.byteLength);
    return this.#readHeader();
  }

  async #readHeader(): Promise<Buffer> {
    const [start, bodyStart] = await this.layout();
    return (await this.rope()).slice(start, bodyStart).bytes();
  }
}
