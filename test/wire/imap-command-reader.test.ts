import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { CommandReader } from '../../src/wire/imap/index.js';
import { type Decide, readAll } from './imap-reading.js';

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');
const read = (text: string, options: { limit?: number; decide?: Decide } = {}): string[] =>
  readAll([bytes(text)], options);
const always = (decision: 'keep' | 'stream' | 'skip') => ({ decide: () => decision }) as const;

describe('lines', () => {
  it('end with CRLF, and with a bare LF too', () => {
    assert.deepEqual(read('a NOOP\r\nb NOOP\n\r\n'), [
      'command ["a NOOP"]',
      'command ["b NOOP"]',
      'command [""]',
    ]);
    assert.deepEqual(read('a NOOP\r'), []);
    assert.deepEqual(read('a\rb\r\n'), ['command ["a\\rb"]']);
  });

  it('may be as long as the limit, line ends counted', () => {
    assert.deepEqual(read('1234567\n', { limit: 8 }), ['command ["1234567"]']);
    assert.deepEqual(read('12345678\n', { limit: 8 }), ['too-long "12345678"']);
    assert.deepEqual(read('123456\r\n', { limit: 8 }), ['command ["123456"]']);
  });

  it('over the limit are told when they have ended, and what follows is read', () => {
    assert.deepEqual(readAll([bytes('123456789'), bytes('0'), bytes('1\r\nb\n')], { limit: 8 }), [
      'too-long "12345678"',
      'command ["b"]',
    ]);
    const [head] = read(`tag ${'x'.repeat(5000)}\n`, { limit: 1000 });
    assert.equal(head, `too-long "tag ${'x'.repeat(124)}"`);
  });

  it('of one command count together', () => {
    assert.deepEqual(read('abc{3}\nxyz1\nb\n', { limit: 9 }), [
      'literal {3} after ["abc"]',
      'command ["abc","{xyz}","1"]',
      'command ["b"]',
    ]);
    assert.deepEqual(read('abc{3}\nxyz12\nb\n', { limit: 9 }), [
      'literal {3} after ["abc"]',
      'too-long "abc"',
      'command ["b"]',
    ]);
  });

  it('without end are a flood, however they come', () => {
    assert.deepEqual(readAll([bytes('x'.repeat(300_000))], { limit: 100 }), ['flood']);
    const many = Array.from({ length: 300 }, () => bytes('x'.repeat(1000)));
    assert.deepEqual(readAll(many, { limit: 100 }), ['flood']);
  });
});

describe('literals', () => {
  it('are told of before their octets are read, and joined to their command', () => {
    const reader = new CommandReader();
    reader.push(bytes('a LOGIN {5}\r\nmario {4+}\r\n'));
    assert.equal(reader.next({ command: 100 })?.kind, 'literal');
    assert.equal(reader.next({ command: 100 }), undefined, 'nothing until it is decided');
    assert.deepEqual(read('a LOGIN {5}\r\nmario {4+}\r\npass\r\n'), [
      'literal {5} after ["a LOGIN "]',
      'literal {4+} after ["a LOGIN ","{mario}"," "]',
      'command ["a LOGIN ","{mario}"," ","{pass}",""]',
    ]);
  });

  it('may hold line ends, NUL, braces, and nothing', () => {
    assert.deepEqual(read('a {7+}\r\n{3}\r\n\0\xff\r\n'), [
      'literal {7+} after ["a "]',
      `command ["a ",${JSON.stringify('{{3}\r\n\0\xff}')},""]`,
    ]);
    assert.deepEqual(read('a {0}\r\n\r\n'), ['literal {0} after ["a "]', 'command ["a ","{}",""]']);
    assert.deepEqual(read('a {0+}\r\nb\r\n', always('stream')), [
      'literal {0+} after ["a "]',
      'octets ""',
      'command ["a ","<0>","b"]',
    ]);
  });

  it('with a tilde are binary (RFC 3516 4.4)', () => {
    assert.deepEqual(read('a APPEND x ~{3+}\r\n\0\0\0\r\n', always('stream')), [
      'literal ~{3+} after ["a APPEND x "]',
      'octets "\\u0000\\u0000\\u0000"',
      'command ["a APPEND x ","~<3>",""]',
    ]);
  });

  it('have a size of at most ten digits at the very end of a line', () => {
    for (const line of ['{}', '{+}', '{1', '{1} ', '{-1}', '{1++}', '{ 1}', '{12345678901}', '{1}}', '1}'])
      assert.deepEqual(read(`a ${line}\r\n`), [`command ["a ${line}"]`]);
    assert.deepEqual(read('~{9999999999+}\r\n', always('skip')), ['literal ~{9999999999+} after [""]']);
  });

  it('that are refused end their command: one that waits never comes', () => {
    assert.deepEqual(read('a X {9}\r\nb NOOP\r\n', always('skip')), [
      'literal {9} after ["a X "]',
      'command ["b NOOP"]',
    ]);
  });

  it('that are refused and come all the same are dropped, with the rest of their command (RFC 7888 4)', () => {
    assert.deepEqual(read('a X {9+}\r\nb LOGOUT\n (more) {3+}\r\nc\r\n\r\nd NOOP\r\n', always('skip')), [
      'literal {9+} after ["a X "]',
      'command ["d NOOP"]',
    ]);
    assert.deepEqual(read(`a X {1+}\r\n.${'y'.repeat(500)} {9+}\r\nb LOGOUT\n\r\nc\r\n`, always('skip')), [
      'literal {1+} after ["a X "]',
      'command ["c"]',
    ]);
  });

  it('that end a line over the limit are never read as commands', () => {
    const long = `a SEARCH TEXT ${'x'.repeat(200)}`;
    for (const limit of [40, 214, 218]) {
      assert.deepEqual(read(`${long} {10+}\r\nb LOGOUT\r\n ALL\r\nc NOOP\r\n`, { limit }).slice(1), [
        'command ["c NOOP"]',
      ]);
    }
  });
});

/** Octets that make lines and literals often. */
const dialogue = fc
  .array(
    fc.oneof(
      { weight: 3, arbitrary: fc.constantFrom('\r\n', '\n', '\r', ' ', 'NOOP', 'a', '{', '}', '+', '~') },
      { weight: 3, arbitrary: fc.nat(12).map((size) => `{${size}}\r\n`) },
      { weight: 3, arbitrary: fc.nat(12).map((size) => `~{${size}+}\r\n`) },
      { weight: 1, arbitrary: fc.string({ unit: 'binary-ascii', maxLength: 40 }) },
    ),
    { maxLength: 40 },
  )
  .map((parts) => bytes(parts.join('')));

const decisions = fc.array(fc.constantFrom('keep', 'stream', 'skip'), { minLength: 1, maxLength: 8 });

describe('octets', () => {
  it('mean the same however they are cut', () => {
    const property = fc.property(
      dialogue,
      fc.array(fc.integer({ min: 1, max: 20 })),
      decisions,
      fc.integer({ min: 5, max: 80 }),
      (octets, cuts, decided, limit) => {
        const decide: Decide = (_, number) => decided[number % decided.length] ?? 'keep';
        const whole = readAll([octets], { limit, decide });
        const single = Array.from(octets, (octet) => Buffer.of(octet));
        assert.deepEqual(readAll(single, { limit, decide }), whole);
        const chunks: Buffer[] = [];
        let at = 0;
        for (const cut of cuts) {
          chunks.push(octets.subarray(at, at + cut));
          at += cut;
        }
        assert.deepEqual(readAll([...chunks, octets.subarray(at)], { limit, decide }), whole);
      },
    );
    fc.assert(property, { numRuns: 500 });
  });

  it('of any kind are read or wait, and no more waits than came', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (octets) => {
        const reader = new CommandReader();
        reader.push(Buffer.from(octets));
        let readings = 0;
        while (reader.next({ command: 100 }) !== undefined) {
          reader.decide('stream');
          readings += 1;
          assert.ok(readings <= 2 * octets.length + 2);
        }
        assert.ok(reader.pending >= 0 && reader.pending <= octets.length);
      }),
    );
  });
});
