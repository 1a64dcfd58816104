/** For tests of the grammars: scanners over text, and hostile input. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { ImapSyntaxError, type Piece, Scanner } from '../../src/wire/imap/index.js';

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');

/** Text, or a literal between. */
export type Part = string | { readonly literal: string };

export const piecesOf = (...parts: readonly Part[]): Piece[] =>
  parts.map((part) =>
    typeof part === 'string'
      ? { kind: 'text', bytes: bytes(part) }
      : { kind: 'literal', bytes: bytes(part.literal), binary: false },
  );

export const scan = (...parts: readonly Part[]): Scanner => new Scanner(piecesOf(...parts));

/** What a grammar reads of a whole text. */
export function readWhole<T>(read: (scanner: Scanner) => T, ...parts: readonly Part[]): T {
  const scanner = scan(...parts);
  const value = read(scanner);
  scanner.end();
  return value;
}

/** Whether a grammar refuses a whole text, as it should: with an ImapSyntaxError. */
export function refuses(read: (scanner: Scanner) => unknown, ...parts: readonly Part[]): void {
  assert.throws(() => readWhole(read, ...parts), { name: 'ImapSyntaxError' }, JSON.stringify(parts));
}

/**
 * A grammar gives a value or an ImapSyntaxError, whatever pieces of `words` and of noise come.
 * @param sound what must hold of each value
 */
export function fuzz<T>(
  read: (scanner: Scanner) => T,
  words: readonly string[],
  sound: (value: T) => void = () => undefined,
): void {
  const noise = fc.string({ unit: 'binary-ascii', maxLength: 6 });
  const word = fc.oneof({ weight: 8, arbitrary: fc.constantFrom(...words) }, { weight: 1, arbitrary: noise });
  const text = fc.array(word, { maxLength: 24 }).map((all) => all.join(''));
  const eightBit = fc.uint8Array({ maxLength: 12 }).map((octets) => Buffer.from(octets).toString('latin1'));
  const part = fc.oneof(
    { weight: 4, arbitrary: text },
    { weight: 1, arbitrary: fc.oneof(text, eightBit).map((literal) => ({ literal })) },
  );
  const property = fc.property(fc.array(part, { minLength: 1, maxLength: 4 }), (parts) => {
    let value: T;
    try {
      value = read(scan(...parts));
    } catch (error) {
      assert.ok(error instanceof ImapSyntaxError, error instanceof Error ? error.stack : String(error));
      assert.match(error.message, /^[\x20-\x7e]+$/, 'one plain line for the client');
      return;
    }
    sound(value);
  });
  fc.assert(property, { numRuns: 1000 });
}
