/**
 * Back-pressure: whether more mail may come in. What was accepted must still find its way out (receipts, notices,
 * deliveries, settlements), so room is kept for it: submissions are put off first, the mail of other gestori, which
 * brings receipts, only when half of the reserve is gone or a bound is passed twofold. A client is told at MAIL, keeps
 * its message and comes again; nothing that was taken is given up.
 */
import { type IntakeGate, refusals, type SmtpError, storeRefusal } from '../../smtp/index.js';
import { StoreUnavailable } from '../../storage/index.js';
import type { Telemetry } from '../../telemetry/index.js';
import { FEW_FILES, type Measures, type Room } from './measure.js';

/** What can be short. disk: room. queue: rows to send. writes: commits that wait. store: it takes none. */
export type Cause = 'disk' | 'queue' | 'writes' | 'store';

/** clear: all come in. pressed: submissions are put off. closed: everybody is. */
type Level = 'clear' | 'pressed' | 'closed';

/** Who brings mail. */
export type Bringer = 'user' | 'peer';

export interface IntakeOptions {
  readonly measures: Measures;
  readonly telemetry: Pick<Telemetry, 'event' | 'gauge'>;
  readonly bounds: {
    /** Octets that stay free on the disk. */
    readonly reserve: number;
    /** Rows of the queue. */
    readonly queue: number;
  };
  /** Milliseconds between looks; 1000 if not given. */
  readonly interval?: number | undefined;
}

/** Looks between two counts of the queue, and between two proofs that the store takes commits while it does. */
const QUEUE_TURN = 5;
const STORE_TURN = 10;
/** The share of a bound by which things must be better again before it counts: no door that swings. */
const EASED = 1 / 8;

const alarms: Readonly<Record<Cause, string>> = {
  disk: 'disk-low',
  queue: 'queue-long',
  writes: 'store-behind',
  store: 'store-unwritable',
};

/** From the best to the worst. */
const ranks: readonly Level[] = ['clear', 'pressed', 'closed'];

export class Intake {
  readonly #options: IntakeOptions;
  readonly #levels = new Map<Cause, Level>();
  #room: Room | undefined;
  /** Octets that went to the disk since it was looked at. */
  #taken = 0;
  #queued = 0;
  #turn = 0;
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> | undefined;
  #proving: { readonly at: number; readonly proof: Promise<void>; over: boolean } | undefined;
  /** What the last proof failed with. */
  #storeFault: unknown;
  #stopped = false;

  constructor(options: IntakeOptions) {
    this.#options = options;
    const { telemetry, measures } = options;
    telemetry.gauge('disk_free_bytes', 'Room on the disk that has least', () => this.#room?.octets ?? 0);
    telemetry.gauge('queue_rows', 'Rows to send, up to twice limits.queue', () => this.#queued);
    telemetry.gauge('store_writes_waiting', 'Writes not yet on the disk', () => measures.writes.waiting);
  }

  /** Looks at everything once, and from then on again and again. */
  async start(): Promise<void> {
    await this.#look();
    this.#plan();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#looking;
  }

  /** Whether this is in order now. The store is asked again, at most once a look. */
  async ready(cause: Cause): Promise<boolean> {
    if (cause === 'store') await this.#prove();
    return this.#level(cause) === 'clear';
  }

  /** The gate of a listener. */
  gate(bringer: Bringer): IntakeGate {
    const { reserve } = this.#options.bounds;
    // A message under way may use half of what is left when the next one is refused.
    const floor = bringer === 'user' ? reserve : reserve / 2;
    return {
      admit: (octets) => {
        this.#judgeWrites();
        for (const cause of ['disk', 'store', 'queue', 'writes'] as const) {
          const level = this.#level(cause);
          if (level === 'closed' || (level === 'pressed' && bringer === 'user')) throw this.#refusal(cause);
        }
        if (this.#left() - octets < floor) throw refusals.storageFull();
      },
      grow: (octets) => {
        this.#taken += octets;
        if (this.#left() < floor / 2) throw refusals.storageFull();
      },
    };
  }

  #refusal(cause: Cause): SmtpError {
    if (cause === 'disk') return refusals.storageFull();
    if (cause !== 'store') return refusals.overloaded();
    const fault = this.#storeFault;
    return fault instanceof StoreUnavailable ? storeRefusal(fault) : refusals.localError(fault);
  }

  #left(): number {
    return (this.#room?.octets ?? Number.POSITIVE_INFINITY) - this.#taken;
  }

  #level(cause: Cause): Level {
    return this.#levels.get(cause) ?? 'clear';
  }

  #plan(): void {
    if (this.#stopped) return;
    this.#timer = setTimeout(() => {
      this.#looking = this.#look().finally(() => this.#plan());
    }, this.#options.interval ?? 1000).unref();
  }

  /** Never rejects. */
  async #look(): Promise<void> {
    await this.#lookAtDisk();
    this.#judgeWrites();
    const down = this.#level('store') !== 'clear';
    if (down || this.#turn % STORE_TURN === 0) await this.#prove();
    if (this.#turn % QUEUE_TURN === 0) await this.#lookAtQueue();
    this.#turn += 1;
  }

  async #lookAtDisk(): Promise<void> {
    const { measures, bounds } = this.#options;
    const takenBefore = this.#taken;
    try {
      const room = await measures.room();
      this.#room = room;
      this.#taken -= takenBefore;
      const eased = this.#level('disk') === 'clear' ? 1 : 1 + EASED;
      const [wanted, least] = [bounds.reserve * eased, (bounds.reserve / 2) * eased];
      const fewFiles = room.files < FEW_FILES * eased;
      const level = room.octets < least || fewFiles ? 'closed' : room.octets < wanted ? 'pressed' : 'clear';
      const files = fewFiles ? `, ${room.files} files can be made` : '';
      this.#judge(
        'disk',
        level,
        `${room.folder}: ${room.octets} octets free of ${bounds.reserve} kept${files}`,
      );
    } catch (error) {
      this.#judge('disk', 'closed', textOf(error));
    }
  }

  async #lookAtQueue(): Promise<void> {
    const { measures, bounds } = this.#options;
    try {
      this.#queued = await measures.queued(2 * bounds.queue);
      const limit = bounds.queue * (this.#level('queue') === 'clear' ? 1 : 1 - EASED);
      const level = this.#queued >= 2 * limit ? 'closed' : this.#queued >= limit ? 'pressed' : 'clear';
      this.#judge('queue', level, `${this.#queued} rows to send, the bound is ${bounds.queue}`);
    } catch {
      // That the store cannot even be read is told by its own proof.
      await this.#prove();
    }
  }

  #judgeWrites(): void {
    const { waiting, limit } = this.#options.measures.writes;
    const bound = (limit / 2) * (this.#level('writes') === 'clear' ? 1 : 1 - EASED);
    const level = waiting >= bound * 1.5 ? 'closed' : waiting >= bound ? 'pressed' : 'clear';
    this.#judge('writes', level, `${waiting} of ${limit} writes wait for the disk`);
  }

  /** One proof serves all who ask while it runs and a little later. Never rejects. */
  #prove(): Promise<void> {
    const now = performance.now();
    const last = this.#proving;
    if (last !== undefined && (!last.over || now - last.at < (this.#options.interval ?? 1000) / 2)) {
      return last.proof;
    }
    const proof = this.#options.measures.prove().then(
      () => this.#judge('store', 'clear', ''),
      (error: unknown) => {
        // Too many writes at once is another matter, with a bound of its own.
        if (error instanceof StoreUnavailable && error.reason === 'busy') return;
        this.#storeFault = error;
        this.#judge('store', 'closed', textOf(error));
      },
    );
    const proving = { at: now, proof, over: false };
    this.#proving = proving;
    return proof.finally(() => {
      proving.over = true;
    });
  }

  #judge(cause: Cause, level: Level, reason: string): void {
    const before = this.#level(cause);
    if (before === level || this.#stopped) return;
    this.#levels.set(cause, level);
    const { telemetry } = this.#options;
    if (level === 'clear') telemetry.event('intake.resumed', { cause });
    else if (ranks.indexOf(level) > ranks.indexOf(before))
      telemetry.event('alarm', { name: alarms[cause], reason: `${reason}; ${consequence[level]}` });
  }
}

const consequence: Readonly<Record<Exclude<Level, 'clear'>, string>> = {
  pressed: 'submissions are put off',
  closed: 'no mail is taken',
};

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
