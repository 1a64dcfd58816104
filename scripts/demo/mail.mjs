// What a user's mail program does: sends over SMTPS, reads over POP3S.
import { connect } from 'node:tls';
import { createTransport } from 'nodemailer';

/** Sends one message; gives the server's reply to it and the message as it was sent. */
export async function send({ port, ca, user, password, message }) {
  const transport = createTransport({
    host: '127.0.0.1',
    port,
    secure: true,
    tls: { ca },
    auth: { user, pass: password },
  });
  try {
    const { response } = await transport.sendMail(message);
    return response;
  } finally {
    transport.close();
  }
}

/** Every message of a mailbox whose unique id is not in `known`; the new ids are added to it. */
export async function fetchNew({ port, ca, user, password }, known) {
  const session = await Session.open({ port, ca });
  try {
    await session.ask(`USER ${user}`);
    await session.ask(`PASS ${password}`);
    await session.ask('UIDL');
    const listing = (await session.block()).toString('latin1').trim();
    const fresh = [];
    for (const line of listing === '' ? [] : listing.split('\r\n')) {
      const [number, uid] = line.split(' ');
      if (known.has(uid)) continue;
      await session.ask(`RETR ${number}`);
      fresh.push(await session.block());
      known.add(uid);
    }
    await session.ask('QUIT');
    return fresh;
  } finally {
    session.close();
  }
}

/** One POP3 dialogue. */
class Session {
  #socket;
  #held = Buffer.alloc(0);
  #wake = () => undefined;
  #fault;

  static async open({ port, ca }) {
    const session = new Session();
    await session.#connect(port, ca);
    await session.#answer();
    return session;
  }

  async ask(line) {
    this.#socket.write(`${line}\r\n`);
    return this.#answer();
  }

  /** What follows up to the lone dot, its stuffed dots taken away. */
  async block() {
    if (this.#held.length < 3) await this.#until('\r\n', false);
    if (this.#held.subarray(0, 3).toString() === '.\r\n') {
      this.#held = this.#held.subarray(3);
      return Buffer.alloc(0);
    }
    const stuffed = (await this.#until('\r\n.\r\n')).subarray(0, -3);
    return Buffer.from(stuffed.toString('latin1').replace(/^\./gm, ''), 'latin1');
  }

  close() {
    this.#socket.destroy();
  }

  #connect(port, ca) {
    return new Promise((resolve, reject) => {
      this.#socket = connect({ host: '127.0.0.1', port, ca }, resolve);
      this.#socket.on('data', (chunk) => {
        this.#held = Buffer.concat([this.#held, chunk]);
        this.#wake();
      });
      for (const event of ['error', 'close']) {
        this.#socket.on(event, (error) => {
          this.#fault ??= error instanceof Error ? error : new Error('POP3: connection closed');
          this.#wake();
          reject(this.#fault);
        });
      }
    });
  }

  async #answer() {
    const line = (await this.#until('\r\n')).toString('latin1').trimEnd();
    if (!line.startsWith('+OK')) throw new Error(`POP3: ${line}`);
    return line;
  }

  async #until(mark, take = true) {
    for (;;) {
      const at = this.#held.indexOf(mark);
      if (at >= 0) {
        const end = at + mark.length;
        const found = this.#held.subarray(0, end);
        if (take) this.#held = this.#held.subarray(end);
        return found;
      }
      if (this.#fault !== undefined) throw this.#fault;
      await new Promise((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}
