/**
 * Computes the summaries that are owed, some at a time, after the commits that brought the messages: mail is never kept waiting for
 * it, and a message that cannot be summarised keeps no other from being.
 *
 * Crash point: none. What is owed is a row (`summary_due`) written with the message and deleted with the summary.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Store, StoreConflict, StoreUnavailable } from '../storage/index.js';
import type { Telemetry } from '../telemetry/index.js';
import { type Summarised, summarise } from './summary.js';

/** Contents summarised in one write. */
const TOGETHER = 50;
/** Octets of text in one write. */
const TEXT_TOGETHER = 4 * 1024 * 1024;
/** Milliseconds from the news of a message to the look for it: deliveries of one moment share a write. */
const PAUSE = 250;

export interface IndexerOptions {
  readonly store: Pick<Store, 'read' | 'write' | 'open' | 'onCommit'>;
  readonly telemetry: Pick<Telemetry, 'event'>;
}

export class Indexer {
  readonly #options: IndexerOptions;
  /** Contents that could not be read: looked at again after a restart only. */
  readonly #unreadable = new Set<number>();
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> = Promise.resolve();
  #stopped = false;
  #unlisten: () => void = () => undefined;

  constructor(options: IndexerOptions) {
    this.#options = options;
  }

  start(): void {
    this.#unlisten = this.#options.store.onCommit(({ mailboxes, elsewhere }) => {
      if (mailboxes.length > 0 || elsewhere) this.#plan();
    });
    this.#plan();
  }

  /** Resolves when the batch under way has ended. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#unlisten();
    clearTimeout(this.#timer);
    await this.#running;
  }

  #plan(): void {
    if (this.#stopped || this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#running = this.#running.then(() => this.catchUp());
    }, PAUSE);
    this.#timer.unref();
  }

  /** Works until nothing is owed. A store that does not answer is asked again at the next news. */
  async catchUp(): Promise<void> {
    try {
      for (let more = true; more && !this.#stopped; ) more = await this.#batch();
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error;
    }
  }

  async #batch(): Promise<boolean> {
    const { store } = this.#options;
    const due = await store.read('dueSummaries', { limit: TOGETHER + this.#unreadable.size });
    const entries: { contentId: number; summary: Summarised['summary']; text: string }[] = [];
    let octets = 0;
    for (const contentId of due) {
      if (this.#unreadable.has(contentId)) continue;
      if (entries.length >= TOGETHER || octets > TEXT_TOGETHER || this.#stopped) break;
      const summarised = await this.#summarise(contentId);
      if (summarised === undefined) continue;
      entries.push({ contentId, ...summarised });
      octets += summarised.text.length;
      await nextTurn();
    }
    if (entries.length > 0) await store.write('putSummaries', { entries });
    return entries.length > 0;
  }

  async #summarise(contentId: number): Promise<Summarised | undefined> {
    try {
      return await summarise(await this.#options.store.open(contentId));
    } catch (error) {
      if (error instanceof StoreUnavailable) throw error;
      this.#unreadable.add(contentId);
      // One that was swept meanwhile is owed nothing.
      if (error instanceof StoreConflict) return undefined;
      const reason = error instanceof Error ? error.message : String(error);
      this.#options.telemetry.event('alarm', { name: 'summary', reason: `content ${contentId}: ${reason}` });
      return undefined;
    }
  }
}
