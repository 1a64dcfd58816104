/** The way between gestori that live in one process: the real relay's transfer, and no sockets. */
import { noticesOfFailure } from '../../src/delivery-point/index.js';
import type { Arrival } from '../../src/incoming-point/index.js';
import { domainOf } from '../../src/pec/index.js';
import { Connector } from '../../src/relay/connector.js';
import { storeQueue } from '../../src/relay/index.js';
import { batchesOf } from '../../src/relay/settlement.js';
import { Transfer } from '../../src/relay/transfer.js';
import { type Clock, HOUR, MIB, type Point } from './points.js';

/** One transaction on its way. */
export interface Hop {
  readonly from: Point;
  /** Undefined for a domain of nobody here. */
  readonly to: Point | undefined;
  readonly arrival: Arrival;
}

/** What connects the gestori: it carries what is due and lets a test lose, repeat or refuse it. */
export class Network {
  /** In place of `deliver()`, which carries the transaction; throw SmtpError or RouteError for a peer's or DNS's no. */
  onHop: ((hop: Hop, deliver: () => Promise<void>) => Promise<void>) | undefined;
  /** What went to domains of nobody here. */
  readonly outside: Arrival[] = [];
  readonly #transfers = new Map<Point, Transfer>();

  constructor(
    readonly points: readonly Point[],
    private readonly clock: Clock,
  ) {
    for (const point of points) this.#transfers.set(point, this.#transferOf(point));
  }

  /** Carries what is due, and what that brings about, until nothing is. @returns how many rows were tried */
  async pump(...only: readonly Point[]): Promise<number> {
    let moved = 0;
    for (let more = true; more; ) {
      more = false;
      for (const point of only.length > 0 ? only : this.points) {
        const rows = await this.#pumpOnce(point);
        moved += rows;
        more ||= rows > 0;
      }
    }
    return moved;
  }

  async #pumpOnce(point: Point): Promise<number> {
    const { now } = this.clock;
    const rows = await point.store.write('claimDue', {
      now,
      owner: point.hostname,
      leaseUntil: now + HOUR,
      limit: 128,
      except: [],
    });
    for (const batch of batchesOf(rows)) await this.#transfers.get(point)?.run(batch);
    return rows.length;
  }

  #transferOf(point: Point): Transfer {
    const { store, issuer, hostname, telemetry, clock } = point;
    return new Transfer({
      queue: storeQueue(store),
      connector: new Connector({
        routing: {
          routes: {},
          smartHost: null,
          hostname,
          dns: { mx: async () => [], addresses: async () => [] },
          random: () => 0.5,
        },
        tls: { required: true, ca: [] },
        telemetry,
      }),
      // No sockets: every domain is at hand.
      local: { isOwnDomain: () => true, receive: (arrival) => this.#carry(point, arrival) },
      notices: (failed, changes) =>
        noticesOfFailure({ store, issuer, hostname, clock: clock.read }, failed, changes),
      telemetry,
      clock: clock.read,
      random: () => 0.5,
      backoff: { first: 2_000, max: 15 * 60_000 },
    });
  }

  async #carry(from: Point, arrival: Arrival): Promise<void> {
    const domain = domainOf(arrival.recipients[0] ?? '');
    const to = this.points.find(({ directory }) => directory.isOwnDomain(domain));
    const deliver = async (): Promise<void> => {
      if (to === undefined) this.outside.push(arrival);
      // Within one gestore there is no session (architecture 3.2).
      else if (to === from) await to.incomingPoint.receive(arrival);
      else await to.receive({ ...arrival, message: await arrival.message.bytes(256 * MIB) });
    };
    await (this.onHop === undefined ? deliver() : this.onHop({ from, to, arrival }, deliver));
  }
}
