import { type Layout, type Mailstore, summarise } from '../../mailstore/index.js';
import type { Rope } from '../../rope/index.js';
import type { ListedMessage, SummarisedMessage, Summary } from '../../storage/index.js';

/** What FETCH and SEARCH read of one message: its row, its summary where it is stored, its bytes only when they are asked for. */
export class MessageData {
  readonly row: ListedMessage;
  readonly #mailstore: Pick<Mailstore, 'open'>;
  #summary: Omit<Summary, 'indexed'> | undefined;
  #layout: Layout | undefined;
  #rope: Promise<Rope> | undefined;

  constructor(row: ListedMessage | SummarisedMessage, mailstore: Pick<Mailstore, 'open'>) {
    this.row = row;
    this.#mailstore = mailstore;
    this.#summary = 'envelope' in row ? storedSummary(row) : undefined;
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

  /** Stored, or computed now because it is not yet. */
  async summary(): Promise<Omit<Summary, 'indexed'>> {
    this.#summary ??= (await summarise(await this.rope())).summary;
    return this.#summary;
  }

  async layout(): Promise<Layout> {
    this.#layout ??= JSON.parse((await this.summary()).parts) as Layout;
    return this.#layout;
  }

  /** The header block, from beside the row where it is kept there. */
  async header(): Promise<Buffer> {
    const { header } = await this.summary();
    if (header !== null) return Buffer.from(header.buffer, header.byteOffset, header.byteLength);
    const [start, bodyStart] = await this.layout();
    return (await this.rope()).slice(start, bodyStart).bytes();
  }
}

function storedSummary(row: SummarisedMessage): Omit<Summary, 'indexed'> | undefined {
  const { header, envelope, body, bodyStructure, parts, sort, preview } = row;
  const stored = { header, envelope, body, bodyStructure, parts, sort, preview };
  return envelope === null ? undefined : (stored as Omit<Summary, 'indexed'>);
}
