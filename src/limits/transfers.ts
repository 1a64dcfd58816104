import { sourceOf } from './network.js';
import { Tally } from './tally.js';

/** Messages being taken in and what they hold in memory and in the spool; Infinity for no limit. */
export interface TransferBounds {
  /** Messages at once. */
  readonly total: number;
  /** Messages at once of one source (IPv4 address, IPv6 /64). */
  readonly ofSource: number;
  /** Octets of all of them. */
  readonly octets: number;
  /** Octets of those of one source. */
  readonly octetsOfSource: number;
}

export const noTransferBounds: TransferBounds = {
  total: Number.POSITIVE_INFINITY,
  ofSource: Number.POSITIVE_INFINITY,
  octets: Number.POSITIVE_INFINITY,
  octetsOfSource: Number.POSITIVE_INFINITY,
};

/** One message on its way in. */
export interface Transfer {
  /** Asks for room for so many octets more. False: there is none, and nothing was taken. */
  grow(octets: number): boolean;
  /** Whatever it held is free again; does nothing the second time. */
  end(): void;
}

/** Bounds what all messages on their way in cost together: one account of memory and spool for all SMTP listeners. */
export class Transfers {
  readonly #bounds: TransferBounds;
  readonly #sources = new Tally();
  readonly #octetsOf = new Tally();
  #total = 0;
  #octets = 0;

  constructor(bounds: TransferBounds = noTransferBounds) {
    this.#bounds = bounds;
  }

  /** Octets that are held. */
  get octets(): number {
    return this.#octets;
  }

  /** Messages on their way in. */
  get total(): number {
    return this.#total;
  }

  /** @returns undefined when too many are on their way. */
  begin(peer: string): Transfer | undefined {
    const source = sourceOf(peer);
    const { total, ofSource } = this.#bounds;
    if (this.#total >= total || this.#sources.of(source) >= ofSource) return undefined;
    this.#total += 1;
    this.#sources.add(source, 1);
    let held = 0;
    let ended = false;
    return {
      grow: (octets) => {
        if (ended || !this.#hasRoom(source, octets)) return false;
        held += octets;
        this.#hold(source, octets);
        return true;
      },
      end: () => {
        if (ended) return;
        ended = true;
        this.#total -= 1;
        this.#sources.add(source, -1);
        this.#hold(source, -held);
      },
    };
  }

  #hasRoom(source: string, octets: number): boolean {
    const { octets: all, octetsOfSource } = this.#bounds;
    return this.#octets + octets <= all && this.#octetsOf.of(source) + octets <= octetsOfSource;
  }

  #hold(source: string, octets: number): void {
    this.#octets += octets;
    this.#octetsOf.add(source, octets);
  }
}
