import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Scanner } from '../../src/wire/imap/index.js';
import { fuzz, piecesOf, readWhole, refuses, scan } from './imap-fuzz.js';

const astring = (scanner: Scanner): string => scanner.astring().toString('latin1');
const string = (scanner: Scanner): string => scanner.string().toString('latin1');
const atom = (scanner: Scanner): string => scanner.atom();
const tag = (scanner: Scanner): string => scanner.tag();
const number = (scanner: Scanner): number => scanner.number();
const nstring = (scanner: Scanner): string | null => scanner.nstring()?.toString('latin1') ?? null;

describe('atoms and tags (RFC 9051 9)', () => {
  it('have the characters that are theirs', () => {
    assert.equal(readWhole(atom, '$Consegna+[x'), '$Consegna+[x');
    for (const special of ['(', ')', '{', '%', '*', '"', '\\', ']', ' ', '\0', '\x1f', '\x7f', '\x80', ''])
      refuses(atom, special);
    assert.equal(readWhole(tag, 'A.142'), 'A.142');
    assert.equal(readWhole(tag, 'a]'), 'a]');
    for (const text of ['a+', '+', '', 'a*', '\xe8', 'a"']) refuses(tag, text);
  });

  it('are keywords in any case', () => {
    assert.equal(
      readWhole((scanner) => scanner.keyword(), 'feTCH'),
      'FETCH',
    );
    const scanner = scan('uidx');
    assert.equal(scanner.takesWord('UID'), false);
    assert.equal(scanner.takesWord('UIDX'), true);
  });
});

describe('strings (RFC 9051 4.3)', () => {
  it('are atoms, quoted or literal', () => {
    assert.equal(readWhole(astring, 'INBOX'), 'INBOX');
    assert.equal(readWhole(astring, 'a]b'), 'a]b');
    assert.equal(readWhole(astring, 'perch\xe9'), 'perch\xe9');
    assert.equal(readWhole(astring, '""'), '');
    assert.equal(readWhole(astring, '"a \\"b\\\\ c(){}%*"'), 'a "b\\ c(){}%*');
    assert.equal(readWhole(astring, '', { literal: 'a\r\nb "' }, ''), 'a\r\nb "');
    assert.equal(readWhole(astring, { literal: '' }), '');
    assert.equal(readWhole(nstring, 'nil'), null);
    assert.equal(readWhole(nstring, '"nil"'), 'nil');
  });

  it('have an end', () => {
    for (const text of ['"', '"abc', '"abc\\"', '"abc\\', '"\\', 'a"b"', '"a"b']) refuses(astring, text);
    // A literal inside the quotes is no part of the string.
    refuses(astring, '"abc', { literal: 'x' }, '"');
    refuses(string, 'abc');
    refuses(nstring, 'nilo');
  });

  it('have no NUL: it is in no character of IMAP (RFC 9051 9, CHAR8)', () => {
    refuses(astring, '"a\0b"');
    refuses(astring, 'a\0b');
    refuses(astring, { literal: 'a\0' });
  });
});

describe('numbers', () => {
  it('are exact', () => {
    assert.equal(readWhole(number, '0'), 0);
    assert.equal(readWhole(number, '007'), 7);
    assert.equal(readWhole(number, '999999999999999'), 999_999_999_999_999);
    for (const text of ['', '-1', '+1', '1e3', '0x1', '1.5', '1000000000000000', '\xb2'])
      refuses(number, text);
  });
});

describe('lists', () => {
  it('have items with spaces between, some clients one too many', () => {
    const list = (scanner: Scanner): string[] => scanner.list(() => scanner.atom());
    assert.deepEqual(readWhole(list, '(a b c)'), ['a', 'b', 'c']);
    assert.deepEqual(readWhole(list, '(a  b )'), ['a', 'b']);
    for (const text of ['()', '( a)', '(a', '(a b', 'a', '(a(b))', '(a)b', '']) refuses(list, text);
    assert.deepEqual(
      readWhole((scanner) => scanner.list(() => scanner.atom(), { empty: true }), '()'),
      [],
    );
  });

  it('go on over literals', () => {
    const list = (scanner: Scanner): string[] => scanner.list(() => astring(scanner));
    assert.deepEqual(readWhole(list, '(a ', { literal: 'b c' }, ' "d" ', { literal: ')' }, ')'), [
      'a',
      'b c',
      'd',
      ')',
    ]);
  });
});

describe('a command', () => {
  it('ends where nothing follows', () => {
    const scanner = scan('a', '', { literal: 'b' }, '');
    assert.equal(scanner.atEnd, false);
    scanner.atom();
    assert.equal(scanner.atEnd, false, 'a literal follows');
    assert.throws(() => scanner.end(), { name: 'ImapSyntaxError' });
    scanner.string();
    assert.equal(scanner.atEnd, true);
    scanner.end();
  });

  it('tells what was streamed, which is no string', () => {
    const streamed = { kind: 'streamed', size: 9, binary: true } as const;
    const scanner = new Scanner([...piecesOf('x '), streamed, ...piecesOf('')]);
    scanner.atom();
    scanner.space();
    assert.throws(() => scanner.astring(), { name: 'ImapSyntaxError' });
    assert.deepEqual(scanner.streamed(), streamed);
    assert.equal(scanner.atEnd, true);
    assert.throws(() => scanner.streamed(), { name: 'ImapSyntaxError' });
  });

  it('is read or refused, whatever it holds', () => {
    const words = ['a', ' ', '"', '\\', '(', ')', '12', 'NIL', '{3}', '*', '[', ']', '<', '>', '.', '$'];
    fuzz((scanner) => {
      const read: unknown[] = [];
      while (!scanner.atEnd)
        read.push(
          scanner.sees('(') ? scanner.list(() => astring(scanner), { empty: true }) : nstring(scanner),
        );
      return read;
    }, words);
    fuzz((scanner) => [tag(scanner), scanner.space(), atom(scanner), scanner.rest()], words);
  });
});
