import { createSocket } from 'node:dgram';
import type { AddressInfo } from 'node:net';

/** What an answer says; the defaults are those of a good server. */
export interface Says {
  /** Milliseconds ahead of this machine's clock. */
  ahead?: number;
  /** Epoch milliseconds, in place of this machine's clock. */
  at?: number;
  leap?: number;
  mode?: number;
  stratum?: number;
  /** Power of two of a second. */
  precision?: number;
  /** ASCII, four octets. */
  reference?: string;
  /** Milliseconds. */
  rootDelay?: number;
  rootDispersion?: number;
  /** In place of the question's transmit timestamp. */
  originate?: Buffer;
  /** Octets sent. */
  length?: number;
  /** No time at all. */
  timeless?: boolean;
  /** Milliseconds it claims to have thought. */
  thought?: number;
}

/** An answer to a question, octet by octet (RFC 5905 7.3). */
export function ntpAnswer(question: Buffer, says: Says = {}): Buffer {
  const packet = Buffer.alloc(48);
  packet[0] = ((says.leap ?? 0) << 6) | (4 << 3) | (says.mode ?? 4);
  packet[1] = says.stratum ?? 2;
  packet.writeInt8(says.precision ?? -20, 3);
  packet.writeUInt32BE(((says.rootDelay ?? 1) / 1000) * 65_536, 4);
  packet.writeUInt32BE(((says.rootDispersion ?? 1) / 1000) * 65_536, 8);
  packet.write(says.reference ?? 'TEST', 12, 4, 'latin1');
  (says.originate ?? question.subarray(40, 48)).copy(packet, 24);
  if (says.timeless !== true) {
    const received = (says.at ?? Date.now()) + (says.ahead ?? 0);
    stamp(packet, 16, received);
    stamp(packet, 32, received);
    stamp(packet, 40, received + (says.thought ?? 0));
  }
  return packet.subarray(0, says.length ?? 48);
}

function stamp(packet: Buffer, at: number, epochMs: number): void {
  const seconds = Math.floor(epochMs / 1000);
  packet.writeUInt32BE((seconds + 2_208_988_800) % 2 ** 32, at);
  packet.writeUInt32BE(Math.floor(((epochMs - seconds * 1000) / 1000) * 2 ** 32), at + 4);
}

/** An NTP server on loopback that says what it is told to; silent with `null`. */
export class FakeNtpServer {
  says: Says | null = {};
  /** Answers to one question, in order; `says` alone when not given. */
  several: readonly Says[] | undefined;
  readonly questions: Buffer[] = [];
  readonly #socket = createSocket('udp4');

  static async open(): Promise<FakeNtpServer> {
    const server = new FakeNtpServer();
    await new Promise<void>((resolve) => server.#socket.bind(0, '127.0.0.1', resolve));
    server.#socket.on('message', (question, { port, address }) => {
      server.questions.push(question);
      if (server.says === null) return;
      for (const says of server.several ?? [server.says]) {
        server.#socket.send(ntpAnswer(question, says), port, address);
      }
    });
    return server;
  }

  get port(): number {
    return (this.#socket.address() as AddressInfo).port;
  }

  close(): Promise<void> {
    return new Promise((resolve) => this.#socket.close(() => resolve()));
  }
}
