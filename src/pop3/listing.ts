/** Lines that go out together. */
const LINES = 1000;

/** One line a message, many lines a piece, so that a large maildrop neither fills the memory nor trickles. */
export async function* listing<T>(
  items: Iterable<T>,
  line: (item: T) => string,
): AsyncGenerator<string, void, undefined> {
  let lines: string[] = [];
  for (const item of items) {
    lines.push(`${line(item)}\r\n`);
    if (lines.length < LINES) continue;
    yield lines.join('');
    lines = [];
  }
  yield lines.join('');
}

/** `2 messages (320 octets)`: what a person reads in a log of the dialogue. */
export const summary = ({ count, size }: { readonly count: number; readonly size: number }): string =>
  `${count} messages (${size} octets)`;
