import assert from 'node:assert/strict';
import { canonicalLines } from '../../../src/evidence/line-ends.js';
import { CanonicalGuard } from '../../../src/mime/index.js';
import { stuffed } from '../../../src/smtp/dot-stuffing.js';
import { DotStuffer, type Line, LineReader, TopCutter } from '../../../src/wire/pop3/index.js';
import { inPieces } from '../../support/ropes.js';
import type { Target } from '../target.js';

/** Cut in two at a place, octet by octet at the last. */
function cut(input: Buffer, at: number): Buffer[] {
  if (at <= input.length) return [input.subarray(0, at), input.subarray(at)];
  return [...input].map((octet) => Buffer.from([octet]));
}

function guarded(pieces: readonly Buffer[]): unknown[] {
  const guard = new CanonicalGuard();
  for (const piece of pieces) guard.push(piece);
  guard.end();
  return [guard.fault, guard.eightBit, guard.longestLine, guard.endsWithCrlf];
}

function dotted(pieces: readonly Buffer[]): Buffer {
  const stuffer = new DotStuffer();
  return Buffer.concat([...pieces.map((piece) => stuffer.push(piece)), stuffer.end()]);
}

function topped(pieces: readonly Buffer[], lines: number): Buffer {
  const cutter = new TopCutter(lines);
  return Buffer.concat(pieces.map((piece) => (cutter.done ? Buffer.alloc(0) : cutter.push(piece))));
}

function lined(pieces: readonly Buffer[]): (string | undefined)[] {
  const reader = new LineReader();
  const found: (string | undefined)[] = [];
  for (const piece of pieces) {
    reader.push(piece);
    for (let line: Line | undefined = reader.next(32); line !== undefined; line = reader.next(32))
      found.push(line.kind === 'line' ? line.bytes.toString('latin1') : line.kind);
  }
  return found;
}

async function sent(input: Buffer, at: number): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of stuffed(inPieces(input, at <= input.length ? [at] : [...input.keys()])))
    pieces.push(piece);
  return Buffer.concat(pieces);
}

/** The other end of dot stuffing (RFC 5321 4.5.2): a line that begins with a dot loses it. */
const unstuffed = (bytes: Buffer): string => bytes.toString('latin1').replace(/(^|\n)\./g, '$1');

export const target: Target = {
  corpus: ['lines'],
  covers: ['src/smtp/dot-stuffing', 'src/wire/pop3/', 'src/mime/canonical', 'src/evidence/line-ends'],
  words: ['\r\n', '.', '\r\n.', '\r\n.\r\n', '\n.\n', '\r', '\n', '\r\n\r\n', '\0', '..', '\xe0'],
  longest: 192,
  async run(input) {
    const whole = [input];
    const expected = {
      guard: guarded(whole),
      dots: dotted(whole),
      top: topped(whole, 1),
      lines: lined(whole),
      data: await sent(input, input.length),
    };
    // Where the text is cut makes no difference, at any place.
    for (let at = 1; at <= input.length + 1; at += 1) {
      const pieces = cut(input, at);
      assert.deepEqual(guarded(pieces), expected.guard, `guard, cut at ${at}`);
      assert.ok(dotted(pieces).equals(expected.dots), `POP3 stuffing, cut at ${at}`);
      assert.ok(topped(pieces, 1).equals(expected.top), `TOP, cut at ${at}`);
      if (!lined(pieces).includes('too-long'))
        assert.deepEqual(lined(pieces), expected.lines, `lines, cut at ${at}`);
      assert.ok((await sent(input, at)).equals(expected.data), `DATA, cut at ${at}`);
    }
    const text = input.toString('latin1');
    const ended = text === '' || text.endsWith('\r\n') ? text : `${text}\r\n`;
    assert.equal(unstuffed(expected.data), ended, 'SMTP stuffing');
    assert.ok(!/(^|\n)\.\r?\n/.test(expected.data.toString('latin1')), 'an end of DATA in the content');
    assert.ok(canonicalLines(input).bytes.length >= input.length);
  },
};
