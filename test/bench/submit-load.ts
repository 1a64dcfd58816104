/**
 * The load: a worker thread that submits messages over a few SMTPS connections, each message as soon as the last one of
 * its connection was answered 250. MAIL, RCPT and DATA go in one segment, as PIPELINING allows.
 */
import { once } from 'node:events';
import { connect, type TLSSocket } from 'node:tls';
import { parentPort, workerData } from 'node:worker_threads';

export interface LoadRequest {
  readonly port: number;
  readonly ca: string;
  readonly sender: string;
  readonly password: string;
  readonly recipient: string;
  readonly messages: number;
  readonly connections: number;
  /** Octets of a body. */
  readonly size: number;
}

/** A text of so many octets in lines of 76, canonical CRLF. */
export const bodyOf = (size: number): string =>
  `${'x'.repeat(74)}\r\n`.repeat(Math.ceil(size / 76)).slice(0, size - 2);

export const messageOf = (
  { sender, recipient, size }: Omit<LoadRequest, 'port' | 'ca'>,
  number: number,
): string =>
  [
    `From: ${sender}`,
    `To: ${recipient}`,
    `Subject: bench ${number}`,
    'Date: Sun, 22 Nov 2026 10:00:00 +0100',
    `Message-ID: <bench-${number}-${process.hrtime.bigint()}@client>`,
    '',
    bodyOf(size),
    '',
  ].join('\r\n');

class Submitter {
  private buffered = '';
  private wake: (() => void) | undefined;

  private constructor(private readonly socket: TLSSocket) {
    socket.setEncoding('latin1');
    socket.on('data', (text: string) => {
      this.buffered += text;
      this.wake?.();
    });
  }

  static async open({ port, ca, sender, password }: LoadRequest): Promise<Submitter> {
    const socket = connect({ host: '127.0.0.1', port, ca });
    await once(socket, 'secureConnect');
    const submitter = new Submitter(socket);
    await submitter.expect(220);
    await submitter.ask('EHLO bench\r\n', 250);
    const token = Buffer.from(`\0${sender}\0${password}`).toString('base64');
    await submitter.ask(`AUTH PLAIN ${token}\r\n`, 235);
    return submitter;
  }

  async submit({ sender, recipient }: LoadRequest, message: string): Promise<void> {
    this.socket.write(`MAIL FROM:<${sender}>\r\nRCPT TO:<${recipient}>\r\nDATA\r\n`);
    await this.expect(250);
    await this.expect(250);
    await this.expect(354);
    await this.ask(`${message}\r\n.\r\n`, 250);
  }

  close(): void {
    this.socket.end('QUIT\r\n');
  }

  private async ask(text: string, code: number): Promise<void> {
    this.socket.write(text);
    await this.expect(code);
  }

  private async expect(code: number): Promise<void> {
    for (;;) {
      const reply = /^(?:\d{3}-.*\r\n)*(\d{3}) .*\r\n/.exec(this.buffered);
      if (reply !== null) {
        this.buffered = this.buffered.slice(reply[0].length);
        if (reply[1] !== String(code)) throw new Error(`expected ${code}, got ${reply[0]}`);
        return;
      }
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
  }
}

if (parentPort !== null) {
  const request = workerData as LoadRequest;
  let next = 0;
  await Promise.all(
    Array.from({ length: request.connections }, async () => {
      const submitter = await Submitter.open(request);
      while (next < request.messages) {
        next += 1;
        await submitter.submit(request, messageOf(request, next));
      }
      submitter.close();
    }),
  );
  parentPort.postMessage('accepted');
}
