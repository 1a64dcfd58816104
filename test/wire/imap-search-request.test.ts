import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readCharset, readReturn, readSearchKeys, type SearchKey } from '../../src/wire/imap/index.js';
import { fuzz, type Part, readWhole, refuses, scan } from './imap-fuzz.js';

const read = (...parts: readonly Part[]): SearchKey => readWhole(readSearchKeys, ...parts);
const flag = (name: string, set = true): SearchKey => ({ kind: 'flag', flag: name, set });
const DAY = 86_400_000;

describe('search keys (RFC 9051 6.4.4)', () => {
  it('must all hold', () => {
    assert.deepEqual(read('ALL'), { kind: 'all' });
    assert.deepEqual(read('flagged SINCE 1-Feb-1994 NOT FROM "Smith"'), {
      kind: 'and',
      keys: [
        flag('\\Flagged'),
        { kind: 'day', of: 'internal', from: Date.parse('1994-02-01') / DAY, to: Number.POSITIVE_INFINITY },
        { kind: 'not', key: { kind: 'field', field: 'FROM', text: 'Smith' } },
      ],
    });
    assert.deepEqual(read('UNSEEN '), flag('\\Seen', false), 'a space behind is passed over');
  });

  it('may be either of two, and lists', () => {
    assert.deepEqual(read('OR (SEEN DELETED) NOT OR DRAFT ANSWERED'), {
      kind: 'or',
      keys: [
        { kind: 'and', keys: [flag('\\Seen'), flag('\\Deleted')] },
        { kind: 'not', key: { kind: 'or', keys: [flag('\\Draft'), flag('\\Answered')] } },
      ],
    });
    assert.deepEqual(read('((UNDRAFT))'), flag('\\Draft', false));
  });

  it('name messages by number, by UID, or by the last result', () => {
    assert.deepEqual(read('2,4:*'), {
      kind: 'sequence',
      set: {
        kind: 'ranges',
        ranges: [
          [2, 2],
          [4, '*'],
        ],
      },
      uid: false,
    });
    assert.deepEqual(read('*'), {
      kind: 'sequence',
      set: { kind: 'ranges', ranges: [['*', '*']] },
      uid: false,
    });
    assert.deepEqual(read('UID $'), { kind: 'sequence', set: { kind: 'saved' }, uid: true });
  });

  it('look for text in any form of string', () => {
    assert.deepEqual(read('TEXT string'), { kind: 'text', header: true, text: 'string' });
    assert.deepEqual(read('BODY ', { literal: 'perch\xc3\xa9' }), {
      kind: 'text',
      header: false,
      text: 'perché',
    });
    assert.deepEqual(read('HEADER X-Ricevuta ""'), { kind: 'header', name: 'X-Ricevuta', text: '' });
    assert.deepEqual(read('SUBJECT perch\xe9'), { kind: 'field', field: 'SUBJECT', text: 'perché' });
    assert.deepEqual(read('KEYWORD $Accettazione'), flag('$Accettazione'));
  });

  it('of days have their bounds', () => {
    const at = Date.parse('1994-02-01') / DAY;
    for (const [name, of, from, to] of [
      ['BEFORE', 'internal', Number.NEGATIVE_INFINITY, at],
      ['SENTON', 'sent', at, at + 1],
      ['SAVEDSINCE', 'saved', at, Number.POSITIVE_INFINITY],
    ] as const)
      assert.deepEqual(read(`${name} 1-Feb-1994`), { kind: 'day', of, from, to });
  });

  it('of extensions: MODSEQ, WITHIN, OBJECTID, SAVEDATE', () => {
    assert.deepEqual(read('MODSEQ 620162338'), { kind: 'modseq', least: 620162338 });
    assert.deepEqual(read('MODSEQ "/flags/\\\\draft" all 7'), { kind: 'modseq', least: 7 });
    assert.deepEqual(read('YOUNGER 60 OLDER 3'), {
      kind: 'and',
      keys: [
        { kind: 'younger', seconds: 60 },
        { kind: 'older', seconds: 3 },
      ],
    });
    assert.deepEqual(read('EMAILID M1'), { kind: 'email-id', id: 'M1' });
    assert.deepEqual(read('SAVEDATESUPPORTED'), { kind: 'save-date-supported' });
  });

  it('that are none are refused', () => {
    for (const text of [
      '',
      ' ',
      'toString',
      '__proto__',
      'constructor',
      'UIDS',
      'FROM',
      'FROM ',
      'HEADER a',
      'OR SEEN',
      'OR',
      'NOT',
      '(SEEN',
      '()',
      'SEEN)',
      'SEEN(DRAFT)',
      '1:',
      'UID',
      'UID a',
      'KEYWORD \\Seen',
      'KEYWORD "a"',
      'LARGER -1',
      'LARGER a',
      'MODSEQ "x" 1',
      'ON 1',
      'SEEN  )',
    ])
      refuses(readSearchKeys, text);
  });
});

describe('hostile keys', () => {
  it('are read fifty deep, not more', () => {
    for (const [open, close] of [
      ['(', ')'],
      ['NOT ', ''],
      ['OR ALL ', ''],
    ] as const) {
      const nested = (depth: number): string => `${open.repeat(depth)}ALL${close.repeat(depth)}`;
      read(nested(50));
      refuses(readSearchKeys, nested(51));
      refuses(readSearchKeys, nested(10_000));
    }
  });

  it('are read a thousand at a time, wherever they stand', () => {
    const many = (count: number): string => Array.from({ length: count }, () => 'ALL').join(' ');
    read(many(1000));
    refuses(readSearchKeys, many(1001));
    read(`(${many(999)})`);
    refuses(readSearchKeys, `(${many(1000)})`);
    refuses(readSearchKeys, `NOT (${many(500)}) (${many(500)})`);
  });

  it('are read or refused, whatever they hold', () => {
    const words = [
      '(',
      ')',
      ' ',
      'OR ',
      'NOT ',
      'ALL',
      'SEEN',
      '1:*',
      ',',
      '$',
      'UID ',
      'FROM ',
      '"a"',
      'HEADER ',
      'x',
      'ON ',
      '1-Feb-1994',
      'MODSEQ ',
      '7',
      'KEYWORD ',
      'LARGER ',
      'TEXT ',
    ];
    fuzz(readSearchKeys, words, (key) => assert.ok(depth(key) <= 51));
    fuzz(
      (scanner) => [readReturn(scanner), readCharset(scanner), readSearchKeys(scanner)],
      ['RETURN ', '(MIN ALL)', '()', 'CHARSET ', 'UTF-8 ', ...words],
    );
  });
});

function depth(key: SearchKey): number {
  if (key.kind === 'and' || key.kind === 'or') return 1 + Math.max(...key.keys.map(depth));
  return key.kind === 'not' ? 1 + depth(key.key) : 0;
}

describe('before the keys', () => {
  it('stand the results that are wanted (RFC 4731) and the charset', () => {
    const scanner = scan('RETURN (min Count) CHARSET utf-8 ALL');
    assert.deepEqual(readReturn(scanner), new Set(['MIN', 'COUNT']));
    assert.equal(readCharset(scanner), 'UTF-8');
    assert.deepEqual(readSearchKeys(scanner), { kind: 'all' });
    assert.deepEqual(readReturn(scan('RETURN () ALL')), new Set(['ALL']));
    assert.equal(readReturn(scan('RETURNED ALL')), undefined);
    assert.equal(readCharset(scan('ALL')), undefined);
  });

  it('stands nothing else', () => {
    for (const text of [
      'RETURN ',
      'RETURN (FOO) ',
      'RETURN (MIN',
      'RETURN(MIN) ',
      'RETURN MIN ',
      'RETURN (MIN)ALL',
    ])
      refuses(readReturn, text);
    for (const text of ['CHARSET', 'CHARSET ', 'CHARSET "a', 'CHARSET "a"']) refuses(readCharset, text);
  });
});
