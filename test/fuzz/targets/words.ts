import assert from 'node:assert/strict';
import { decodeWords, encodePhrase, encodeSubject, Header, parseAddresses } from '../../../src/mime/index.js';
import { assertOneLine } from '../expect.js';
import type { Target } from '../target.js';
import { messageWords } from '../words.js';

const unfolded = (text: string): string => text.replace(/\r\n(?=[ \t])/g, '');

/** RFC 5322 2.1.1, and nothing that would begin a field of its own. */
function assertWritten(text: string): void {
  assert.ok(/^[\x20-\x7e\r\n]*$/.test(text), 'not ASCII');
  assert.ok(!/[\r\n]/.test(unfolded(text)), 'a line end that is no folding');
  for (const line of text.split('\r\n')) assert.ok(line.length <= 998, 'a line too long');
}

export const target: Target = {
  corpus: ['words'],
  covers: ['src/mime/words', 'src/mime/fold', 'src/mime/charset'],
  words: [...messageWords, '=?utf-8?b?', '=?iso-2022-jp?b?GyRC?=', '?=', '=?', '=?utf-16?q?', '*it?'],
  longest: 4096,
  run(input) {
    decodeWords(input.toString('latin1'));
    const header = new Header(Buffer.concat([Buffer.from('Subject: '), input]));
    const shown = header.text('subject') ?? '';
    assertOneLine(shown);
    const text = input.toString('utf8');
    // A subject is on one line before it is written.
    const subject = text.replace(/[\0-\x1f\x7f]/g, ' ');
    const written = encodeSubject('POSTA CERTIFICATA:', subject);
    assertWritten(written);
    assert.equal(
      decodeWords(unfolded(written)).replace(/^POSTA CERTIFICATA: ?/, ''),
      subject,
      'a subject that is another when read again',
    );
    const phrase = encodePhrase(subject);
    assertWritten(phrase);
    const [mailbox] = parseAddresses(`${unfolded(phrase)} <a@b.example>`).mailboxes;
    assert.equal(mailbox?.name.trim(), subject.trim(), 'a name that is another when read again');
  },
};
