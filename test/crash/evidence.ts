/** What exists, indexed by the submission it belongs to; and how a violation is told. */
import type { Submission } from './ledger.js';
import type { Note } from './notes.js';
import { houseOf, type World } from './world.js';

/** A message in somebody's mailbox, there still or read before its deletion. */
export interface Found {
  readonly address: string;
  readonly note: Note;
}

/** Milliseconds of the journal shown before and after a submission. */
const BEFORE = 300;
const AFTER = 4000;
const STORY_LINES = 25;

export class Evidence {
  readonly violations: string[] = [];
  readonly #found = new Map<string, Found[]>();
  readonly #accounted = new Set<Note>();

  constructor(readonly world: World) {
    for (const [address, { seen }] of world.mailboxes) {
      for (const note of seen.values()) {
        const list = this.#found.get(note.subject) ?? [];
        list.push({ address, note });
        this.#found.set(note.subject, list);
      }
    }
  }

  /** Every message that speaks of a submission, in whatever mailbox. */
  of({ marker }: Pick<Submission, 'marker'>): readonly Found[] {
    return this.#found.get(marker) ?? [];
  }

  /** Its accettazioni and non-accettazioni: decisions 2 wants one. */
  promises(submission: Submission): readonly Note[] {
    return this.take(submission, submission.sender, ({ kind }) => PROMISES.includes(kind));
  }

  /** The messages about a submission in one mailbox that fit; they count as accounted for. */
  take(submission: Submission, address: string, fits: (note: Note) => boolean): readonly Note[] {
    const notes = this.of(submission).flatMap((found) =>
      found.address === address && fits(found.note) ? [found.note] : [],
    );
    for (const note of notes) this.#accounted.add(note);
    return notes;
  }

  /** What nobody has to have. */
  unaccounted(): readonly Found[] {
    return [...this.#found.values()].flat().filter(({ note }) => !this.#accounted.has(note));
  }

  /** @param marker of the submission it is about, where the submission itself is not at hand */
  violatedAbout(text: string, marker: string): void {
    this.violated(
      text,
      this.world.submissions.find((submission) => submission.marker === marker),
    );
  }

  violated(text: string, submission?: Submission): void {
    this.violations.push(submission === undefined ? text : `${text}\n${this.#story(submission)}`);
  }

  /** The submission, and the faults around it; the journal has the rest. */
  #story({ marker, sender, to, answer, words, at }: Submission): string {
    const lines = this.world.journal
      .between(at - BEFORE, at + AFTER)
      .filter((line) => line.includes(`"${marker}"`) || line.includes('  round '))
      .slice(0, STORY_LINES);
    const told = words === undefined || words === '' ? answer : `${answer}: ${words}`;
    return [`  ${sender} sent "${marker}" to ${to.join(' ')} (${told})`, ...lines].join('\n  ');
  }
}

const PROMISES = ['accettazione', 'non-accettazione'];
export const OUTCOMES = ['avvenuta-consegna', 'errore-consegna'];

/** Where the gestore of that address gets what other gestori say to it. */
export const serviceOf = ({ pair }: World, address: string): string =>
  pair[houseOf(address)].address('ricevute');
