import { connect, type Socket } from 'node:net';
import { setImmediate as turnOfTheLoop } from 'node:timers/promises';
import type { Rope } from '../rope/index.js';
import { type Antivirus, AntivirusLimit, AntivirusUnavailable, type ScanVerdict } from './antivirus.js';
import { attendClamd } from './clamd-session.js';
import { type ClamdVersion, readVersion } from './clamd-version.js';
import { Turns } from './turns.js';

/** Milliseconds. */
export interface ClamdPatience {
  /** Without a sign of life. */
  readonly silence: number;
  /** For one question, whatever trickles in. */
  readonly whole: number;
}

/** clamd itself takes two minutes for a scan (MaxScanTime); the other side waits ten for our answer (RFC 5321 4.5.3.2.6). */
const PATIENCE: ClamdPatience = { silence: 150_000, whole: 480_000 };
/** Milliseconds for a question that costs nothing. */
const AT_ONCE = 5_000;
const ATTEMPTS = 4;
/** Streams at once: below clamd's MaxThreads of 10, so that it has a thread left for a question. */
const STREAMS = 8;
/** Milliseconds a version is believed: signatures are renewed while clamd runs. */
const VERSION_HOLDS = 60_000;
const CHUNK = 64 * 1024;
const REPLY_LIMIT = 4096;

/** `tcp://host:port` or `unix:/path`, as the configuration has checked it. */
function endpoint(
  address: string,
): { readonly path: string } | { readonly host: string; readonly port: number } {
  if (address.startsWith('unix:')) return { path: address.slice('unix:'.length) };
  const { hostname, port } = new URL(address);
  return { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port) };
}

/** clamd over its INSTREAM command: one connection a message, sized chunks, a bounded wait. */
export class ClamdAntivirus implements Antivirus {
  readonly name: string;
  private readonly turns = new Turns(STREAMS);
  private version: ClamdVersion = { engine: 'clamd', signaturesAt: undefined };
  private versionAt = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly address: string,
    private readonly patience = PATIENCE,
  ) {
    this.name = `clamd ${address}`;
  }

  async scan(message: Rope): Promise<ScanVerdict> {
    if (performance.now() - this.versionAt > VERSION_HOLDS) await this.ping();
    const { engine } = this.version;
    const reply = await this.askAgain(message);
    const virus = /^stream: (.+) FOUND$/.exec(reply)?.[1];
    if (virus !== undefined) return { virus, engine };
    if (reply === 'stream: OK') return { virus: null, engine };
    if (/size limit exceeded/i.test(reply)) {
      throw new AntivirusLimit(`clamd answered "${reply}" to ${message.length} octets`);
    }
    throw new AntivirusUnavailable(`clamd answered "${reply}"`);
  }

  async ping(): Promise<boolean> {
    try {
      const silence = Math.min(AT_ONCE, this.patience.silence);
      const version = readVersion(await this.ask('zVERSION\0', { silence, whole: silence }));
      if (version === undefined) return true;
      this.version = version;
      this.versionAt = performance.now();
      return true;
    } catch (error) {
      if (error instanceof AntivirusUnavailable) return false;
      throw error;
    }
  }

  signaturesAt(): number | undefined {
    return this.version.signaturesAt;
  }

  async attend(gone: () => void): Promise<void> {
    const socket = connect(endpoint(this.address));
    const late = setTimeout(() => socket.destroy(new Error('no answer in time')), AT_ONCE);
    try {
      await attendClamd(socket, gone);
    } catch (error) {
      throw this.unavailable(error);
    } finally {
      clearTimeout(late);
    }
  }

  private unavailable(cause: unknown): AntivirusUnavailable {
    const reason = cause instanceof Error ? cause.message : String(cause);
    return new AntivirusUnavailable(`${this.name}: ${reason}`, { cause });
  }

  /** A connection that breaks while we send has perhaps swallowed the reason: the question is put again. */
  private async askAgain(message: Rope): Promise<string> {
    const { silence, whole } = this.patience;
    const begun = performance.now();
    // Waiting for a turn counts: the other side waits for all of it together.
    const left = (): number => Math.max(1, whole - (performance.now() - begun));
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.inTurn(left(), () => this.ask('zINSTREAM\0', { silence, whole: left() }, message));
      } catch (error) {
        if (attempt === ATTEMPTS || !isBroken(error)) throw error;
      }
    }
  }

  /** What clamd has no thread for would wait in its queue, and past that be refused: it waits here. */
  private async inTurn(patience: number, work: () => Promise<string>): Promise<string> {
    try {
      return await this.turns.run(patience, work);
    } catch (error) {
      throw error instanceof AntivirusUnavailable ? error : this.unavailable(error);
    }
  }

  private async ask(command: string, patience: ClamdPatience, stream?: Rope): Promise<string> {
    const socket = connect(endpoint(this.address));
    const late = (): void => void socket.destroy(new Error('no answer in time'));
    socket.setTimeout(patience.silence, late);
    const deadline = setTimeout(late, patience.whole);
    try {
      const reply = readReply(socket);
      await Promise.race([send(socket, command, stream), reply]);
      return await reply;
    } catch (error) {
      throw this.unavailable(error);
    } finally {
      clearTimeout(deadline);
      socket.destroy();
    }
  }
}

const isBroken = (error: unknown): boolean => {
  const cause = error instanceof AntivirusUnavailable ? error.cause : undefined;
  return cause instanceof Error && 'code' in cause && ['EPIPE', 'ECONNRESET'].includes(String(cause.code));
};

async function send(socket: Socket, command: string, stream: Rope | undefined): Promise<void> {
  socket.write(command);
  if (stream === undefined) return;
  for await (const bytes of stream.chunks()) {
    for (let at = 0; at < bytes.length; at += CHUNK) {
      const chunk = bytes.subarray(at, at + CHUNK);
      const size = Buffer.alloc(4);
      size.writeUInt32BE(chunk.length);
      socket.write(size);
      if (!socket.write(chunk)) await drained(socket);
      // A clamd that had enough says so and closes. A write that meets the closed end would cost us its words: read first.
      await turnOfTheLoop();
      if (socket.destroyed || socket.readableEnded) return;
    }
  }
  socket.write(Buffer.alloc(4));
}

function drained(socket: Socket): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = () => {
      socket.off('drain', settle);
      socket.off('close', settle);
      if (socket.destroyed) reject(new Error('connection closed while sending'));
      else resolve();
    };
    socket.once('drain', settle);
    socket.once('close', settle);
  });
}

function readReply(socket: Socket): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      const end = text.indexOf('\0');
      if (end >= 0) resolve(text.slice(0, end).trim());
      else if (text.length > REPLY_LIMIT) reject(new Error('reply too long'));
    });
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('connection closed without an answer')));
  });
}
