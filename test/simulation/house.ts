/** A gestore over all its lives: it crashes when the scenario says, and somebody starts it again. */
import type { TransferParts } from '../../src/relay/transfer.js';
import { type Store, StoreUnavailable } from '../../src/storage/index.js';
import type { Telemetry } from '../../src/telemetry/index.js';
import type { Random } from '../support/random.js';
import { MemoryEngine, type Strike } from './engine.js';
import type { SealingKeys } from './keys.js';
import { Life } from './life.js';
import type { Planned } from './scenario.js';
import type { Story } from './story.js';
import type { VirtualTime } from './time.js';
import type { Lot } from './town.js';

/** What a sabotage makes of a gestore's store. */
export type Spoil = (store: Store, lot: Lot) => Store;

export interface HouseParts {
  readonly lot: Lot;
  readonly keys: SealingKeys;
  readonly time: VirtualTime;
  readonly random: Random;
  readonly story: Story;
  readonly connectorOf: (house: House) => TransferParts['connector'];
  readonly spoil: Spoil;
}

const MINUTE = 60_000;
/** How long the service manager waits before it starts again what did not start. */
const RESTART = MINUTE;

export class House {
  readonly lot: Lot;
  /** How often a caller was told that nobody knows whether it is written. */
  unknown = 0;
  #life: Life | undefined;
  #lives = 0;
  #planned: Planned[] = [];
  readonly #parts: HouseParts;

  constructor(parts: HouseParts) {
    this.#parts = parts;
    this.lot = parts.lot;
  }

  /** Undefined while it is down. */
  get life(): Life | undefined {
    return this.#life;
  }

  start(): void {
    if (this.#life !== undefined) return;
    const { lot, keys, time, random, connectorOf, spoil, story } = this.#parts;
    const own = random.fork(`${lot.short} ${++this.#lives}`);
    const engine = new MemoryEngine({
      disk: lot.disk,
      now: time.clock,
      salt: () => own.octets(16),
      strike: () => this.#strike(),
    });
    const life = new Life({
      lot,
      keys,
      engine,
      clock: time.clock,
      random: own,
      telemetry: quiet,
      connector: connectorOf(this),
      spoil: (store) => spoil(store, lot),
    });
    this.#life = life;
    life.start().catch((error: unknown) => {
      if (!(error instanceof StoreUnavailable)) throw error;
      story.tell(`${lot.short} does not start: ${error.message}`);
      this.#fall(life, RESTART);
    });
  }

  /** @param minutes until it is started again */
  crash(minutes: number): void {
    const life = this.#life;
    if (life === undefined) return;
    this.#parts.story.tell(`${this.lot.short} crashes, and is down for ${minutes} min`);
    this.#fall(life, minutes * MINUTE);
  }

  plan(planned: Planned): void {
    this.#planned.push(planned);
  }

  /** No trouble any more, and at work. */
  heal(): void {
    this.#planned = [];
    this.start();
  }

  /** For good. */
  end(): void {
    this.#life?.kill();
  }

  #fall(life: Life, ms: number): void {
    life.kill();
    if (this.#life === life) this.#life = undefined;
    void this.#parts.time.sleep(ms).then(() => this.start());
  }

  #strike(): Strike {
    const next = this.#planned[0];
    if (next === undefined || next.after-- > 0) return 'none';
    next.writes -= 1;
    if (next.writes <= 0) this.#planned.shift();
    const { story } = this.#parts;
    const { short } = this.lot;
    if (next.strike === 'full') story.tell(`${short}: the disk is full`);
    if (next.strike === 'unknown') {
      this.unknown += 1;
      story.tell(`${short}: a commit is on the disk, and the disk reports an error`);
    }
    if (next.strike === 'dies before' || next.strike === 'dies after') {
      const life = this.#life;
      const when = next.strike === 'dies before' ? 'right before' : 'right after';
      story.tell(`${short} crashes ${when} a commit, and is down for ${next.minutes} min`);
      if (life !== undefined) this.#fall(life, next.minutes * MINUTE);
    }
    return next.strike;
  }
}

/** Nobody listens. */
const quiet: Telemetry = {
  event: () => undefined,
  raise: () => undefined,
  clear: () => undefined,
  standing: () => [],
  gauge: () => undefined,
  metrics: async () => '',
  metricsType: '',
  close: async () => undefined,
};
