import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type FetchItem, readFetchItems } from '../../src/wire/imap/index.js';
import { readData } from './imap-data.js';
import { fuzz, type Part, readWhole, refuses } from './imap-fuzz.js';

const read = (...parts: readonly Part[]): FetchItem[] => readWhole(readFetchItems, ...parts);
const kinds = (text: string): string[] => read(text).map(({ kind }) => kind);

/** The section a client asked for, as it stands in the answer, and what was read of it. */
function section(...parts: readonly Part[]) {
  const [item] = read(...parts);
  assert.ok(item?.kind === 'BODY[]');
  return item;
}

describe('items of FETCH (RFC 9051 6.4.5)', () => {
  it('are one, a list, or a macro', () => {
    assert.deepEqual(kinds('flags'), ['FLAGS']);
    assert.deepEqual(kinds('(UID  Flags RFC822.SIZE )'), ['UID', 'FLAGS', 'RFC822.SIZE']);
    assert.deepEqual(kinds('FAST'), ['FLAGS', 'INTERNALDATE', 'RFC822.SIZE']);
    assert.deepEqual(kinds('all'), ['FLAGS', 'INTERNALDATE', 'RFC822.SIZE', 'ENVELOPE']);
    assert.deepEqual(kinds('FULL'), ['FLAGS', 'INTERNALDATE', 'RFC822.SIZE', 'ENVELOPE', 'BODY']);
    assert.deepEqual(kinds('(BODY BODYSTRUCTURE BODY[])'), ['BODY', 'BODYSTRUCTURE', 'BODY[]']);
    assert.deepEqual(kinds('(MODSEQ EMAILID THREADID SAVEDATE)'), [
      'MODSEQ',
      'EMAILID',
      'THREADID',
      'SAVEDATE',
    ]);
  });

  it('of extensions: PREVIEW, lazy or not, and BINARY', () => {
    assert.deepEqual(kinds('(PREVIEW (LAZY) UID)'), ['PREVIEW', 'UID']);
    assert.deepEqual(kinds('(PREVIEW UID)'), ['PREVIEW', 'UID']);
    assert.deepEqual(read('(BINARY.PEEK[1.2]<3.4> BINARY[] BINARY.SIZE[7])'), [
      { kind: 'BINARY[]', part: [1, 2], partial: { from: 3, length: 4 }, peek: true },
      { kind: 'BINARY[]', part: [], partial: undefined, peek: false },
      { kind: 'BINARY.SIZE[]', part: [7] },
    ]);
  });

  it('that are none are refused', () => {
    for (const text of [
      '',
      '()',
      '(FAST)',
      '(FLAGS',
      'FLAGS)',
      'FLAGS UID',
      'CONSTRUCTOR',
      'BODY[',
      'BODY.PEEK',
      'BODYSTRUCTURE[]',
      'RFC822.PEEK',
      'BODY[0]',
      'BODY[1.]',
      'BODY[.1]',
      'BODY[1..2]',
      'BODY[MIME]',
      'BODY[1.HEADERS]',
      'BODY[HEADER.FIELDS]',
      'BODY[HEADER.FIELDS ()]',
      'BODY[HEADER.FIELDS (a]',
      'BODY[TEXT.1]',
      'BODY[]<0>',
      'BODY[]<0.0>',
      'BODY[]<-1.2>',
      'BODY[]<1.2',
      'BINARY[1.MIME]',
      'BINARY.SIZE[1]<0.1>',
      'PREVIEW (EAGER)',
      `BODY[${'1.'.repeat(200)}1]`,
      `(${'UID '.repeat(300)}UID)`,
      `BODY[HEADER.FIELDS (${'a '.repeat(300)}a)]`,
    ])
      refuses(readFetchItems, text);
  });
});

describe('sections', () => {
  it('name a part and a text of it', () => {
    for (const [text, part, kind] of [
      ['BODY[]', [], 'all'],
      ['BODY[HEADER]', [], 'header'],
      ['BODY[TEXT]', [], 'text'],
      ['BODY[4.2.2.1]', [4, 2, 2, 1], 'all'],
      ['BODY[1.MIME]', [1], 'mime'],
      ['BODY[4.1.MIME]', [4, 1], 'mime'],
      ['BODY[3.HEADER]', [3], 'header'],
      ['BODY[3.TEXT]', [3], 'text'],
    ] as const) {
      const item = section(text);
      assert.deepEqual(
        [item.section.part, item.section.text.kind, item.name, item.peek],
        [part, kind, text, false],
      );
    }
  });

  it('may be a slice, named by where it begins (RFC 9051 6.4.5.1)', () => {
    const item = section('body.peek[3.text]<10.200>');
    assert.deepEqual(
      [item.partial, item.name, item.peek],
      [{ from: 10, length: 200 }, 'BODY[3.TEXT]<10>', true],
    );
  });

  it('may be some fields, named again in the answer', () => {
    const item = section('BODY[HEADER.FIELDS.NOT (Subject "x-a b" nil)]');
    assert.deepEqual(item.section.text, {
      kind: 'header-fields',
      not: true,
      names: ['Subject', 'x-a b', 'nil'],
    });
    assert.equal(item.name, 'BODY[HEADER.FIELDS.NOT (SUBJECT "x-a b" "nil")]');
    assert.equal(section('BODY[2.HEADER.FIELDS (To)]').name, 'BODY[2.HEADER.FIELDS (TO)]');
  });

  it('whose field names are odd keep the answer whole', () => {
    const { name } = section('BODY[HEADER.FIELDS (', { literal: 'a"\r\n* BYE' }, ')]');
    assert.equal(name, 'BODY[HEADER.FIELDS ({9}\r\na"\r\n* BYE)]');
  });

  it('have old names (RFC 3501 6.4.5)', () => {
    const all = read('(RFC822 RFC822.HEADER RFC822.TEXT)').map((item) =>
      item.kind === 'BODY[]' ? [item.name, item.section.text.kind, item.peek] : [],
    );
    assert.deepEqual(all, [
      ['RFC822', 'all', false],
      ['RFC822.HEADER', 'header', true],
      ['RFC822.TEXT', 'text', false],
    ]);
  });
});

describe('what FETCH asks for', () => {
  it('is read or refused, and its answer can be read, whatever it holds', () => {
    const words = [
      '(',
      ')',
      ' ',
      'BODY',
      'BODY.PEEK',
      'BINARY',
      '.SIZE',
      '[',
      ']',
      '<0.1>',
      '1',
      '.',
      'HEADER.FIELDS',
      '.NOT',
      ' (',
      'a',
      '"',
      'MIME',
      'TEXT',
      'UID',
      'FLAGS',
      'PREVIEW',
      ' (LAZY)',
      'ALL',
    ];
    fuzz(readFetchItems, [...words, 'BODY[HEADER.FIELDS (', 'BODY[1.'], (items) => {
      for (const item of items) {
        if (item.kind !== 'BODY[]') continue;
        const fields = /^BODY\[[0-9.]*HEADER\.FIELDS(?:\.NOT)? (\(.*\))\](?:<[0-9]+>)?$/s.exec(
          item.name,
        )?.[1];
        if (fields !== undefined) assert.equal(readData(fields).length, 1);
        else assert.match(item.name, /^(?:RFC822(?:\.[A-Z]+)?|BODY\[[A-Z0-9.]*\](?:<[0-9]+>)?)$/);
      }
    });
  });
});
