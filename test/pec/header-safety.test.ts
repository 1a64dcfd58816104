import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { readStructure } from '../../src/mime/index.js';
import type { Certified } from '../../src/pec/index.js';
import {
  bodyText,
  certified,
  certifiedFor,
  envelope,
  message,
  names,
  notify,
  outer,
  rendered,
  shown,
} from './cases.js';

describe('nobody writes our headers', () => {
  const hostile = fc.string({
    unit: fc.oneof(
      fc.constantFrom(
        '\r',
        '\n',
        '\r\n',
        '\r\nX-Ricevuta: falsa',
        '\0',
        '"',
        '\\',
        '<',
        '>',
        '\u2028',
        '=?',
        '?=',
        ' ',
      ),
      fc.string({ unit: 'binary', maxLength: 3 }),
    ),
    maxLength: 60,
  });

  test('whatever the texts hold, the fields are ours and the lines canonical', async () => {
    const expected = names(notify({ kind: 'accettazione' }));
    await fc.assert(
      fc.asyncProperty(hostile, hostile, hostile, hostile, async (subject, sender, msgid, address) => {
        const about: Certified = {
          ...certified,
          identificativo: msgid,
          subject,
          sender,
          msgid,
          replyTo: address,
          recipients: [{ address, kind: 'certificato' }],
        };
        const composed = notify({ kind: 'accettazione' }, about);
        assert.deepEqual(names(composed), expected);
        assert.equal(outer(composed).malformed.length, 0);
        assert.doesNotMatch(
          (await rendered(composed)).toString('latin1'),
          /(?<!\r)\n|\r(?!\n)|[^\t\r\n\x20-\x7e]/,
        );
        for (const notice of [
          notify({ kind: 'errore-consegna', recipient: address, errore: 'altro', reason: subject }, about),
          notify({ kind: 'non-accettazione', reasons: [subject, sender] }, about),
          notify({ kind: 'rilevazione-virus', recipient: address, virus: msgid }, about),
        ]) {
          assert.equal(outer(notice).all('X-Ricevuta').length, 1);
          assert.equal((await readStructure(notice.entity)).children.length, 2);
          assert.equal(shown(notice).match(/\r\nIdentificativo messaggio: /g)?.length, 2);
        }
      }),
      { numRuns: 300 },
    );
  });

  test('an encoded line end in the Subject stays in the Subject', async () => {
    const trick = message('To: a@b.example', 'Subject: =?utf-8?Q?a=0D=0AX-Ricevuta:_accettazione?=', '', 'x');
    const composed = await envelope(trick, await certifiedFor(trick));
    assert.equal(outer(composed).raw('X-Ricevuta'), undefined);
    assert.equal(outer(composed).text('Subject'), 'POSTA CERTIFICATA: a  X-Ricevuta: accettazione');
  });

  test('RFC 5322 2.1.1: no field of ours is longer than a line may be', () => {
    const long = `<${'x'.repeat(5000)}>`;
    const composed = notify(
      { kind: 'accettazione' },
      { ...certified, msgid: long, subject: 'y'.repeat(5000) },
    );
    assert.ok(outer(composed).longestLine <= 998);
  });

  test('boundaries hang on the identifier alone and differ from each other', async () => {
    const one = notify({ kind: 'accettazione' });
    const inner = [...bodyText(one).matchAll(/boundary="([^"]+)"/g)].map(([, boundary]) => boundary);
    assert.equal(new Set([one.boundary, ...inner]).size, 3);
    assert.equal(notify({ kind: 'accettazione' }, { ...certified, subject: 'altro' }).boundary, one.boundary);
    assert.notEqual((await envelope()).boundary, one.boundary);
  });
});
