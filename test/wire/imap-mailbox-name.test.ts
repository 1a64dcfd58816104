import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { readMailboxName, writeMailboxName } from '../../src/wire/imap/index.js';
import { decodeUtf7 } from '../../src/wire/imap/mailbox-name.js';
import { readWhole } from './imap-fuzz.js';

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');
const read = (text: string, utf8 = false): string => readMailboxName(bytes(text), utf8);
const NOWHERE = '\ufffd';

describe('modified UTF-7 (RFC 3501 5.1.3)', () => {
  it('is that of the examples', () => {
    for (const [wire, name] of [
      ['~peter/mail/&U,BTFw-/&ZeVnLIqe-', '~peter/mail/台北/日本語'],
      ['&Jjo-!', '☺!'],
      ['&U,BTF2XlZyyKng-', '台北日本語'],
      ['Posta inviata', 'Posta inviata'],
      ['Ricevute &- diffide', 'Ricevute & diffide'],
      ['Perch&AOk-', 'Perché'],
      ['&2D3eAA-', '😀'],
    ] as const) {
      assert.equal(read(wire), name);
      assert.equal(
        readWhole((scanner) => scanner.astring().toString('latin1'), writeMailboxName(name, false)),
        wire,
      );
    }
  });

  it('has one form for each name: others are nowhere', () => {
    for (const wire of [
      '&Jjo!', // the example of RFC 3501: not ended
      '&U,BTFw-&ZeVnLIqe-', // the example of RFC 3501: a superfluous shift
      'a&',
      '&AGE-', // what could stand plainly
      '&AOkAYQ-',
      '&AOk=-', // padding
      '&AO-',
      '&A-',
      '&AOl-', // bits beyond the last character
      '&U/BT-',
      '&2D0-', // half of a character
      '&3gDYPQ-',
      'a\tb',
      'a\x7f',
      'a\0',
      '&AAk-',
    ])
      assert.ok(read(wire).includes(NOWHERE), wire);
  });

  it('comes back for every name', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 40 }), fc.boolean(), (text, utf8) => {
        const name = readMailboxName(Buffer.from(text), true);
        const wire = readWhole((scanner) => scanner.astring(), ...onWire(writeMailboxName(name, utf8)));
        assert.equal(readMailboxName(wire, utf8), name);
      }),
    );
  });

  it('is the only spelling that is read', () => {
    const letter = fc.constantFrom(...'&-ABEk,/+=U9 a!'.split(''));
    fc.assert(
      fc.property(fc.array(letter, { maxLength: 12 }), (letters) => {
        const wire = letters.join('');
        const name = decodeUtf7(wire);
        if (!read(wire).includes(NOWHERE) && name === name.normalize('NFC'))
          assert.equal(
            readWhole((scanner) => scanner.astring().toString('latin1'), writeMailboxName(read(wire), false)),
            wire,
          );
      }),
      { numRuns: 2000 },
    );
  });
});

/** A written name as the pieces a scanner reads. */
function onWire(written: string): (string | { literal: string })[] {
  const literal = /^\{[0-9]+\}\r\n/.exec(written);
  return literal === null ? [written] : [{ literal: written.slice(literal[0].length) }];
}

describe('names in UTF-8 (RFC 6855)', () => {
  it('stand as they are, the ampersand too', () => {
    assert.equal(writeMailboxName('R & D', true), '"R & D"');
    assert.equal(read('R & D', true), 'R & D');
    assert.equal(writeMailboxName('Perché "no"', true), '"Perch\xc3\xa9 \\"no\\""');
    assert.equal(read('Perch\xc3\xa9', true), 'Perché');
  });

  it('are taken from a client that never asked', () => {
    assert.equal(read('Perch\xc3\xa9'), 'Perché');
    assert.equal(read('Perch\xe9'), `Perch${NOWHERE}`);
  });

  it('have one spelling for every client (RFC 5198)', () => {
    assert.equal(read('Perche\xcc\x81', true), 'Perché');
    assert.equal(read('Perche&AwE-'), 'Perché');
    // U+F949, a compatibility ideograph whose normal form is another letter
    assert.equal(read('&+Uk-'), '\u96f7');
  });
});

describe('INBOX', () => {
  it('is INBOX in any case, and what stands under it', () => {
    assert.equal(read('inBox'), 'INBOX');
    assert.equal(read('inbox/Figli'), 'INBOX/Figli');
    assert.equal(read('Inboxes'), 'Inboxes');
    assert.equal(read('a/inbox'), 'a/inbox');
  });

  it('and NIL are written so that they are no other thing', () => {
    assert.equal(writeMailboxName('INBOX', false), 'INBOX');
    assert.equal(writeMailboxName('nil', false), '"nil"');
    assert.equal(writeMailboxName('', true), '""');
  });
});
