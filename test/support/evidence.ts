/** What exists, indexed by the submission it belongs to, against what clients were told (decisions 2). */
import type { Note } from './notes.js';

/** One submission, sent once, as its client saw it. */
export interface Told {
  /** In the subject, and nowhere else. */
  readonly marker: string;
  readonly sender: string;
  readonly to: readonly string[];
  /** What is wrong with it, and so earns it a non-accettazione. */
  readonly fault: 'none' | 'bcc' | 'virus';
  /** SHA-256 of its body. */
  readonly body: string;
  /**
   * unsent: nothing was said that could be accepted. lost: nobody heard the answer. refused: a 4xx or 5xx. accepted: 250, with
   * this identificativo.
   */
  answer: 'unsent' | 'lost' | 'refused' | 'accepted';
  identificativo?: string;
}

/** A message in somebody's mailbox, there still or read before its deletion. */
export interface Found {
  readonly address: string;
  readonly note: Note;
}

export const OUTCOMES = ['avvenuta-consegna', 'errore-consegna'];
const PROMISES = ['accettazione', 'non-accettazione'];

export class Evidence<S extends Told = Told> {
  readonly violations: string[] = [];
  readonly #found = new Map<string, Found[]>();
  readonly #accounted = new Set<Note>();

  /** @param storyOf what to tell of a submission below a violation about it */
  constructor(
    found: Iterable<Found>,
    private readonly submissions: readonly S[],
    private readonly storyOf: (submission: S) => string,
  ) {
    for (const one of found) {
      const list = this.#found.get(one.note.subject) ?? [];
      list.push(one);
      this.#found.set(one.note.subject, list);
    }
  }

  /** Every message that speaks of a submission, in whatever mailbox. */
  of({ marker }: Pick<Told, 'marker'>): readonly Found[] {
    return this.#found.get(marker) ?? [];
  }

  /** Its accettazioni and non-accettazioni: decisions 2 wants one. */
  promises(submission: S): readonly Note[] {
    return this.take(submission, submission.sender, ({ kind }) => PROMISES.includes(kind));
  }

  /** The messages about a submission in one mailbox that fit; they count as accounted for. */
  take(submission: S, address: string, fits: (note: Note) => boolean): readonly Note[] {
    const notes = this.of(submission).flatMap((found) =>
      found.address === address && fits(found.note) ? [found.note] : [],
    );
    for (const note of notes) this.#accounted.add(note);
    return notes;
  }

  /** Tells of what nobody has to have. */
  violateUnaccounted(): void {
    for (const { address, note } of [...this.#found.values()].flat()) {
      if (this.#accounted.has(note)) continue;
      const about = `${note.kind} about "${note.subject}" ${note.identificativo} ${note.consegna ?? ''}`;
      this.violated(
        `${address} has what nobody has to have: ${about} (${note.uid})`,
        this.submissions.find(({ marker }) => marker === note.subject),
      );
    }
  }

  violated(text: string, submission?: S): void {
    this.violations.push(submission === undefined ? text : `${text}\n${this.storyOf(submission)}`);
  }
}

/**
 * Decisions 2: a 250 promises one accettazione or non-accettazione, of that identificativo; a refusal none.
 * @returns the promise; undefined when there is none
 */
export function comparePromise<S extends Told>(evidence: Evidence<S>, submission: S): Note | undefined {
  const promises = evidence.promises(submission);
  const [promise] = promises;
  const { answer, identificativo, fault } = submission;
  if (answer === 'accepted' && promise === undefined) {
    evidence.violated('a submission answered 250 has neither accettazione nor non-accettazione', submission);
  }
  if (answer === 'accepted' && promise !== undefined && promise.identificativo !== identificativo) {
    evidence.violated(
      `the 250 named ${identificativo}, the mailbox has ${promise.identificativo}`,
      submission,
    );
  }
  if (promises.length > 1) {
    const list = promises.map((note) => `${note.kind} ${note.identificativo}`).join(', ');
    evidence.violated(`a submission has ${promises.length} promises: ${list}`, submission);
  }
  if ((answer === 'refused' || answer === 'unsent') && promise !== undefined) {
    evidence.violated(`a submission that was ${answer} has its ${promise.kind}`, submission);
  }
  const expected = fault === 'none' ? 'accettazione' : 'non-accettazione';
  if (promise !== undefined && promise.kind !== expected) {
    evidence.violated(`${promise.kind} where ${expected} was due`, submission);
  }
  if (promise?.kind === 'accettazione') {
    const listed = promise.destinatari.map((entry) => entry.split(' ')[1]).sort();
    if (listed.join(' ') !== [...submission.to].sort().join(' ')) {
      evidence.violated(`the accettazione lists ${listed.join(' ')}`, submission);
    }
  }
  return promise;
}

/** What there is about one certified recipient of an accepted message. */
export interface Answers {
  /** Final outcomes in the sender's mailbox. */
  readonly outcomes: readonly Note[];
  /** The message in the recipient's mailbox. */
  readonly copies: readonly Note[];
  /** Prese in carico that name the recipient, in the service mailbox of the sender's gestore. */
  readonly taken: readonly Note[];
}

/** Collects the answers, and holds the copies to the bytes that were sent. @param service of the sender's gestore */
export function answersFor<S extends Told>(
  evidence: Evidence<S>,
  submission: S,
  recipient: string,
  identificativo: string,
  service: string,
): Answers {
  const outcomes = evidence.take(
    submission,
    submission.sender,
    (note) =>
      OUTCOMES.includes(note.kind) && note.identificativo === identificativo && note.consegna === recipient,
  );
  const copies = evidence.take(
    submission,
    recipient,
    (note) => note.kind === 'posta-certificata' && note.identificativo === identificativo,
  );
  if (copies.some(({ body }) => body !== submission.body)) {
    evidence.violated(`${recipient} has other bytes than were sent`, submission);
  }
  const taken = evidence.take(
    submission,
    service,
    (note) =>
      note.kind === 'presa-in-carico' &&
      note.identificativo === identificativo &&
      note.ricezione.includes(recipient),
  );
  return { outcomes, copies, taken };
}
