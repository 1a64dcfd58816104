import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Header, readStructure } from '../../src/mime/index.js';
import { classify, isEightBit, readEnvelope, readNotification, replyToOf } from '../../src/pec/index.js';
import { Rope } from '../../src/rope/index.js';
import {
  anomaly,
  bodyText,
  certified,
  certifiedFor,
  daticertOf,
  envelope,
  everyKind,
  headerOf,
  id,
  message,
  names,
  notify,
  original,
  outer,
  receivedLine,
  rendered,
  shown,
} from './cases.js';

describe('every kind', async () => {
  const kinds = await everyKind();

  test('RFC 6109 4.3: the entity is what form checks want', async () => {
    for (const [name, composed] of kinds) {
      const header = new Header(Buffer.concat([outer(composed).bytes.subarray(0, -2), SIGNED]));
      const classified = classify(header);
      if (classified.kind === 'notification') {
        assert.deepEqual((await readNotification(header, composed.entity)).faults, [], name);
      } else if (classified.kind === 'envelope') {
        assert.deepEqual((await readEnvelope(header, composed.entity, certified.sender)).faults, [], name);
      } else {
        assert.equal(name, 'anomalia');
        assert.equal(classified.kind, 'anomaly');
      }
    }
  });

  test('RFC 6109 4.3: canonical, 7-bit, no line over 76 but those of headers', async () => {
    for (const [name, composed] of kinds) {
      const text = (await rendered(composed)).toString('latin1');
      assert.doesNotMatch(text, /(?<!\r)\n|\r(?!\n)|[^\t\r\n\x20-\x7e]/, name);
      assert.ok(!text.includes(`--${composed.boundary}`), name);
      assert.equal(outer(composed).malformed.length, 0);
    }
  });

  test('decisions 29: the HTML has no style, image, link or script', () => {
    for (const [name, composed] of kinds) {
      const html = /<html>[\s\S]*?<\/html>/.exec(shown(composed))?.[0] ?? '';
      assert.notEqual(html, '', name);
      assert.doesNotMatch(html, /<(?!\/?(?:html|head|title|body|h3|hr|br)>)/, name);
    }
  });

  test('decisions 29: the original stays out of all but the envelope, the anomaly and complete or brief receipts', async () => {
    const holders = ['busta', 'anomalia', 'consegna-completa', 'consegna-breve'];
    for (const [name, { entity }] of kinds) {
      const parts = (await readStructure(entity)).children.map(({ fileName }) => fileName);
      assert.equal(parts.includes('postacert.eml'), holders.includes(name), name);
      assert.equal(parts.includes('daticert.xml'), name !== 'anomalia', name);
    }
  });

  test('pec-format 1.1: no display name, Sender, Return-Path or Reply-To on receipts', () => {
    for (const [name, composed] of kinds) {
      const found = names(composed);
      assert.ok(!found.includes('Sender') && !found.includes('Return-Path'), name);
      assert.ok(!found.includes('MIME-Version') && !found.includes('Content-Type'), name);
      if (name === 'busta' || name === 'anomalia') continue;
      assert.equal(outer(composed).raw('From'), 'posta-certificata@gestore.example');
      assert.ok(!found.includes('Reply-To'), name);
    }
  });
});

const SIGNED = Buffer.from(
  'MIME-Version: 1.0\r\nContent-Type: multipart/signed; protocol="application/pkcs7-signature"; boundary="b"\r\n\r\n',
);

describe('texts', () => {
  const recipient = 'mario.rossi@comune.example';

  test('decisions 10: the second notice speaks of twenty-four hours, as errore-esteso 5.4.1 does', () => {
    const second = notify({ kind: 'preavviso-errore-consegna', recipient, step: '24h' });
    assert.equal(
      outer(second).raw('Subject'),
      `AVVISO DI MANCATA CONSEGNA PER SUP. TEMPO MASSIMO: ${certified.subject}`,
    );
    assert.match(shown(second), /non è stato consegnato nelle ventiquattro ore successive al suo invio\./);
    assert.match(
      shown(notify({ kind: 'preavviso-errore-consegna', recipient, step: '12h' })),
      /nelle prime dodici ore dal suo invio\. Non escludendo/,
    );
  });

  test('decisions 11: the reason stands in text and errore-esteso alike', () => {
    const reason = '5.1.2 - Ceralacca - dominio non valido';
    const notice = notify({ kind: 'errore-consegna', recipient, errore: 'no-dominio', reason });
    assert.ok(shown(notice).includes(`è stato rilevato un errore ${reason}.`));
    assert.ok(daticertOf(notice).includes(`<errore-esteso>${reason}</errore-esteso>`));
    assert.ok(daticertOf(notice).includes('errore="no-dominio"'));
  });

  test('decisions 28: a Cc recipient gets a concise receipt that names the kind asked for', () => {
    const notice = notify({ kind: 'avvenuta-consegna', recipient, receipt: 'completa', form: 'sintetica' });
    assert.match(shown(notice), /Ricevuta sintetica di avvenuta consegna/);
    assert.match(daticertOf(notice), /<ricevuta tipo="completa" \/>/);
    assert.doesNotMatch(bodyText(notice), /message\/rfc822/);
  });

  test('decisions 28: the complete and the brief form never go without the original', () => {
    for (const form of ['completa', 'breve'] as const) {
      assert.throws(() => notify({ kind: 'avvenuta-consegna', recipient, receipt: form, form }), RangeError);
    }
  });

  test('decisions 18: outside Latin-1 `?` in plain, numeric entity in HTML', () => {
    const subject = 'Perché Ω 😀 €\ud800 <b>"&</b>';
    const notice = notify({ kind: 'accettazione' }, { ...certified, subject });
    assert.ok(shown(notice).includes('"Perché ? ? ?? <b>"&</b>" proveniente da'));
    assert.ok(
      shown(notice).includes(
        '&quot;Perché &#937; &#128512; &#8364;&#65533; &lt;b&gt;&quot;&amp;&lt;/b&gt;&quot; proveniente da',
      ),
    );
    assert.equal(outer(notice).text('Subject'), 'ACCETTAZIONE: Perché Ω 😀 €\ufffd <b>"&</b>');
  });

  test('decisions 18: an ASCII subject is prefixed as it stands', () => {
    for (const subject of ['Re: prova', 'a'.repeat(500), 'uno  due', 'R: "x"; (y) <z@w.example>']) {
      assert.equal(
        outer(notify({ kind: 'accettazione' }, { ...certified, subject })).raw('Subject'),
        `ACCETTAZIONE: ${subject}`,
      );
    }
    assert.equal(
      outer(notify({ kind: 'accettazione' }, { ...certified, subject: '' })).raw('Subject'),
      'ACCETTAZIONE:',
    );
  });

  test('decisions 1: a presa in carico names the recipients of its transaction', () => {
    const notice = notify({ kind: 'presa-in-carico', recipients: [recipient] });
    assert.ok(shown(notice).includes(`ed indirizzato a:\r\n${recipient}\r\nè stato accettato dal sistema.`));
    assert.equal(daticertOf(notice).match(/<ricezione>/g)?.length, 1);
    assert.equal(daticertOf(notice).match(/<destinatari /g)?.length, 3);
  });

  test('RFC 6109 3.1.3, 3.2.3, 3.2.4: the markers of a virus', () => {
    const virus = 'Eicar-Test-Signature';
    assert.equal(outer(notify({ kind: 'non-accettazione', virus })).raw('X-VerificaSicurezza'), 'errore');
    assert.equal(
      outer(notify({ kind: 'errore-consegna', recipient, virus })).raw('X-VerificaSicurezza'),
      'errore',
    );
    const detected = outer(notify({ kind: 'rilevazione-virus', recipient, virus }));
    assert.equal(detected.raw('X-VerificaSicurezza'), undefined);
    assert.equal(detected.raw('X-Mittente'), certified.sender);
  });
});

describe('envelope', () => {
  test('decisions 16: Received, To, Cc, Reply-To byte for byte and the mandated fields, nothing else', async () => {
    const marked = message(
      'Received: uno',
      'X-Mittente: falso@x.example',
      'X-Ricevuta: avvenuta-consegna',
      'X-Trasporto: errore',
      'X-VerificaSicurezza: errore',
      'Sender: altro@x.example',
      'Return-Path: <altro@x.example>',
      'DKIM-Signature: v=1',
      'X-Priority: 1',
      'To: "A;\\"B" <a@b.example>,',
      ' \t c@d.example (nota)',
      'CC:x@y.example',
      'Reply-To:   r@s.example,',
      '\tt@u.example',
      'From: anna.bianchi@studio.example',
      '',
      'x',
    );
    const composed = await envelope(marked, await certifiedFor(marked));
    const text = composed.header.toString('latin1');
    assert.ok(text.startsWith(`${receivedLine}Received: uno\r\nSubject: `));
    assert.ok(
      text.includes('\r\nTo: "A;\\"B" <a@b.example>,\r\n \t c@d.example (nota)\r\nCC:x@y.example\r\n'),
    );
    assert.ok(text.includes('\r\nReply-To:   r@s.example,\r\n\tt@u.example\r\n'));
    assert.deepEqual([...new Set(names(composed))].sort(), [
      'CC',
      'Date',
      'From',
      'Message-ID',
      'Received',
      'Reply-To',
      'Subject',
      'To',
      'X-TipoRicevuta',
      'X-Trasporto',
    ]);
    assert.equal(outer(composed).raw('X-Trasporto'), 'posta-certificata');
    assert.equal(
      outer(composed).raw('From'),
      '"Per conto di: anna.bianchi@studio.example" <posta-certificata@gestore.example>',
    );
    assert.equal(outer(composed).raw('Message-ID'), `<${id('busta')}>`);
  });

  test('decisions 16: Reply-To is inserted where there is none', async () => {
    assert.equal(outer(await envelope()).raw('Reply-To'), certified.sender);
    const empty = message('To: a@b.example', 'Reply-To: ', '', 'x');
    assert.deepEqual(
      outer(await envelope(empty, await certifiedFor(empty)))
        .all('Reply-To')
        .map(({ raw }) => raw),
      [certified.sender],
    );
  });

  test('RFC 6109 4.4: `risposte` is the addresses of Reply-To', async () => {
    assert.equal(replyToOf(await headerOf(original)), undefined);
    const replies = message('Reply-To: "R, S" <r@s.example>, t@u.example', '', '');
    assert.equal(replyToOf(await headerOf(replies)), 'r@s.example, t@u.example');
  });

  test('decisions 17: an 8-bit original is labelled, not recoded', async () => {
    const eight = Rope.of('To: a@b.example\r\nSubject: x\r\n\r\nperch\xe9\r\n');
    assert.equal(await isEightBit(eight), true);
    assert.equal(await isEightBit(original), false);
    const composed = await envelope(eight, await certifiedFor(eight));
    const { header, children } = await readStructure(composed.entity);
    assert.equal(header.raw('Content-Transfer-Encoding'), '8bit');
    assert.equal(children[2]?.header.raw('Content-Transfer-Encoding'), '8bit');
    assert.equal(outer(composed).raw('Content-Transfer-Encoding'), '8bit');
    assert.ok((await composed.entity.bytes()).includes(Buffer.from('\r\n\r\nperch\xe9\r\n', 'latin1')));
    assert.equal(outer(await envelope()).raw('Content-Transfer-Encoding'), undefined);
  });
});

describe('anomaly', () => {
  test('RFC 6109 3.2.2: it inherits Received, To, Cc and Message-ID, and holds the whole message', async () => {
    const composed = await anomaly();
    const header = outer(composed);
    for (const name of ['Received', 'To', 'Cc', 'Message-ID']) {
      assert.equal(header.raw(name), (await headerOf(original)).raw(name));
    }
    assert.equal(header.raw('X-Trasporto'), 'errore');
    assert.equal(header.raw('X-Riferimento-Message-ID'), undefined);
    const part = (await readStructure(composed.entity)).children.at(-1);
    assert.deepEqual(
      await composed.entity.slice(part?.bodyStart ?? 0, part?.end).bytes(),
      await original.bytes(),
    );
  });

  test('decisions 22: a DSN has no reverse path; its author is named', async () => {
    const dsn = message(
      'From: MAILER-DAEMON@mx.example',
      'To: a@b.example',
      'Reply-To: x@mx.example',
      '',
      'x',
    );
    const header = outer(await anomaly(dsn, ''));
    assert.equal(
      header.raw('From'),
      '"Per conto di: MAILER-DAEMON@mx.example" <posta-certificata@gestore.example>',
    );
    assert.equal(header.raw('Reply-To'), 'x@mx.example');
    assert.equal(header.raw('Message-ID'), `<${id('anomalia')}>`);
    const nobody = outer(await anomaly(message('To: a@b.example', '', 'x'), ''));
    assert.equal(nobody.raw('Reply-To'), undefined);
    assert.equal(nobody.raw('From'), '"Per conto di: " <posta-certificata@gestore.example>');
  });
});
