import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import { type Answer, COOKIE, ntpRequest, readNtpAnswer } from './ntp-packet.js';
import { monotonic, type Sample, type TimeSource } from './sample.js';

export interface NtpServerOptions {
  readonly host: string;
  readonly port: number;
  /** Milliseconds to wait for one answer. */
  readonly timeout?: number;
  readonly monotonic?: () => number;
}

/** More could not be believed anyway: half of it is the possible error. */
const TIMEOUT = 1_500;
const ATTEMPTS = 2;
/** Milliseconds of rest after RATE, doubled each time. */
const FIRST_REST = 128_000;
const LONGEST_REST = 24 * 3_600_000;

/**
 * An NTP server asked as a client does (RFC 5905 14). It says DENY or RSTR once and is not asked again in this process's
 * life, RATE and it is left alone for a while (RFC 5905 7.4).
 */
export class NtpServer implements TimeSource {
  readonly name: string;
  readonly #options: NtpServerOptions;
  readonly #monotonic: () => number;
  #rest = FIRST_REST;
  #silence: { readonly until: number; readonly reason: string } | undefined;

  constructor(options: NtpServerOptions) {
    this.#options = options;
    this.#monotonic = options.monotonic ?? monotonic;
    const host = options.host.includes(':') ? `[${options.host}]` : options.host;
    this.name = options.port === 123 ? options.host : `${host}:${options.port}`;
  }

  async measure(): Promise<Sample> {
    if (this.#silence !== undefined && this.#monotonic() < this.#silence.until) {
      throw new Error(this.#silence.reason);
    }
    let reason = 'no answer';
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      const answer = await this.#ask();
      if (answer?.kind === 'sample') {
        this.#rest = FIRST_REST;
        return answer.sample;
      }
      if (answer?.kind === 'kiss') throw new Error(this.#kissed(answer.code));
      if (answer?.kind === 'refused') reason = answer.reason;
    }
    throw new Error(reason);
  }

  #kissed(code: string): string {
    const reason = `the server does not want to be asked (${code})`;
    if (code === 'DENY' || code === 'RSTR') {
      this.#silence = { until: Number.POSITIVE_INFINITY, reason };
    } else if (code === 'RATE') {
      this.#silence = { until: this.#monotonic() + this.#rest, reason };
      this.#rest = Math.min(2 * this.#rest, LONGEST_REST);
    }
    return reason;
  }

  /** @returns undefined when nothing came in time. @throws the system's error: no such name, nobody there */
  #ask(): Promise<Answer | undefined> {
    const { host, port, timeout = TIMEOUT } = this.#options;
    const cookie = randomBytes(COOKIE);
    return new Promise((resolve, reject) => {
      let socket: ReturnType<typeof createSocket> | undefined;
      let ended = false;
      const end = (): void => {
        ended = true;
        clearTimeout(timer);
        socket?.close();
        socket = undefined;
      };
      const answered = (answer: Answer | undefined): void => {
        if (ended) return;
        end();
        resolve(answer);
      };
      const failed = (error: unknown): void => {
        if (ended) return;
        end();
        reject(error);
      };
      const timer = setTimeout(() => answered(undefined), timeout);
      const send = ({ address, family }: { address: string; family: number }): void => {
        if (ended) return;
        const opened = createSocket(family === 6 ? 'udp6' : 'udp4');
        socket = opened;
        let sentAt = 0;
        opened.on('error', failed);
        opened.on('message', (packet) => {
          const answer = readNtpAnswer(packet, { cookie, sentAt, receivedAt: this.#monotonic() });
          if (answer.kind !== 'stranger') answered(answer);
        });
        // Connected: the system hands over what comes from that address and port alone, and tells when nobody is there.
        opened.connect(port, address, () => {
          if (ended) return;
          sentAt = this.#monotonic();
          opened.send(ntpRequest(cookie));
        });
      };
      lookup(host).then(send).catch(failed);
    });
  }
}
