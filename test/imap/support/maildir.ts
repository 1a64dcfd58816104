/** A folder on the disk as mail programs keep it: one file a message, its flags in the name (https://cr.yp.to/proto/maildir.html). */
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256 } from './real-imap.js';

export interface MaildirMessage {
  readonly path: string;
  /** Letters: D raft, F lagged, R eplied, S een, T rashed. */
  readonly flags: string;
  /** Of its octets with CRLF line ends, without X-TUID, SHA-256. */
  readonly hash: string;
}

/** A header field that mbsync adds to what it copies. */
const TUID = /^X-TUID: .*\r\n/m;

export class Maildir {
  constructor(readonly path: string) {}

  async make(): Promise<void> {
    for (const part of ['cur', 'new', 'tmp']) await mkdir(join(this.path, part), { recursive: true });
  }

  async messages(): Promise<MaildirMessage[]> {
    const found: MaildirMessage[] = [];
    for (const part of ['cur', 'new']) {
      for (const name of await readdir(join(this.path, part))) {
        const path = join(this.path, part, name);
        const text = (await readFile(path)).toString('latin1').replace(/\r?\n/g, '\r\n').replace(TUID, '');
        found.push({
          path,
          flags: /:2,([A-Z]*)/.exec(name)?.[1] ?? '',
          hash: sha256(Buffer.from(text, 'latin1')),
        });
      }
    }
    return found;
  }

  async find(hash: string): Promise<MaildirMessage> {
    const message = (await this.messages()).find((each) => each.hash === hash);
    if (message === undefined) throw new Error(`${this.path} has no message ${hash}`);
    return message;
  }

  async add(name: string, content: Buffer, flags = ''): Promise<void> {
    const text = content.toString('latin1').replaceAll('\r\n', '\n');
    await writeFile(join(this.path, 'cur', `${name}:2,${flags}`), text, 'latin1');
  }

  async flag(hash: string, flags: string): Promise<void> {
    const { path } = await this.find(hash);
    const base = path.replace(/:2,[A-Z]*$/, '').replace(/\/new\/([^/]*)$/, '/cur/$1');
    await rename(path, `${base}:2,${flags}`);
  }

  async remove(hash: string): Promise<void> {
    await rm((await this.find(hash)).path);
  }

  /** Hashes of its messages, sorted. */
  async hashes(): Promise<string[]> {
    return (await this.messages()).map(({ hash }) => hash).sort();
  }
}
