import type { Surroundings } from '../command.js';

/** Files and messages below which nobody has to wait. */
const MANY = 10;
/** Messages that pass between two looks. */
const STEP = 10;

/** How far it is, on a line that is written over; only for a person, and only when there is much. */
export class Progress {
  #file = 0;
  #messages = 0;
  #shown = false;

  constructor(
    private readonly surroundings: Pick<Surroundings, 'err' | 'errIsTerminal'>,
    private readonly files: number,
  ) {}

  nextFile(): void {
    this.#file += 1;
  }

  /** One more message is looked at. */
  show(): void {
    this.#messages += 1;
    if (this.surroundings.errIsTerminal !== true) return;
    if (Math.max(this.files, this.#messages) < MANY || this.#messages % STEP !== 0) return;
    this.surroundings.err(`\r${this.#file}/${this.files} (${this.#messages})\u001b[K`);
    this.#shown = true;
  }

  /** Before something else is written. */
  clear(): void {
    if (this.#shown) this.surroundings.err('\r\u001b[K');
    this.#shown = false;
  }
}
