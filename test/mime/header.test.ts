import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Header, MimeError, readHeader } from '../../src/mime/index.js';
import { Rope } from '../../src/rope/index.js';
import { cuts, inPieces, mailBytes, sourceOf } from '../support/ropes.js';

const header = (text: string): Header => new Header(Buffer.from(text, 'latin1'));

test('fields are found by name without case, with their octets', () => {
  const text = 'X-Tiporicevuta: breve\r\nTo: a@b.it,\r\n\tc@d.it\r\nto: e@f.it\r\n\r\n';
  const read = header(text);
  assert.equal(read.raw('x-tipoRicevuta'), 'breve');
  assert.deepEqual(
    read.all('TO').map((field) => field.raw),
    ['a@b.it,\tc@d.it', 'e@f.it'],
  );
  const [to] = read.all('to');
  assert.equal(text.slice(to?.start, to?.end), 'To: a@b.it,\r\n\tc@d.it\r\n');
  assert.equal(read.raw('cc'), undefined);
  assert.equal(read.text('cc'), undefined);
  assert.equal(read.longestLine, 21);
});

test('lines that are no field are told apart', () => {
  const read = header(
    'From me Mon Jan 1\r\n continued\r\nSubject : old form\r\n: nameless\r\nè: 8-bit name\r\nTo: x\r\n\r\n',
  );
  assert.deepEqual(read.malformed, ['From me Mon Jan 1 continued', ': nameless', 'è: 8-bit name']);
  assert.deepEqual(
    read.fields.map((field) => [field.name, field.raw]),
    [
      ['Subject', 'old form'],
      ['To', 'x'],
    ],
  );
  assert.deepEqual(header(' leads\r\nTo: x\r\n\r\n').malformed, ['leads']);
});

test('a bare LF or CR ends no line', () => {
  const read = header('To: a\nBcc: b\rCc: c\r\n\r\n');
  assert.deepEqual(
    read.fields.map((field) => field.name),
    ['To'],
  );
});

test('8-bit values are UTF-8 if valid, else Latin-1, and never lose half a letter at their end', () => {
  assert.equal(
    new Header(Buffer.from('Subject: perché città\r\n\r\n', 'utf8')).text('subject'),
    'perché città',
  );
  assert.equal(header('Subject: perch\xe9\r\n\r\n').text('subject'), 'perché');
  assert.equal(header('Subject: perch\xe9\r\n\r\n').raw('subject'), 'perch\xe9');
});

test('text() decodes encoded words and stays on one line', () => {
  assert.equal(header('Subject: =?utf-8?q?a=0D=0ABcc:_x?=\r\n\r\n').text('subject'), 'a  Bcc: x');
});

test('the block ends with its blank line, or with the rope', async () => {
  const read = async (text: string): Promise<[number, number]> => {
    const found = await readHeader(Rope.of(text));
    return [found.bodyOffset, found.fields.length];
  };
  assert.deepEqual(await read('A: b\r\n\r\nC: d\r\n\r\n'), [8, 1]);
  assert.deepEqual(await read('\r\nC: d\r\n\r\n'), [2, 0]);
  assert.deepEqual(await read('A: b\r\nC: d'), [10, 2]);
  assert.deepEqual(await read('A: b\r\n'), [6, 1]);
  assert.deepEqual(await read(''), [0, 0]);
});

test('a header over the limit is refused, one at the limit is read', async () => {
  const block = `A: ${'x'.repeat(40_000)}\r\n\r\n`;
  const rope = Rope.of(sourceOf(Buffer.from(`${block}body`)));
  assert.equal((await readHeader(rope, { bytes: block.length })).bodyOffset, block.length);
  await assert.rejects(
    readHeader(rope, { bytes: block.length - 1 }),
    (error) => error instanceof MimeError && error.code === 'header-too-large',
  );
  await assert.rejects(readHeader(Rope.of('a'.repeat(300_000))), MimeError);
});

test('property: fields and malformed lines give back every octet of the block', async () => {
  await fc.assert(
    fc.asyncProperty(mailBytes, cuts, async (bytes, places) => {
      const read = await readHeader(inPieces(bytes, places));
      assert.deepEqual(read.bytes, bytes.subarray(0, read.bodyOffset));
      const logical = read.bytes
        .toString('latin1')
        .split(/\r\n(?![ \t])/)
        .filter((line) => line !== '');
      assert.equal(read.fields.length + read.malformed.length, logical.length);
      const kept = read.fields.map((field) => read.bytes.toString('latin1', field.start, field.end));
      assert.ok(kept.every((text) => logical.includes(text.replace(/\r\n$/, ''))));
    }),
  );
});

test('property: well-formed fields stand side by side from the first octet to the blank line', () => {
  const name = fc.stringMatching(/^[!-9;-~]{1,12}$/);
  const value = fc.stringMatching(/^(?:[ -~\xa0-\xff]{0,20}\r\n[ \t]){0,3}[ -~\xa0-\xff]{0,20}$/);
  fc.assert(
    fc.property(fc.array(fc.tuple(name, value), { maxLength: 8 }), (pairs) => {
      const text = `${pairs.map(([each, content]) => `${each}:${content}\r\n`).join('')}\r\n`;
      const read = header(text);
      assert.equal(`${read.fields.map((field) => text.slice(field.start, field.end)).join('')}\r\n`, text);
      assert.deepEqual(
        read.fields.map((field) => field.name),
        pairs.map(([each]) => each),
      );
      assert.deepEqual(read.malformed, []);
    }),
  );
});
