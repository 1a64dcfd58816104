/**
 * Mailboxes in one file (mbox, RFC 4155 and its relatives). A message begins after a line that begins with `From `, at
 * the top of the file or after an empty line, where a header field follows. Content-Length is not believed: programs
 * that changed a message left it as it was.
 */
import type { Rope } from '../../rope/index.js';

const LF = 0x0a;
const CR = 0x0d;
const FROM = Buffer.from('From ');
const AFTER_LINE = Buffer.from('\nFrom ');
/** Octets of a separator and the name of the field after it; longer lines are text. */
const REACH = 2048;

/** A header field begins here (RFC 5322 3.6.8), or what some programs put before the first. */
const FIELD = /^(?:[!-9;-~]+[ \t]*:|>From )/;

/** Whether the octets of a file begin as a mailbox does. */
export const beginsMbox = (head: Buffer): boolean => head.subarray(0, 5).equals(FROM) && separates(head, 0);

/** The message octets of each message, in order: nothing is copied. Rejects when the rope cannot be read. */
export async function* messagesOfMbox(file: Rope): AsyncGenerator<Rope, void, undefined> {
  let start: number | undefined;
  for await (const { line, next } of separators(file)) {
    if (start !== undefined) yield file.slice(start, await beforeBlankLine(file, start, line));
    start = next;
  }
  if (start !== undefined) yield file.slice(start, await beforeBlankLine(file, start, file.length));
}

interface Separator {
  /** Offset of its line. */
  readonly line: number;
  /** Offset of the line after. */
  readonly next: number;
}

/** Constant memory: what is kept of a chunk is what a separator across its end needs. */
async function* separators(file: Rope): AsyncGenerator<Separator, void, undefined> {
  let window: Buffer = Buffer.alloc(0);
  /** Offset of the window in the file, and of what in it was not looked at. */
  let base = 0;
  let seen = 0;
  for await (const chunk of file.chunks()) {
    window = window.length === 0 ? chunk : Buffer.concat([window, chunk]);
    const end = window.length - REACH;
    for (const line of candidates(window, seen - base, end)) yield separatorAt(window, line, base);
    seen = Math.max(seen, base + Math.max(0, end));
    // Two octets before tell whether the line before is empty.
    const kept = Math.max(0, seen - base - 3);
    window = window.subarray(kept);
    base += kept;
  }
  for (const line of candidates(window, seen - base, window.length)) yield separatorAt(window, line, base);
}

const separatorAt = (window: Buffer, line: number, base: number): Separator => ({
  line: base + line,
  next: base + window.indexOf(LF, line) + 1,
});

/** Separators whose line begins in [from, end) of the window. */
function* candidates(window: Buffer, from: number, end: number): Generator<number> {
  if (from === 0 && end > 0 && window.subarray(0, 5).equals(FROM) && separates(window, 0)) yield 0;
  for (let at = window.indexOf(AFTER_LINE, Math.max(0, from - 1)); at >= 0 && at + 1 < end; ) {
    if (afterEmptyLine(window, at) && separates(window, at + 1)) yield at + 1;
    at = window.indexOf(AFTER_LINE, at + 1);
  }
}

/** Whether the line that this LF ends is empty. */
const afterEmptyLine = (window: Buffer, lf: number): boolean => {
  const before = window[lf - 1] === CR ? lf - 2 : lf - 1;
  return window[before] === LF;
};

function separates(window: Buffer, line: number): boolean {
  const end = window.indexOf(LF, line);
  return (
    end >= 0 && end - line < REACH / 2 && FIELD.test(window.toString('latin1', end + 1, end + 1 + REACH / 2))
  );
}

/** The empty line before a separator is the mailbox's, not the message's (RFC 4155). */
async function beforeBlankLine(file: Rope, start: number, end: number): Promise<number> {
  const tail = await file.slice(Math.max(start, end - 4), end).bytes();
  const text = tail.toString('latin1');
  if (text.endsWith('\r\n\r\n')) return end - 2;
  return text.endsWith('\n\n') ? end - 1 : end;
}

/** The ways a mailbox program marks lines of a message that begin with `From `. */
export type Quoting = 'mboxrd' | 'mboxo';

const QUOTED: Readonly<Record<Quoting, RegExp>> = {
  // Every `>` more than there was.
  mboxrd: /(^|\n)>(>*From )/g,
  // `From ` alone was marked, so that nobody can tell what was `>From ` before.
  mboxo: /(^|\n)>(From )/g,
};

/** The message as it may have been before it was put into a mailbox, in the order of likelihood; itself is not among them. */
export function unquotedForms(
  message: Buffer,
): readonly { readonly quoting: Quoting; readonly bytes: Buffer }[] {
  if (!message.includes('>From ')) return [];
  const text = message.toString('latin1');
  const forms: { quoting: Quoting; bytes: Buffer }[] = [];
  for (const quoting of ['mboxrd', 'mboxo'] as const) {
    const plain = text.replace(QUOTED[quoting], '$1$2');
    if (plain !== text && !forms.some(({ bytes }) => bytes.toString('latin1') === plain))
      forms.push({ quoting, bytes: Buffer.from(plain, 'latin1') });
  }
  return forms;
}
