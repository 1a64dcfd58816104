import { type Layout, type Mailstore, type SummarisedMessage, summarise } from '../../mailstore/index.js';
import type { Rope } from '../../rope/index.js';
import type { ListedMessage, StoredSummary, Summary, SummaryPart } from '../../storage/index.js';
import type { Soon } from '../soon.js';

type TextPart = Exclude<SummaryPart, 'header'>;

/** What FETCH and SEARCH read of one message: its row, its summary where it is stored, its bytes only when they are asked for. */
export class MessageData {
  readonly row: ListedMessage;
  readonly #mailstore: Pick<Mailstore, 'open'>;
  readonly #stored: StoredSummary | undefined;
  #computed: Promise<Summary> | undefined;
  #layout: Layout | undefined;
  #rope: Promise<Rope> | undefined;

  constructor({ row, summary }: SummarisedMessage, mailstore: Pick<Mailstore, 'open'>) {
    this.row = row;
    this.#mailstore = mailstore;
    this.#stored = summary;
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
  summary(part: TextPart): Soon<string> {
    return this.#stored?.[part] ?? this.#compute().then((summary) => summary[part]);
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

  /** The header block (Latin-1), from the summary where it is kept there. */
  header(): Soon<string> {
    return this.#stored?.header ?? this.#readHeader();
  }

  async #readHeader(): Promise<string> {
    const [start, bodyStart] = await this.layout();
    return (await (await this.rope()).slice(start, bodyStart).bytes()).toString('latin1');
  }
}
