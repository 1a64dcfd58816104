import { connect, type Socket } from 'node:net';
import type { Rope } from '../rope/index.js';
import { type Antivirus, AntivirusUnavailable, type ScanVerdict } from './antivirus.js';

/** clamd's own default is 1 GiB of patience; ours is bounded. */
const TIMEOUT_MS = 60_000;
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
  private version = 'clamd';

  constructor(
    private readonly address: string,
    private readonly timeoutMs = TIMEOUT_MS,
  ) {
    this.name = `clamd ${address}`;
  }

  async scan(message: Rope): Promise<ScanVerdict> {
    const reply = await this.ask('zINSTREAM\0', message);
    const virus = /^stream: (.+) FOUND$/.exec(reply)?.[1];
    if (virus !== undefined) return { virus, engine: this.version };
    if (reply === 'stream: OK') return { virus: null, engine: this.version };
    throw new AntivirusUnavailable(`clamd answered "${reply}"`);
  }

  async ping(): Promise<boolean> {
    try {
      this.version = await this.ask('zVERSION\0');
      return true;
    } catch (error) {
      if (error instanceof AntivirusUnavailable) return false;
      throw error;
    }
  }

  private async ask(command: string, stream?: Rope): Promise<string> {
    const socket = connect(endpoint(this.address));
    socket.setTimeout(this.timeoutMs, () => socket.destroy(new Error('no answer in time')));
    try {
      const reply = readReply(socket);
      await Promise.race([send(socket, command, stream), reply]);
      return await reply;
    } catch (error) {
      throw new AntivirusUnavailable(
        `${this.name}: ${error instanceof Error ? error.message : String(error)}`,
        {
          cause: error,
        },
      );
    } finally {
      socket.destroy();
    }
  }
}

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
