import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { summarise } from '../../src/mailstore/index.js';
import { Rope } from '../../src/rope/index.js';
import { type Data, readData } from './imap-data.js';
import { bodyMeant, extensionsAt, goldenOf } from './imap-listing.js';

const listed = async (message: Buffer) => (await summarise(Rope.of(message))).summary;

describe('ENVELOPE (RFC 9051 7.5.2)', () => {
  for (const { name, message, expected } of goldenOf('envelopes.txt')) {
    it(name, async () => {
      assert.deepEqual(readData((await listed(message)).envelope), readData(expected));
    });
  }
});

describe('BODYSTRUCTURE (RFC 9051 7.5.2)', () => {
  for (const { name, message, expected } of goldenOf('structures.txt')) {
    it(name, async () => {
      assert.deepEqual(bodyMeant((await listed(message)).bodyStructure), bodyMeant(expected));
    });
  }
});

/** What BODY has of a BODYSTRUCTURE. */
function withoutExtensions(structure: Data): Data {
  assert.ok(Array.isArray(structure));
  const items = structure as Data[];
  const end = extensionsAt(items);
  assert.ok(end !== undefined && end > 0, `a body is ${JSON.stringify(items)}`);
  return items.slice(0, end).map((item, at) => {
    const isPart = Array.isArray(items[0]) || (at === 8 && Array.isArray(items[7]));
    return isPart && Array.isArray(item) ? withoutExtensions(item) : item;
  });
}

const lines = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        'Content-Type: multipart/mixed; boundary=x',
        'Content-Type: multipart/digest; boundary="y"',
        'Content-Type: message/rfc822',
        'Content-Type: message/global; x="a\\"b"',
        'Content-Type: text/html; charset=utf-8; name*0="a"; name*1*=%e9',
        'Content-Type: multipart/alternative',
        'Content-Type: "\0/\xe9',
        'Content-Transfer-Encoding: base64',
        'Content-Transfer-Encoding: (x)"\0',
        'Content-Disposition: attachment; filename="\xe9\0\x80\\"',
        'Content-Language: it, en,, \0',
        'Content-ID: <\0>',
        'From: "a\0b" <@r\r:x@y>, z: a;, (c',
        'To: <<a@b>>,,;:@',
        'Subject: a\0\xff',
        '--x',
        '--y',
        '--x--',
        '--y--',
        '',
        '',
      ),
      fc.string({ unit: 'binary-ascii', maxLength: 20 }),
    ),
    { maxLength: 40 },
  )
  .map((all) => Buffer.from(all.join('\r\n'), 'latin1'));

describe('any message', () => {
  it('has a listing that a client can read', async () => {
    const property = fc.asyncProperty(lines, async (message) => {
      const { envelope, body, bodyStructure } = await listed(message);
      const [fields] = readData(envelope);
      assert.equal(Array.isArray(fields) && fields.length, 10);
      const [structure = null, ...more] = readData(bodyStructure);
      assert.equal(more.length, 0);
      assert.deepEqual(readData(body), [withoutExtensions(structure)]);
    });
    await fc.assert(property, { numRuns: 400 });
  });

  it('has one however deep it is, and however many addresses it has', async () => {
    const deep = Array.from(
      { length: 300 },
      (_, at) => `Content-Type: multipart/mixed; boundary=b${at}\r\n\r\n--b${at}\r\n`,
    );
    const carried = 'Content-Type: message/rfc822\r\n\r\n'.repeat(300);
    const many = `To: ${'a@b,'.repeat(30_000)}\r\n\r\n`;
    const groups = `To: ${'g:;'.repeat(30_000)}\r\n\r\n`;
    for (const message of [deep.join(''), carried, many, groups]) {
      const { envelope, bodyStructure } = await listed(Buffer.from(message));
      assert.equal(readData(envelope).length, 1);
      assert.equal(readData(bodyStructure).length, 1);
      assert.ok(envelope.length + bodyStructure.length < 200_000);
    }
  });
});
