import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { DotStuffer, LineReader, stuffed, TopCutter, topOf } from '../../src/wire/pop3/index.js';

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');

/** The same octets in pieces of any size. */
function cut(text: string, sizes: readonly number[]): Buffer[] {
  const pieces: Buffer[] = [];
  const whole = bytes(text);
  for (let at = 0, turn = 0; at < whole.length; turn++) {
    const size = Math.max(1, sizes[turn % Math.max(1, sizes.length)] ?? 1);
    pieces.push(whole.subarray(at, at + size));
    at += size;
  }
  return pieces;
}

async function* each(pieces: readonly Buffer[]): AsyncGenerator<Buffer> {
  yield* pieces;
}

async function joined(pieces: AsyncIterable<Buffer>): Promise<string> {
  let text = '';
  for await (const piece of pieces) text += piece.toString('latin1');
  return text;
}

const sizes = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 6 });

describe('the line reader', () => {
  const read = (pieces: readonly Buffer[], limit: number): string[] => {
    const reader = new LineReader();
    const lines: string[] = [];
    for (const piece of pieces) {
      reader.push(piece);
      for (let line = reader.next(limit); line !== undefined; line = reader.next(limit)) {
        lines.push(line.kind === 'line' ? line.bytes.toString('latin1') : `(${line.kind})`);
      }
      assert.ok(reader.pending <= limit);
    }
    return lines;
  };

  it('ends a line at CRLF or LF', () => {
    assert.deepEqual(read([bytes('a\r\nb\n\r\n\nc')], 10), ['a', 'b', '', '']);
  });

  it('counts the line end (RFC 2449 4)', () => {
    assert.deepEqual(read([bytes('12345678\r\n123456789\r\nx\r\n')], 10), ['12345678', '(too-long)', 'x']);
  });

  it('answers as one line what is longer, however long, and goes on', () => {
    const long = 'x'.repeat(5000);
    assert.deepEqual(read([bytes(long), bytes(`${long}\r\nSTAT\r\n`)], 255), ['(too-long)', 'STAT']);
  });

  it('gives up on a line without an end', () => {
    const reader = new LineReader();
    let line: ReturnType<LineReader['next']>;
    let pushed = 0;
    for (; line === undefined && pushed < 1e6; pushed += 1000) {
      reader.push(Buffer.alloc(1000, 'x'));
      line = reader.next(255);
    }
    assert.deepEqual(line, { kind: 'flood' });
    assert.ok(pushed < 100_000);
  });

  it('reads the same lines however the octets are cut', () => {
    const text = fc
      .array(fc.constantFrom('a', 'bc', ' ', '\r', '\n', '\r\n', 'xxxxxxxxxxxx', '\0', '\xe0'))
      .map((parts) => parts.join(''));
    fc.assert(
      fc.property(text, sizes, (all, how) => {
        assert.deepEqual(read(cut(all, how), 12), read([bytes(all)], Math.max(12, 0)));
      }),
    );
  });
});

describe('dot-stuffing', () => {
  const stuff = (pieces: readonly Buffer[]) => joined(stuffed(each(pieces)));

  it('adds a dot where a line starts with one, and the CRLF that lacks', async () => {
    assert.equal(await stuff([bytes('.\r\n..a\r\nb.\r\n')]), '..\r\n...a\r\nb.\r\n');
    assert.equal(await stuff([bytes('a')]), 'a\r\n');
    assert.equal(await stuff([bytes('a\r')]), 'a\r\r\n');
    assert.equal(await stuff([bytes('a\n')]), 'a\n\r\n');
    assert.equal(await stuff([bytes('a\r'), bytes('\n'), bytes('.')]), 'a\r\n..\r\n');
    assert.equal(await stuff([]), '');
  });

  it('is undone by the client, however the octets are cut', async () => {
    const text = fc
      .array(fc.constantFrom('.', 'a', '\r\n', '..', 'bcd', '\r\n.'))
      .map((parts) => parts.join(''));
    await fc.assert(
      fc.asyncProperty(text, sizes, async (all, how) => {
        const sent = await stuff(cut(all, how));
        const whole = all === '' || all.endsWith('\r\n') ? all : `${all}\r\n`;
        assert.equal(sent.replace(/(^|\r\n)\./g, '$1'), whole);
        assert.doesNotMatch(sent, /(^|\r\n)\.\r\n/);
      }),
    );
  });

  it('copies nothing where there is nothing to stuff', () => {
    const chunk = bytes('a.b\r\nc\r\n');
    assert.equal(new DotStuffer().push(chunk), chunk);
  });
});

describe('TOP', () => {
  const top = (text: string, lines: number, how: readonly number[] = [1000]) =>
    joined(topOf(each(cut(text, how)), lines));
  const message = 'A: b\r\n c\r\n\r\nuno\r\ndue\r\n\r\ntre';

  it('is the header, the blank line and so many lines', async () => {
    assert.equal(await top(message, 0), 'A: b\r\n c\r\n\r\n');
    assert.equal(await top(message, 1), 'A: b\r\n c\r\n\r\nuno\r\n');
    assert.equal(await top(message, 3), 'A: b\r\n c\r\n\r\nuno\r\ndue\r\n\r\n');
    assert.equal(await top(message, 4), message);
    assert.equal(await top(message, 4_000_000_000), message);
  });

  it('stops reading when it has enough', () => {
    const cutter = new TopCutter(0);
    assert.equal(cutter.push(bytes('A: b\r\n\r\nrest')).toString(), 'A: b\r\n\r\n');
    assert.equal(cutter.done, true);
    assert.equal(cutter.push(bytes('more')).length, 0);
  });

  it('is the same however the octets are cut', async () => {
    const text = fc.array(fc.constantFrom('a', '\r\n', '\r', '\n', 'b: c')).map((parts) => parts.join(''));
    await fc.assert(
      fc.asyncProperty(text, fc.integer({ min: 0, max: 4 }), sizes, async (all, lines, how) => {
        const got = await top(all, lines, how);
        assert.equal(got, await top(all, lines));
        assert.ok(all.startsWith(got));
      }),
    );
  });
});
