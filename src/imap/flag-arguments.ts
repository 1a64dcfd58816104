import type { Scanner } from '../wire/imap/index.js';
import { refusals } from './refusals.js';

/** Keywords of one message, and octets of one keyword. */
const KEYWORDS = 100;
const LONGEST = 200;

/** A flag: an atom, or a backslash and an atom. \Recent is the server's, and is dropped where it is set. */
export function readFlag(scanner: Scanner): string {
  const system = scanner.takes('\\');
  const name = scanner.atom();
  if (name.length > LONGEST)
    throw refusals.badArgument('Parola chiave troppo lunga / The keyword is too long');
  return system ? `\\${name}` : name;
}

/** `(flag flag ...)`, or `()`. @throws ImapError for a system flag that is none */
export function readFlagList(scanner: Scanner): string[] {
  const flags = scanner.list(() => readFlag(scanner), { empty: true });
  if (flags.length > KEYWORDS) throw refusals.badArgument('Troppi indicatori / Too many flags');
  return flags;
}
