/** What the clients were told: the one side of the comparison. */
import type { Told } from '../support/evidence.js';
import type { Note } from '../support/notes.js';

/** One submission of the run. */
export interface Submission extends Told {
  readonly octets: number;
  /** Milliseconds of the run. */
  readonly at: number;
  words?: string;
}

/** What one user's POP3 clients saw and did. */
export class MailboxLedger {
  /** Every message ever read, by its unique id. */
  readonly seen = new Map<string, Note>();
  /** Of a QUIT that was answered +OK: these are gone. */
  readonly gone = new Set<string>();
  /** Of a QUIT that got no answer: gone all of them or none. */
  readonly perhapsGone: ReadonlySet<string>[] = [];
  readonly complaints: string[] = [];

  constructor(readonly address: string) {}

  /** A listing as a client got it. */
  listed(uids: readonly string[]): void {
    const there = new Set(uids);
    for (const uid of uids) {
      if (this.gone.has(uid))
        this.complain(`message ${uid} is back after the +OK to the QUIT that deleted it`);
    }
    // By now it can be known what became of them.
    for (const set of this.perhapsGone.splice(0)) {
      const left = [...set].filter((uid) => there.has(uid));
      if (left.length > 0 && left.length < set.size) {
        this.complain(`a QUIT without +OK deleted ${set.size - left.length} of ${set.size} messages`);
      }
      if (left.length === 0) for (const uid of set) this.gone.add(uid);
    }
    for (const uid of this.seen.keys()) {
      if (!there.has(uid) && !this.gone.has(uid)) this.complain(`message ${uid} is gone; nobody deleted it`);
    }
  }

  read(note: Note): void {
    const before = this.seen.get(note.uid);
    if (before !== undefined && before.hash !== note.hash) {
      this.complain(`message ${note.uid} has other bytes than before`);
    }
    this.seen.set(note.uid, note);
  }

  complain(text: string): void {
    const complaint = `${this.address}: ${text}`;
    if (!this.complaints.includes(complaint)) this.complaints.push(complaint);
  }
}
