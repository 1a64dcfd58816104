/** SNTP on the wire (RFC 5905 7.3 and 14): what a client sends, and what it believes of an answer. */
import type { Sample } from './sample.js';

/** Octets of a packet without extension fields, and of the originate timestamp a server gives back. */
const PACKET = 48;
export const COOKIE = 8;

/** Version 4, mode 3 (client). */
const CLIENT = (4 << 3) | 3;
const SERVER_MODE = 4;
const UNSYNCHRONISED = 3;
const MAX_STRATUM = 16;

/** Milliseconds between the eras' start, 1 January 1900, and 1970. */
const EPOCH = 2_208_988_800_000;
const ERA = 2 ** 32;
/** No server of today says an earlier second of era 0 than that of 1 January 2024: a smaller number is of era 1, from 2036. */
const FIRST_SECOND = (Date.UTC(2024, 0, 1) + EPOCH) / 1000;

/** Milliseconds an answer may be wrong and still decide about one second. */
const MAX_ERROR = 500;
/** Milliseconds by which rounding may make a delay negative. */
const ROUNDING = 10;

/** One question and its answer, on the monotonic clock, milliseconds. */
export interface Exchange {
  readonly cookie: Uint8Array;
  readonly sentAt: number;
  readonly receivedAt: number;
}

export type Answer =
  | { readonly kind: 'sample'; readonly sample: Sample }
  /** RFC 5905 7.4: the server does not want to be asked, or not so often. */
  | { readonly kind: 'kiss'; readonly code: string }
  | { readonly kind: 'refused'; readonly reason: string }
  /** Nothing that was asked for: whoever sent it is not listened to. */
  | { readonly kind: 'stranger' };

/**
 * A question. The transmit timestamp is not the time but a random number: the server gives it back as the originate
 * timestamp, so that nobody who did not see the question can answer it, and it tells nobody our time.
 */
export function ntpRequest(cookie: Uint8Array): Buffer {
  const packet = Buffer.alloc(PACKET);
  packet[0] = CLIENT;
  packet.set(cookie, PACKET - COOKIE);
  return packet;
}

/** What an answer says. Nothing of it is believed before the originate timestamp is ours. */
export function readNtpAnswer(packet: Buffer, { cookie, sentAt, receivedAt }: Exchange): Answer {
  const [first = 0, stratum = 0] = packet;
  if (packet.length < PACKET || (first & 7) !== SERVER_MODE) return { kind: 'stranger' };
  if (!packet.subarray(24, 24 + COOKIE).equals(cookie)) return { kind: 'stranger' };
  if (stratum === 0) return { kind: 'kiss', code: kissCode(packet) };
  if (first >> 6 === UNSYNCHRONISED || stratum >= MAX_STRATUM) {
    return { kind: 'refused', reason: 'the server is not synchronised' };
  }
  const received = timestamp(packet, 32);
  const sent = timestamp(packet, 40);
  if (received === undefined || sent === undefined) {
    return { kind: 'refused', reason: 'the answer has no time' };
  }
  const delay = receivedAt - sentAt - (sent - received);
  if (delay < -ROUNDING) return { kind: 'refused', reason: 'the answer took longer than it was awaited' };
  const precision = 2 ** packet.readInt8(3) * 1000;
  const error = (fixed(packet, 4) + Math.max(delay, 0)) / 2 + fixed(packet, 8) + precision;
  if (error > MAX_ERROR) {
    return { kind: 'refused', reason: `the answer may be wrong by ${Math.round(error)} ms` };
  }
  // RFC 5905 8, theta, with our two times on the monotonic clock.
  return { kind: 'sample', sample: { utc: (received - sentAt + sent - receivedAt) / 2, error } };
}

const kissCode = (packet: Buffer): string =>
  packet
    .toString('latin1', 12, 16)
    .replaceAll('\0', '')
    .replace(/[^A-Za-z]/g, '?');

/** Epoch milliseconds of a timestamp; undefined for none. */
function timestamp(packet: Buffer, at: number): number | undefined {
  const seconds = packet.readUInt32BE(at);
  const fraction = packet.readUInt32BE(at + 4);
  if (seconds === 0 && fraction === 0) return undefined;
  const era = seconds < FIRST_SECOND ? ERA : 0;
  return (seconds + era) * 1000 - EPOCH + (fraction / ERA) * 1000;
}

/** Milliseconds of a short format number (16.16 seconds). */
const fixed = (packet: Buffer, at: number): number => (packet.readUInt32BE(at) / 65_536) * 1000;
