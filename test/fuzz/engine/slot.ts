/** What the worker is at, where its supervisor can read it even while the worker does not come back. */
export class Slot {
  readonly #since: Float64Array;
  readonly #length: Int32Array;
  readonly #bytes: Uint8Array;

  private constructor(readonly memory: SharedArrayBuffer) {
    this.#since = new Float64Array(memory, 0, 1);
    this.#length = new Int32Array(memory, 8, 1);
    this.#bytes = new Uint8Array(memory, 16);
  }

  static of(longest: number): Slot {
    return new Slot(new SharedArrayBuffer(16 + longest));
  }

  static at(memory: SharedArrayBuffer): Slot {
    return new Slot(memory);
  }

  begin(input: Buffer): void {
    this.#length[0] = Math.min(input.length, this.#bytes.length);
    this.#bytes.set(input.subarray(0, this.#bytes.length));
    this.#since[0] = Date.now();
  }

  end(): void {
    this.#since[0] = 0;
  }

  /** Milliseconds since the input was begun that is still running; 0 when none is. */
  get busy(): number {
    const since = this.#since[0] ?? 0;
    return since === 0 ? 0 : Date.now() - since;
  }

  get input(): Buffer {
    return Buffer.from(this.#bytes.slice(0, this.#length[0]));
  }
}
