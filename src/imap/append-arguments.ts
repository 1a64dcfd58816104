/** The arguments of APPEND and REPLACE (RFC 4466 append-message, RFC 6855 4). */
import { readDateTime, readMailboxName, type Scanner } from '../wire/imap/index.js';
import type { Context } from './command.js';
import { readFlagList } from './flag-arguments.js';

/** How a message is given. */
export interface AppendedMessage {
  readonly flags: readonly string[];
  /** Epoch milliseconds; undefined: when it comes. */
  readonly date: number | undefined;
  /** The capabilities that the form of its literal is there with. */
  readonly uses: readonly string[];
}

export function readFolder(scanner: Scanner, { enabled }: Context): string {
  scanner.space();
  return readMailboxName(scanner.astring(), enabled.has('UTF8=ACCEPT'));
}

/** What stands before a message. */
export function readMessageHead(scanner: Scanner): Omit<AppendedMessage, 'uses'> {
  scanner.space();
  let flags: string[] = [];
  if (scanner.sees('(')) {
    flags = readFlagList(scanner);
    scanner.space();
  }
  let date: number | undefined;
  if (scanner.sees('"')) {
    date = readDateTime(scanner);
    scanner.space();
  }
  return { flags, date };
}

/** `UTF8 (~{n} ...)` says that the header has UTF-8; its octets are stored as they are all the same. */
export function readLiteral(scanner: Scanner): readonly string[] {
  const wrapped = scanner.takesWord('UTF8');
  if (wrapped) {
    scanner.space();
    scanner.open();
  }
  const { binary } = scanner.streamed();
  if (wrapped) scanner.close();
  // RFC 6855 4: its tilde comes with UTF8.
  if (wrapped) return ['UTF8=ACCEPT'];
  return binary ? ['BINARY'] : [];
}
