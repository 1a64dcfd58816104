import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { imapNString, imapString, octetsText, utf8Octets } from '../../src/wire/imap/index.js';
import { readData } from './imap-data.js';

describe('strings to a client', () => {
  it('are quoted where they can be (RFC 9051 4.3)', () => {
    assert.equal(imapString(''), '""');
    assert.equal(imapString('Perche "no"?\\'), '"Perche \\"no\\"?\\\\"');
    assert.equal(imapString('a\tb'), '"a\tb"');
    assert.equal(imapNString(undefined), 'NIL');
    assert.equal(imapNString('NIL'), '"NIL"');
  });

  it('are literals with line ends, 8-bit octets, or great length', () => {
    assert.equal(imapString('a\r\nb'), '{4}\r\na\r\nb');
    assert.equal(imapString('perch\xe9'), '{6}\r\nperch\xe9');
    assert.equal(imapString('x'.repeat(1000)), `"${'x'.repeat(1000)}"`);
    assert.equal(imapString('x'.repeat(1001)), `{1001}\r\n${'x'.repeat(1001)}`);
  });

  it('never have NUL (RFC 9051 9, CHAR8)', () => {
    assert.equal(imapString('a\0b'), '{3}\r\na b');
  });

  it('are read as what they were', () => {
    const octets = fc.uint8Array({ maxLength: 60 }).map((all) => Buffer.from(all).toString('latin1'));
    fc.assert(
      fc.property(octets, (text) => {
        assert.deepEqual(readData(imapString(text)), [{ string: text.replaceAll('\0', ' ') }]);
      }),
    );
  });
});

describe('octets as text', () => {
  it('are UTF-8 where they are, else Latin-1', () => {
    assert.equal(octetsText(Buffer.from('perché')), 'perché');
    assert.equal(octetsText(Buffer.from('perch\xe9', 'latin1')), 'perché');
    assert.equal(octetsText(Buffer.from('\ufffd')), '\ufffd');
    assert.equal(utf8Octets('é'), '\xc3\xa9');
  });

  it('come back from their UTF-8', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        assert.equal(octetsText(Buffer.from(utf8Octets(text), 'latin1')), text);
      }),
    );
  });
});
