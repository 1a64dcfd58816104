import { Rope } from '../rope/index.js';
import type { Telemetry } from '../telemetry/index.js';
import { type Antivirus, AntivirusLimit, AntivirusUnavailable, type ScanVerdict } from './antivirus.js';
import { measureReach, reachFault } from './measure.js';

/** Octets: what every scanner looks at whole. */
const SMALL = 1024 * 1024;
const DAY = 86_400_000;
/** Signatures come out daily; older than this, nobody fetches them. */
const OLD = 7 * DAY;

export interface WatchOptions {
  readonly telemetry: Telemetry;
  /** Octets of the largest message that will be asked about. */
  readonly largest: number;
  /** Whether the scanner has limits of its own, which are to be found out. */
  readonly limited: boolean;
  /** Epoch milliseconds. */
  readonly clock: () => number;
}

/**
 * A scanner whose failures are alarms while they last. One that calls messages clean which it did not look at gets none of
 * their size: nothing passes unscanned (architecture 3).
 */
export class WatchedAntivirus implements Antivirus {
  /** Octets up to which its verdict is about what it saw; found out when first needed, and again after each failure or restart. */
  #reach: Promise<number> | undefined;
  #failing = false;
  /** It takes less than it should. */
  #short = false;
  #attended = false;
  /** Ends of the scanner that were noticed. */
  #lives = 0;
  #looking = false;
  #measuredAt = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly scanner: Antivirus,
    private readonly options: WatchOptions,
  ) {}

  get name(): string {
    return this.scanner.name;
  }

  async scan(message: Rope): Promise<ScanVerdict> {
    try {
      const large = this.options.limited && message.length > SMALL;
      if (large && message.length > (await this.#reachNow())) {
        throw new AntivirusLimit(`${message.length} octets are more than clamd looks at`);
      }
      const life = this.#lives;
      const verdict = await this.scanner.scan(message);
      if (large && life !== this.#lives) {
        throw new AntivirusUnavailable(`${this.name} was started anew meanwhile`);
      }
      this.#works();
      return verdict;
    } catch (error) {
      if (error instanceof AntivirusUnavailable) this.#failed(error);
      throw error;
    }
  }

  /** Whether it answers; one that failed is believed again when it scans. */
  async ping(): Promise<boolean> {
    if (!(await this.scanner.ping())) {
      this.#failed(new AntivirusUnavailable(`${this.name} does not answer`));
      return false;
    }
    if (!this.#failing) return true;
    return this.scan(Rope.of('Subject: antivirus test\r\n\r\n')).then(
      () => true,
      () => false,
    );
  }

  /**
   * Looks whether it answers and, daily and while that is wrong, how far it reaches; one look at a time. Nobody waits for
   * it, for it may take minutes: what is wrong is an alarm.
   */
  look(): void {
    if (this.#looking) return;
    this.#looking = true;
    void this.#look().finally(() => {
      this.#looking = false;
    });
  }

  async #look(): Promise<void> {
    if (!(await this.ping()) || !this.options.limited) return;
    this.#lookAtSignatures();
    if (!this.#short && performance.now() - this.#measuredAt < DAY) return;
    this.#reach = undefined;
    try {
      await this.#reachNow();
    } catch (error) {
      if (!(error instanceof AntivirusUnavailable)) throw error;
      this.#failed(error);
    }
  }

  /** Milliseconds; undefined while it is not known. */
  signaturesAge(): number | undefined {
    const at = this.scanner.signaturesAt?.();
    return at === undefined ? undefined : Math.max(0, this.options.clock() - at);
  }

  #lookAtSignatures(): void {
    const { telemetry } = this.options;
    const age = this.signaturesAge();
    if (age === undefined || age <= OLD) {
      telemetry.clear('antivirus-signatures', '');
      return;
    }
    telemetry.raise('antivirus-signatures', '', `the signatures are ${Math.floor(age / DAY)} days old`);
  }

  #reachNow(): Promise<number> {
    if (this.#reach !== undefined) return this.#reach;
    const reach = this.#search();
    this.#reach = reach;
    reach.catch(() => {
      if (this.#reach === reach) this.#reach = undefined;
    });
    return reach;
  }

  /** From the largest message down to one that is seen whole. Where too large ones are refused, the scanner says so itself. */
  async #search(): Promise<number> {
    const { largest, telemetry } = this.options;
    await this.#attend();
    let blind = false;
    let size = largest;
    for (; size > SMALL; size = Math.floor(size / 2)) {
      const reach = await measureReach(this.scanner, size);
      if (reach.kind === 'whole') break;
      // "Infected" for being too large is no more a verdict than "clean": nobody is to be told of a virus that is not there.
      blind ||= reach.kind === 'blind' || reach.kind === 'alarmed';
      const fault = reachFault(reach, size);
      if (fault !== undefined && size === largest) telemetry.raise('antivirus-limit', '', fault);
    }
    this.#measuredAt = performance.now();
    this.#short = size < largest;
    if (!this.#short) telemetry.clear('antivirus-limit', '');
    return blind ? Math.max(size, SMALL) : Number.POSITIVE_INFINITY;
  }

  async #attend(): Promise<void> {
    if (this.#attended) return;
    await this.scanner.attend?.(() => {
      this.#attended = false;
      this.#lives += 1;
      this.#reach = undefined;
      this.#measuredAt = Number.NEGATIVE_INFINITY;
    });
    this.#attended = true;
  }

  #works(): void {
    this.#failing = false;
    this.options.telemetry.clear('antivirus-unavailable', '');
  }

  #failed(error: AntivirusUnavailable): void {
    const { telemetry } = this.options;
    telemetry.event('antivirus.failed', { error: error.message });
    if (error instanceof AntivirusLimit) {
      this.#short = true;
      telemetry.raise('antivirus-limit', '', `${error.message}: set the limits in clamd.conf higher`);
      return;
    }
    this.#failing = true;
    // Whatever comes back may have been set up anew.
    this.#reach = undefined;
    telemetry.raise('antivirus-unavailable', '', error.message);
  }
}
