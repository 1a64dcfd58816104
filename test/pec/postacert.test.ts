import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Header, readHeader } from '../../src/mime/index.js';
import { composePostacert, originalMessageId } from '../../src/pec/index.js';
import { Rope, type Source } from '../../src/rope/index.js';
import {
  certifiedFor,
  daticertOf,
  envelope,
  headerOf,
  id,
  message,
  notify,
  original,
  outer,
  receivedLine,
} from './cases.js';

const postacertOf = async (from: Rope) =>
  composePostacert({
    original: from,
    header: await headerOf(from),
    identificativo: id('busta'),
    received: receivedLine,
  });

describe('postacert.eml', () => {
  test('decisions 15: Message-ID gives way to the PEC msgid, the old one is referred to', async () => {
    const { rope, header } = await postacertOf(original);
    const read = await readHeader(rope);
    assert.deepEqual(read.bytes, header);
    assert.deepEqual(
      read.all('Message-ID').map(({ raw }) => raw),
      [`<${id('busta')}>`],
    );
    assert.deepEqual(
      read.all('X-Riferimento-Message-ID').map(({ raw }) => raw),
      ['<cliente.42@casa.example>'],
    );
    assert.deepEqual(
      read.fields.slice(-2).map(({ name }) => name),
      ['Message-ID', 'X-Riferimento-Message-ID'],
    );
  });

  test('decisions 15: without a Message-ID there is neither X-Riferimento nor msgid', async () => {
    const bare = message(
      'From: a@b.example',
      'X-Riferimento-Message-ID: <finto@x.example>',
      'To: c@d.example',
      '',
      'x',
    );
    const read = await readHeader((await postacertOf(bare)).rope);
    assert.equal(read.raw('X-Riferimento-Message-ID'), undefined);
    const about = await certifiedFor(bare);
    assert.equal(about.msgid, undefined);
    for (const composed of [await envelope(bare, about), notify({ kind: 'accettazione' }, about)]) {
      assert.equal(outer(composed).raw('X-Riferimento-Message-ID'), undefined);
      assert.doesNotMatch(daticertOf(composed), /<msgid>/);
    }
  });

  test('decisions 15: doubled Message-IDs collapse, the first is kept as reference', async () => {
    const doubled = message(
      'Message-ID: <1@x.example>',
      'From: a@b.example',
      'message-id:\r\n <2@x.example>',
      '',
      'x',
    );
    const read = await readHeader((await postacertOf(doubled)).rope);
    assert.deepEqual(
      read.all('Message-ID').map(({ raw }) => raw),
      [`<${id('busta')}>`],
    );
    assert.equal(read.raw('X-Riferimento-Message-ID'), '<1@x.example>');
  });

  test("decisions 15: everything else is the user's, byte for byte, an inner DKIM signature too", async () => {
    const lines = [
      'DKIM-Signature: v=1; b=abc',
      '  def',
      'X-Strano :valore ',
      'To:c@d.example',
      'Subject: \xe8\xe9',
    ];
    const odd = Rope.of(`${lines.join('\r\n')}\r\n\r\ncorpo \xff`);
    const { rope } = await postacertOf(odd);
    const text = (await rope.bytes()).toString('latin1');
    assert.equal(
      text,
      `${receivedLine}${lines.join('\r\n')}\r\nMessage-ID: <${id('busta')}>\r\n\r\ncorpo \xff`,
    );
  });

  test('the body is the same slice, never copied', async () => {
    const source: Source = {
      length: (await original.bytes()).length,
      read: async (offset, length) => (await original.bytes()).subarray(offset, offset + length),
    };
    const { rope } = await postacertOf(Rope.of(source));
    const last = rope.segments.at(-1);
    assert.ok(last !== undefined && 'source' in last && last.source === source);
    const composed = await envelope(Rope.of(source));
    assert.ok(composed.entity.segments.some((segment) => 'source' in segment && segment.source === source));
  });

  test('a message with no body, no header or no final line end', async () => {
    const head = `${receivedLine}Message-ID: <${id('busta')}>\r\n`;
    for (const [text, expected] of [
      ['To: a@b.example', `${receivedLine}To: a@b.example\r\nMessage-ID: <${id('busta')}>\r\n\r\n`],
      ['To: a@b.example\r\n', `${receivedLine}To: a@b.example\r\nMessage-ID: <${id('busta')}>\r\n\r\n`],
      ['\r\ncorpo', `${head}\r\ncorpo`],
      ['', `${head}\r\n`],
    ] as const) {
      assert.equal((await (await postacertOf(Rope.of(text))).rope.bytes()).toString('latin1'), expected);
    }
  });

  test('decisions 15: what a client may write as Message-ID', () => {
    const of = (value: string) =>
      originalMessageId(new Header(Buffer.from(`Message-ID: ${value}\r\n\r\n`, 'latin1')));
    assert.equal(of('<a@b>'), '<a@b>');
    assert.equal(of('  <a@b> (commento)'), '<a@b>');
    assert.equal(of('a@b'), '<a@b>');
    assert.equal(of('<\xe8@b>'), '<?@b>');
    assert.equal(of(''), undefined);
    assert.equal(of('<>'), undefined);
    assert.equal(of('due parole'), undefined);
    assert.equal(of(`<${'a'.repeat(991)}>`), undefined);
  });
});
