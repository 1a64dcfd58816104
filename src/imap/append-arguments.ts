/** The arguments of APPEND and REPLACE (RFC 4466 append-message, RFC 6855 4). */
import { readDateTime, readMailboxName, type Scanner } from '../wire/imap/index.js';
import type { Context } from './command.js';
import { readFlagList } from './flag-arguments.js';

/** What stands before a message. */
export interface AppendedMessage {
  readonly flags: readonly string[];
  /** Epoch milliseconds; undefined: when it comes. */
  readonly date: number | undefined;
}

export function readFolder(scanner: Scanner, { enabled }: Context): string {
  scanner.space();
  return readMailboxName(scanner.astring(), enabled.has('UTF8=ACCEPT'));
}

export function readMessageHead(scanner: Scanner): AppendedMessage {
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
export function readLiteral(scanner: Scanner): void {
  const wrapped = scanner.takesWord('UTF8');
  if (wrapped) {
    scanner.space();
    scanner.open();
  }
  scanner.streamed();
  if (wrapped) scanner.close();
}
