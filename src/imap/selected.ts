/**
 * The folder a session has open: its view of it, and the news it was not told of yet. What happened is asked of the store by
 * modseq, so nothing is missed that another process did, and nothing has to be remembered for idle sessions.
 *
 * Invariants: the client hears of a new message (EXISTS) before anything about it; EXPUNGE never inside FETCH, STORE or SEARCH
 * (RFC 9051 7.5.1), so what is gone meanwhile keeps its number until `sync` may tell; `modseq` is what the client was told up to.
 */
import type { Mailstore } from '../mailstore/index.js';
import { flagNames, type OpenedFolder } from '../storage/index.js';
import { lowerBound, membersOf, type SequenceSet, writeSet } from '../wire/imap/index.js';
import type { Enabled } from './enabled.js';
import type { RecentClaims } from './recent.js';
import { refusals } from './refusals.js';
import { View } from './view.js';

type Ranges = Extract<SequenceSet, { kind: 'ranges' }>['ranges'];

export interface SelectedOptions {
  readonly mailstore: Pick<Mailstore, 'changes' | 'watch'>;
  readonly mailboxId: number;
  readonly opened: OpenedFolder;
  readonly readOnly: boolean;
  readonly recent: RecentClaims;
  /** Called when something may have changed. */
  onNews(): void;
}

/** A message's flags as the store has them. */
export interface StoredFlags {
  readonly uid: number;
  readonly modseq: number;
  readonly system: number;
  readonly keywords: readonly string[];
}

export class Selected {
  readonly mailboxId: number;
  readonly folderId: number;
  readonly name: string;
  readonly uidValidity: number;
  readonly readOnly: boolean;
  readonly view: View;
  /** Of those the client was told of: new to every session, this one first. */
  readonly recent: Set<number>;
  /** Result of the last `SEARCH RETURN (SAVE)`: UIDs; undefined when there was none (RFC 5182). */
  saved: readonly number[] | undefined;
  /** Keywords the client was told the folder has, lower case. */
  readonly #keywords: Map<string, string>;
  /** Flags as they are said, by bits and keywords. */
  readonly #flagTexts = new Map<number | string, string>();
  /** Lists of keywords (JSON) that hold nothing new to the client. */
  readonly #learned = new Set(['[]']);
  readonly #options: SelectedOptions;
  readonly #gone = new Set<number>();
  /** Changes the client was told of by the command that made them: UID -> modseq. */
  readonly #told = new Map<number, number>();
  readonly #unwatch: () => void;
  #modseq: number;
  #news = false;

  constructor(options: SelectedOptions) {
    const { opened } = options;
    this.#options = options;
    this.mailboxId = options.mailboxId;
    this.folderId = opened.id;
    this.name = opened.name;
    this.uidValidity = opened.uidValidity;
    this.readOnly = options.readOnly;
    this.view = new View(opened.uids);
    this.#modseq = opened.highestModseq;
    this.#keywords = new Map(opened.keywords.map((keyword) => [keyword.toLowerCase(), keyword]));
    this.recent = new Set(this.#claim(opened.uids, opened.firstSince ?? Number.POSITIVE_INFINITY));
    this.#unwatch = options.mailstore.watch(options.mailboxId, () => {
      this.#news = true;
      options.onNews();
    });
  }

  /** What the client was told up to. */
  get modseq(): number {
    return this.#modseq;
  }

  get keywords(): readonly string[] {
    return [...this.#keywords.values()];
  }

  close(): void {
    this.#unwatch();
  }

  /** The flags of a message for FETCH. */
  flagsOf(message: { readonly uid: number; readonly system: number; readonly keywords: string }): string {
    const { uid, system, keywords } = message;
    return this.#flagText(uid, system, keywords === '[]' ? NOTHING : keywords);
  }

  /** The lines that must come before a FETCH of this message's flags. */
  learnOf({ keywords }: { readonly keywords: string }): readonly string[] {
    if (this.#learned.has(keywords)) return NOTHING;
    this.#learned.add(keywords);
    return this.learn(JSON.parse(keywords) as string[]);
  }

  /** @param keywords a list, or JSON of one */
  #flagText(uid: number, system: number, keywords: readonly string[] | string): string {
    const key =
      keywords.length === 0
        ? system
        : `${system} ${typeof keywords === 'string' ? keywords : JSON.stringify(keywords)}`;
    let text = this.#flagTexts.get(key);
    if (text === undefined) {
      const list = typeof keywords === 'string' ? (JSON.parse(keywords) as string[]) : keywords;
      text = flagNames({ system, keywords: list }).join(' ');
      if (this.#flagTexts.size < FLAG_TEXTS) this.#flagTexts.set(key, text);
    }
    if (!this.recent.has(uid)) return text;
    return text === '' ? '\\Recent' : `${text} \\Recent`;
  }

  /**
   * The UIDs a set names. A sequence number past the last message is an error, a UID that is not there is none (RFC 9051 6.4.9).
   * @throws ImapError
   */
  resolve(set: SequenceSet, uid: boolean): number[] {
    if (set.kind === 'saved') {
      if (this.saved === undefined) throw refusals.savedSearchLost();
      return this.saved.filter((each) => this.view.sequenceOf(each) > 0);
    }
    if (uid) return membersOf(set.ranges, this.view.uids);
    const { size } = this.view;
    for (const bound of set.ranges.flat()) {
      if (bound === '*' ? size === 0 : bound > size) throw refusals.noSuchMessage();
    }
    return this.numbered(set.ranges);
  }

  /** The UIDs of these sequence numbers; those past the last message name none. */
  numbered(ranges: Ranges): number[] {
    return membersOf(ranges, sequences(this.view.size)).map((sequence) => this.view.uidAt(sequence) ?? 0);
  }

  /** UIDs of the ranges that are not in the folder, below `uidNext`. */
  absent(ranges: Ranges, uidNext: number): number[] {
    return this.among(ranges, sequences(uidNext - 1), uidNext);
  }

  /** Those of the UIDs (growing) that the ranges name and the client does not see. */
  among(ranges: Ranges, uids: readonly number[], uidNext: number): number[] {
    const named = new Set(membersOf(ranges, sequences(uidNext - 1)));
    return uids.filter((uid) => named.has(uid) && this.view.sequenceOf(uid) === 0);
  }

  /** The client learns of these flags from the answer that is being written: `sync` need not say them again. */
  tell(states: readonly StoredFlags[]): void {
    for (const { uid, modseq } of states) this.#told.set(uid, modseq);
  }

  /** These messages are gone, the client will be told when it may. */
  bury(uids: readonly number[]): void {
    for (const uid of uids) this.#gone.add(uid);
  }

  /** The untagged responses (without `* `) that bring the client up to date. @param expunges whether EXPUNGE may be told now */
  async sync(enabled: Enabled, expunges: boolean): Promise<string[]> {
    const lines: string[] = [];
    if (this.#news) {
      this.#news = false;
      await this.#ask(lines, enabled, expunges);
    }
    this.#told.clear();
    if (expunges) this.#tellGone(lines, enabled);
    return lines;
  }

  async #ask(lines: string[], enabled: Enabled, expunges: boolean): Promise<void> {
    const changes = await this.#options.mailstore.changes(this.folderId, this.#modseq);
    if (changes === undefined || changes.uidValidity !== this.uidValidity) {
      // Deleted by another session: there is nothing in it any more.
      this.bury(this.view.uids);
      return;
    }
    this.#modseq = changes.highestModseq;
    const { gone } = changes;
    if (gone === 'unknown') await this.#findGone(changes.changed);
    else this.bury(gone.filter((uid) => this.view.sequenceOf(uid) > 0));
    const last = this.view.lastUid;
    // What went before what came: the numbers of EXISTS are then the last word.
    if (expunges) this.#tellGone(lines, enabled);
    const fresh = this.view.append(changes.changed.map(({ uid }) => uid));
    if (fresh.length > 0) {
      for (const uid of this.#claim(fresh, 0)) this.recent.add(uid);
      lines.push(`${this.view.size} EXISTS`, `${this.recent.size} RECENT`);
    }
    for (const message of changes.changed) {
      if (message.uid > last || this.#told.get(message.uid) === message.modseq) continue;
      const keywords = JSON.parse(message.keywords) as string[];
      lines.push(...this.learn(keywords), this.flagLine({ ...message, keywords }, enabled));
    }
  }

  /** Too long ago to know: whoever is not there any more went. */
  async #findGone(changed: readonly { readonly uid: number }[]): Promise<void> {
    const all = await this.#options.mailstore.changes(this.folderId, -1);
    const there = new Set([...(all?.changed ?? changed)].map(({ uid }) => uid));
    this.bury(this.view.uids.filter((uid) => !there.has(uid)));
  }

  #tellGone(lines: string[], enabled: Enabled): void {
    const gone = [...this.#gone]
      .filter((uid) => this.view.sequenceOf(uid) > 0)
      .sort((one, other) => one - other);
    this.#gone.clear();
    if (gone.length === 0) return;
    const sequences = this.view.remove(gone);
    for (const uid of gone) this.recent.delete(uid);
    if (this.saved !== undefined) this.saved = this.saved.filter((uid) => this.view.sequenceOf(uid) > 0);
    if (enabled.has('QRESYNC')) lines.push(`VANISHED ${writeSet(gone)}`);
    else for (const sequence of sequences) lines.push(`${sequence} EXPUNGE`);
  }

  /** `n FETCH (...)` with a message's flags. */
  flagLine(state: StoredFlags, enabled: Enabled, withUid = enabled.has('QRESYNC')): string {
    const uid = withUid ? `UID ${state.uid} ` : '';
    const modseq = enabled.has('CONDSTORE') ? ` MODSEQ (${state.modseq})` : '';
    const flags = this.#flagText(state.uid, state.system, state.keywords);
    return `${this.view.sequenceOf(state.uid)} FETCH (${uid}FLAGS (${flags})${modseq})`;
  }

  /** `n FETCH (MODSEQ (m))` */
  modseqLine({ uid, modseq }: StoredFlags, withUid: boolean): string {
    return `${this.view.sequenceOf(uid)} FETCH (${withUid ? `UID ${uid} ` : ''}MODSEQ (${modseq}))`;
  }

  /** Keywords the client has not heard of in this folder are announced before they are used. */
  learn(keywords: readonly string[]): readonly string[] {
    if (keywords.length === 0) return NOTHING;
    const before = this.#keywords.size;
    for (const keyword of keywords) {
      if (!this.#keywords.has(keyword.toLowerCase())) this.#keywords.set(keyword.toLowerCase(), keyword);
    }
    return this.#keywords.size === before ? NOTHING : [flagsLine(this.keywords)];
  }

  #claim(uids: readonly number[], from: number): number[] {
    const { recent, readOnly } = this.#options;
    return recent.claim(this.folderId, uids.slice(lowerBound(uids, from)), readOnly);
  }
}

/** Sets of flags whose words are remembered. */
const FLAG_TEXTS = 256;

const NOTHING: readonly string[] = [];
const SYSTEM = ['\\Answered', '\\Flagged', '\\Deleted', '\\Seen', '\\Draft'];

export const flagsLine = (keywords: readonly string[]): string =>
  `FLAGS (${[...SYSTEM, ...keywords].join(' ')})`;

/** What a client may set; `\*`: keywords of its own too (RFC 9051 7.1, PERMANENTFLAGS). */
export const permanentFlags = (keywords: readonly string[], readOnly: boolean): string =>
  readOnly ? '()' : `(${[...SYSTEM, ...keywords, '\\*'].join(' ')})`;

const sequences = (size: number): number[] => Array.from({ length: size }, (_, at) => at + 1);
