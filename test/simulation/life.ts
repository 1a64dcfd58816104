/**
 * One run of a gestore's process, from its start to its crash: the real points, relay and timers, as src/gestore has them,
 * over the engine in memory. A dead one is not stopped: whatever it awaits never comes, as for a process that was killed.
 */
import { noticesOfFailure } from '../../src/delivery-point/index.js';
import { Directory } from '../../src/directory/index.js';
import { type LocalReception, storeQueue } from '../../src/relay/index.js';
import { Relay } from '../../src/relay/relay.js';
import { Transfer, type TransferParts } from '../../src/relay/transfer.js';
import { BlobFiles } from '../../src/storage/blobs/files.js';
import { LocalStore, type Store } from '../../src/storage/store.js';
import type { Telemetry } from '../../src/telemetry/index.js';
import { SilenceNotices, SilenceWatch } from '../../src/timers/index.js';
import type { Random } from '../support/random.js';
import { HOUR, type Wiring, wire } from '../support/wiring.js';
import type { MemoryEngine } from './engine.js';
import type { SealingKeys } from './keys.js';
import type { Lot } from './town.js';

export interface LifeParts {
  readonly lot: Lot;
  readonly keys: SealingKeys;
  readonly engine: MemoryEngine;
  readonly clock: () => number;
  readonly random: Random;
  readonly telemetry: Telemetry;
  /** The way out. */
  readonly connector: TransferParts['connector'];
  /** What a sabotage makes of the store. */
  readonly spoil: (store: Store) => Store;
}

/** Octets beyond a full mailbox's quota that receipts may take: small, so that a story can spend them (decisions 9). */
const RECEIPTS_RESERVE = 20_000;
/** Milliseconds; as config's `relay` has them, the longest one longer: days of retries are most of what a story would do. */
const BACKOFF = { first: 20_000, max: 2 * HOUR } as const;
const MINUTE = 60_000;

/** Never comes. */
const never = new Promise<never>(() => undefined);

export class Life {
  readonly store: Store;
  #points: Wiring | undefined;
  #dead = false;
  #tellDeath: () => void = () => undefined;
  readonly #death = new Promise<void>((resolve) => {
    this.#tellDeath = resolve;
  });

  constructor(private readonly parts: LifeParts) {
    const { engine, clock } = parts;
    // Large messages would need files: stories have none.
    const files = new BlobFiles('/nowhere');
    this.store = parts.spoil(new LocalStore({ engine, files, now: clock }));
  }

  /** The points, once they take mail. */
  get points(): Wiring | undefined {
    return this.#dead ? undefined : this.#points;
  }

  get dead(): boolean {
    return this.#dead;
  }

  /** Starts in the order of src/gestore.ts; never comes back if it dies on the way. */
  async start(): Promise<void> {
    const { lot, keys, clock, random, telemetry } = this.parts;
    const { name, mailDomain, serviceMailbox, key } = lot;
    const directory = await Directory.open({
      store: this.store,
      own: {
        providerName: name,
        mailReceipt: serviceMailbox,
        mailDomain,
        certificate: key.identity.certificate,
        trust: [keys.trust],
      },
      sources: [],
      snapshots: '/nowhere',
      telemetry,
      clock,
    });
    const points = wire({
      name,
      mailDomain,
      signer: key.signer,
      store: this.store,
      directory,
      antivirus: {
        name: 'none',
        ping: async () => true,
        scan: async () => ({ virus: null, engine: 'none' }),
      },
      telemetry,
      clock,
      verify: (signed, from, at) => keys.verify(directory.trust(), signed, from, at),
      receiptsReserve: RECEIPTS_RESERVE,
      random: (octets) => random.octets(octets),
    });
    this.#points = points;
    new SilenceWatch({
      notices: new SilenceNotices({ store: this.store, issuer: points.issuer, telemetry, clock }),
      longest: MINUTE,
      clock,
      telemetry,
    }).start();
    await this.#startRelay(points, directory);
  }

  /** Nothing it does reaches anybody any more. */
  kill(): void {
    this.#dead = true;
    this.parts.engine.kill();
    this.#tellDeath();
  }

  /** What a peer gets: `gone` when this process dies first. */
  peer<T, G>(result: Promise<T>, gone: G): Promise<T | G> {
    return Promise.race([result, this.#death.then(() => gone)]);
  }

  async #startRelay(points: Wiring, directory: Directory): Promise<void> {
    const { clock, random, telemetry } = this.parts;
    const { store } = this;
    const { issuer, hostname, incomingPoint } = points;
    const connector: TransferParts['connector'] = {
      deliver: (...message) => (this.#dead ? never : this.parts.connector.deliver(...message)),
    };
    const queue = storeQueue(store);
    const local: LocalReception = {
      isOwnDomain: (domain) => directory.isOwnDomain(domain),
      domains: async () => {
        await directory.current();
        return directory.own().managedDomains;
      },
      receive: (arrival) => incomingPoint.receive(arrival),
    };
    const transfer = new Transfer({
      queue,
      connector,
      local,
      notices: (failed, changes) => noticesOfFailure({ store, issuer, hostname, clock }, failed, changes),
      telemetry,
      clock,
      random: () => random.next(),
      backoff: BACKOFF,
    });
    const relay = new Relay({
      queue,
      local,
      transfer,
      connector: { close: () => undefined, cut: () => undefined },
      telemetry,
      clock,
      owner: hostname,
      concurrency: 20,
      longestRetry: BACKOFF.max,
    });
    await relay.start();
  }
}
