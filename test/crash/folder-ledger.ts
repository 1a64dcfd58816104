/** What one user's IMAP client was told: every OK for APPEND, STORE, MOVE and EXPUNGE holds, an unanswered one holds whole or not at all. */

/** Where a message is and how it is marked. */
export interface Kept {
  readonly folder: string;
  /** Undefined where it will only be known by looking. */
  readonly uid: number | undefined;
  /** Sorted, joined by blanks. */
  readonly flags: string;
}

/** Undefined: it is nowhere. */
type State = Kept | undefined;

/** A folder as a client found it. */
export interface Listing {
  readonly folder: string;
  readonly uidValidity: string;
  readonly messages: readonly { readonly marker: string; readonly uid: number; readonly flags: string }[];
}

export class FolderLedger {
  readonly complaints: string[] = [];
  readonly #states = new Map<string, State>();
  /** Of the command that got no answer: what it would have made of its message. */
  #perhaps: { readonly marker: string; readonly state: State } | undefined;
  readonly #validities = new Map<string, string>();
  /** The largest UID ever seen, by folder. */
  readonly #largest = new Map<string, number>();

  constructor(readonly address: string) {}

  /** Answered OK. */
  done(marker: string, state: State): void {
    this.#states.set(marker, state);
    if (state?.uid !== undefined) this.#see(state.folder, state.uid);
  }

  /** No answer came. */
  unanswered(marker: string, state: State): void {
    this.#perhaps = { marker, state };
  }

  /** Messages that are there, by what is known. */
  present(): { readonly marker: string; readonly kept: Kept & { readonly uid: number } }[] {
    return [...this.#states].flatMap(([marker, kept]) =>
      kept?.uid === undefined ? [] : [{ marker, kept: { ...kept, uid: kept.uid } }],
    );
  }

  /** Everything that is there, against everything that was said. */
  compare(listings: readonly Listing[]): void {
    const found = new Map<string, Kept>();
    for (const { folder, uidValidity, messages } of listings) {
      const before = this.#validities.get(folder);
      if (before !== undefined && before !== uidValidity) this.#complain(`UIDVALIDITY of ${folder} changed`);
      this.#validities.set(folder, uidValidity);
      for (const { marker, uid, flags } of messages) {
        if (found.has(marker)) this.#complain(`"${marker}" is there twice`);
        found.set(marker, { folder, uid, flags });
      }
    }
    for (const marker of new Set([...this.#states.keys(), ...found.keys()]))
      this.#judge(marker, found.get(marker));
    this.#perhaps = undefined;
    this.#states.clear();
    for (const [marker, kept] of found) this.done(marker, kept);
  }

  #judge(marker: string, actual: State): void {
    const told = this.#states.get(marker);
    const perhaps = this.#perhaps?.marker === marker ? [this.#perhaps.state] : [];
    const fits = [told, ...perhaps].some((state) => this.#fits(state, actual));
    if (!fits)
      this.#complain(
        `"${marker}" is ${spoken(actual)}; it should be ${[told, ...perhaps].map(spoken).join(' or ')}`,
      );
  }

  #fits(state: State, actual: State): boolean {
    if (state === undefined || actual === undefined) return state === actual;
    if (state.folder !== actual.folder || state.flags !== actual.flags) return false;
    if (state.uid !== undefined) return state.uid === actual.uid;
    // RFC 9051 2.3.1.1: strictly ascending, none is used again.
    return (actual.uid ?? 0) > (this.#largest.get(actual.folder) ?? 0);
  }

  #see(folder: string, uid: number): void {
    this.#largest.set(folder, Math.max(uid, this.#largest.get(folder) ?? 0));
  }

  #complain(text: string): void {
    this.complaints.push(`${this.address}: ${text}`);
  }
}

const spoken = (state: State): string =>
  state === undefined ? 'nowhere' : `${state.folder}/${state.uid ?? 'new'} (${state.flags})`;
