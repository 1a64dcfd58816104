import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import { daticertXml, dtdFault, postacertOf, readableText, said } from '../e2e/reading.js';
import { EICAR } from '../support/eicar.js';
import { field } from '../support/inbox.js';
import { aboutId, label, labels, opensslComplaint, signatureFaults } from '../support/notices.js';
import { sharedPair } from '../support/pair.js';
import { DAY, HOUR, type Point, type Sending, type Stored } from '../support/points.js';
import { needs } from '../support/programs.js';
import { inTheClear, quarantined } from '../support/quarantined.js';

/** The one notice about a submission, in the mailbox of who sent it. */
async function noticeOf(point: Point, id: string, mailbox = point.address('anna')): Promise<Stored> {
  const [notice, ...others] = aboutId(await point.inbox(mailbox), id);
  assert.ok(notice);
  assert.deepEqual(labels(others), []);
  return notice;
}

/** The envelope of a message, as it waits in the queue. */
async function queuedEnvelope(point: Point, id: string): Promise<Stored> {
  const row = (await point.queue()).find(({ identificativo }) => identificativo === id);
  assert.ok(row, 'a queued envelope');
  const bytes = await (await point.store.open(row.contentId)).bytes(64 * 1024 * 1024);
  return point.asStored(bytes);
}

describe('access point: what is accepted', () => {
  const here = sharedPair();

  it('decisions 2: a 250 leaves one accettazione, one envelope row a recipient, tracking with its deadlines', async () => {
    const { alfa, beta, clock } = here();
    const [anna, bruno, ext] = [alfa.address('anna'), beta.address('bruno'), 'mario@gmail.example'];
    const id = await alfa.submit({ from: anna, to: [bruno, ext], subject: 'Un oggetto' });
    assert.match(id, /^ceralacca1\.\d{14}\.[0-9a-z]+@pec\.alfa\.example$/);
    const notice = await noticeOf(alfa, id);
    assert.equal(label(notice), 'accettazione');
    assert.deepEqual(notice.flags, ['$Accettazione']);
    assert.match(notice.bytes.toString('latin1'), /^Return-Path: <posta-certificata@pec\.alfa\.example>\r\n/);
    const rows = (await alfa.queue()).filter((row) => row.identificativo === id);
    assert.deepEqual(
      rows.map(({ kind, recipient, mailFrom, destination, nextAttempt, giveUpAt, state }) => ({
        kind,
        recipient,
        mailFrom,
        destination,
        nextAttempt,
        giveUpAt,
        state,
      })),
      [
        ['envelope', bruno, 'pec.beta.example'],
        ['ordinary', ext, 'gmail.example'],
      ].map(([kind, recipient, destination]) => ({
        kind,
        recipient,
        mailFrom: anna,
        destination,
        nextAttempt: clock.now,
        giveUpAt: clock.now + DAY,
        state: 'due',
      })),
    );
    assert.equal(new Set(rows.map(({ contentId }) => contentId)).size, 1, 'one envelope for all');
    const outgoing = await alfa.store.read('findOutgoing', { identificativo: id });
    assert.deepEqual(
      outgoing?.tracking.map(({ recipient, kind, gestore, firstNoticeAt, secondNoticeAt }) => [
        recipient,
        kind,
        gestore,
        firstNoticeAt,
        secondNoticeAt,
      ]),
      [
        [bruno, 'certificato', beta.name, clock.now + 12 * HOUR, clock.now + 23 * HOUR],
        [ext, 'esterno', '', null, null],
      ],
    );
  });

  it('decisions 2: the register has the acceptance and the envelope, the receipts its bytes', async () => {
    const { alfa, beta, clock } = here();
    const [anna, bruno] = [alfa.address('anna'), beta.address('bruno')];
    const id = await alfa.submit({
      from: anna,
      to: [bruno],
      subject: 'Registro',
      messageId: 'm1@client.example',
    });
    const notice = await noticeOf(alfa, id);
    const messageId = (field(notice, 'Message-ID') ?? '').replace(/[<>]/g, '');
    const common = {
      identificativo: id,
      at: clock.now,
      sender: anna,
      recipients: [bruno],
      subject: 'Registro',
      gestore: alfa.name,
    };
    const events = (await alfa.events(id)).map(
      ({ lane, seq, recordedAt, salt, leaf, link, ...rest }) => rest,
    );
    assert.deepEqual(events, [
      {
        ...common,
        event: 'accettazione',
        related: [messageId],
        detail: { msgid: '<m1@client.example>', antivirus: 'builtin eicar' },
      },
      { ...common, event: 'posta-certificata', related: [id], detail: { msgid: '<m1@client.example>' } },
    ]);
    const [receipt, ...others] = await alfa.store.read('findReceipts', { identificativo: id });
    assert.deepEqual(others, []);
    assert.deepEqual(
      [receipt?.kind, receipt?.direction, receipt?.origin, receipt?.messageId],
      ['accettazione', 'issued', alfa.name, messageId],
    );
    assert.deepEqual(await (await alfa.store.open(receipt?.contentId ?? 0)).bytes(), notice.bytes);
  });

  it('one instant stands in Date, daticert, text, signature and register (RFC 6109 4.1)', async () => {
    const { alfa, beta, clock, pki } = here();
    const id = await alfa.submit({ from: alfa.address('anna'), to: [beta.address('bruno')] });
    for (const message of [await noticeOf(alfa, id), await queuedEnvelope(alfa, id)]) {
      const date = new Date(field(message, 'Date') ?? '').getTime();
      assert.equal(date, clock.now);
      const [, giorno, ora] = /<giorno>(.*)<\/giorno>\s*<ora>(.*)<\/ora>/.exec(daticertXml(message)) ?? [];
      assert.ok(readableText(message).includes(`Il giorno ${giorno} alle ore ${ora} (`));
      assert.deepEqual(await signatureFaults(message, pki.trust, clock.now), []);
    }
  });

  it('openssl believes accettazione and envelope', { skip: needs('openssl') }, async () => {
    const { alfa, beta, pki } = here();
    const id = await alfa.submit({ from: alfa.address('anna'), to: [beta.address('bruno')] });
    for (const message of [await noticeOf(alfa, id), await queuedEnvelope(alfa, id)]) {
      assert.equal(opensslComplaint(message, pki.authority.certificatePem), undefined);
    }
  });

  it('decisions 14: destinatari are the accepted RCPTs, once each, in the case they were given', async () => {
    const { alfa } = here();
    const id = await alfa.submit({
      from: alfa.address('anna'),
      to: ['Bruno@PEC.Beta.Example', 'mai-accettata@pec.beta.example'],
      cc: ['Zio@Gmail.Example'],
      recipients: ['BRUNO@pec.beta.example', 'bruno@pec.beta.example', 'Zio@Gmail.Example'],
    });
    const expected = ['certificato BRUNO@pec.beta.example', 'esterno Zio@Gmail.Example'];
    assert.deepEqual(said(await noticeOf(alfa, id)).destinatari, expected);
    const envelope = await queuedEnvelope(alfa, id);
    assert.deepEqual(said(envelope).destinatari, expected);
    assert.ok(!daticertXml(envelope).includes('mai-accettata'), 'an address without RCPT is not listed');
    const rows = (await alfa.queue()).filter((row) => row.identificativo === id);
    assert.deepEqual(
      rows.map(({ recipient }) => recipient),
      ['BRUNO@pec.beta.example', 'Zio@Gmail.Example'],
    );
  });

  it('decisions 15: without a Message-ID there is no msgid and no X-Riferimento', async () => {
    const { alfa, beta } = here();
    const id = await alfa.submit({
      from: alfa.address('anna'),
      to: [beta.address('bruno')],
      messageId: null,
      fields: ['X-Riferimento-Message-ID: <inventato@client.example>'],
    });
    for (const message of [await noticeOf(alfa, id), await queuedEnvelope(alfa, id)]) {
      assert.equal(said(message).msgid, undefined);
      assert.equal(field(message, 'X-Riferimento-Message-ID'), undefined);
    }
    const postacert = postacertOf(await queuedEnvelope(alfa, id))?.toString('latin1') ?? '';
    assert.ok(!postacert.includes('inventato@client.example'), 'one brought by the user is dropped');
    assert.match(postacert, new RegExp(`^Message-ID: <${id}>\r$`, 'm'));
  });

  it('decisions 15: doubled Message-IDs collapse to the first, an inner DKIM signature stays', async () => {
    const { alfa, beta } = here();
    const dkim = 'DKIM-Signature: v=1; a=rsa-sha256; d=client.example; s=x;\r\n\tbh=abc; b=def';
    const id = await alfa.submit({
      from: alfa.address('anna'),
      to: [beta.address('bruno')],
      messageId: 'primo@client.example',
      fields: ['Message-ID: <secondo@client.example>', dkim],
    });
    const envelope = await queuedEnvelope(alfa, id);
    assert.equal(said(envelope).msgid, '<primo@client.example>');
    assert.equal(field(envelope, 'X-Riferimento-Message-ID'), '<primo@client.example>');
    const postacert = postacertOf(envelope)?.toString('latin1') ?? '';
    assert.equal(postacert.match(/^Message-ID:/gim)?.length, 1);
    assert.ok(postacert.includes(dkim));
    assert.equal(field(envelope, 'DKIM-Signature'), undefined);
  });

  it('decisions 15: the same message submitted again is a new message', async () => {
    const { alfa, beta } = here();
    const same: Sending = {
      from: alfa.address('anna'),
      to: [beta.address('bruno')],
      messageId: 'doppio@c.example',
    };
    const ids = [await alfa.submit(same), await alfa.submit(same)];
    assert.equal(new Set(ids).size, 2);
    for (const id of ids) assert.equal(label(await noticeOf(alfa, id)), 'accettazione');
  });

  it('decisions 16: only the allow-list of the user\u2019s header reaches the envelope', async () => {
    const { alfa, beta } = here();
    const hostile = [
      'X-Ricevuta: accettazione',
      'X-Trasporto: errore',
      'X-Mittente: altri@pec.beta.example',
      'X-VerificaSicurezza: errore',
      'Sender: altri@pec.beta.example',
      'Return-Path: <altri@pec.beta.example>',
      'X-Spam: no',
      'Reply-To: Segreteria <segreteria@pec.alfa.example>',
      'X-TipoRicevuta: breve',
    ];
    const to = [beta.address('bruno')];
    const id = await alfa.submit({ from: alfa.address('anna'), to, fields: hostile });
    const envelope = await queuedEnvelope(alfa, id);
    const names = envelope.header.split('\r\n').flatMap((line) => /^([^:]+):/.exec(line)?.[1] ?? []);
    assert.deepEqual(names.map((name) => name.toLowerCase()).sort(), [
      'content-type',
      'date',
      'from',
      'message-id',
      'mime-version',
      'received',
      'reply-to',
      'subject',
      'to',
      'x-riferimento-message-id',
      'x-tiporicevuta',
      'x-trasporto',
    ]);
    assert.equal(field(envelope, 'X-Trasporto'), 'posta-certificata');
    assert.equal(field(envelope, 'X-TipoRicevuta'), 'breve');
    assert.equal(field(envelope, 'Reply-To'), 'Segreteria <segreteria@pec.alfa.example>');
    assert.match(
      field(envelope, 'From') ?? '',
      /^"Per conto di: anna@pec\.alfa\.example" <posta-certificata@pec\.alfa\.example>$/,
    );
    const postacert = postacertOf(envelope)?.toString('latin1') ?? '';
    for (const line of hostile) assert.ok(postacert.includes(`${line}\r\n`), `${line} stays in the original`);
    const received = /^Received: from client\.example \(\[192\.0\.2\.7\]\)\r\n\tby mail\.pec\.alfa\.example/;
    assert.match(postacert, received, 'the access point\u2019s Received stands on top');
    assert.match(envelope.bytes.toString('latin1'), received);
  });

  it('decisions 17: an 8-bit original is labelled, kept to the byte, and sent with BODY=8BITMIME', async () => {
    const { alfa, beta } = here();
    const to = beta.address('bruno');
    const body = 'Perch\xe9 no: \xf9\xe0\r\n';
    const raw = `From: ${alfa.address('anna')}\r\nTo: ${to}\r\nSubject: otto\r\n\r\n${body}`;
    const id = await alfa.submit({ from: alfa.address('anna'), to: [to], raw });
    const envelope = await queuedEnvelope(alfa, id);
    assert.equal(field(envelope, 'Content-Transfer-Encoding'), '8bit');
    assert.ok(postacertOf(envelope)?.toString('latin1').endsWith(`\r\n\r\n${body}`));
    assert.equal((await alfa.queue()).find((row) => row.identificativo === id)?.eightBit, true);
    const seven = await alfa.submit({ from: alfa.address('anna'), to: [to] });
    assert.equal((await alfa.queue()).find((row) => row.identificativo === seven)?.eightBit, false);
  });

  it('decisions 24: our own addresses are certified, whatever domain of ours they are in', async () => {
    const { alfa } = here();
    await alfa.store.write('addDomain', { name: 'pec.cliente.example', now: alfa.clock.now });
    await alfa.addMailbox('ufficio@pec.cliente.example');
    const id = await alfa.submit({
      from: 'ufficio@pec.cliente.example',
      to: [alfa.address('anna'), 'x@altrove.example'],
    });
    const notice = await noticeOf(alfa, id, 'ufficio@pec.cliente.example');
    assert.deepEqual(said(notice).destinatari, [
      'certificato anna@pec.alfa.example',
      'esterno x@altrove.example',
    ]);
    assert.equal(field(notice, 'From'), 'posta-certificata@pec.alfa.example', 'one From for all domains');
  });
});

describe('access point: what is refused by a notice', () => {
  const here = sharedPair({
    alfa: { limits: { recipients: 3, sizeTimesRecipients: 4096, messageSize: 2048 } },
  });
  const anna = 'anna@pec.alfa.example';
  const bruno = 'bruno@pec.beta.example';
  const head = (from: string, to: string, more = ''): string =>
    `From: ${from}\r\nTo: ${to}\r\n${more}Subject: Prova\r\nMessage-ID: <m@c.example>\r\n`;

  const cases: readonly [string, Partial<Sending>, RegExp][] = [
    ['Bcc with a value', { fields: ['Bcc: terzo@pec.beta.example'] }, /Bcc contiene un valore/],
    [
      'From differing from MAIL FROM',
      { raw: `${head('aldo@pec.alfa.example', bruno)}\r\nx\r\n` },
      /non coincide con il mittente/,
    ],
    [
      'several From addresses',
      { raw: `${head(`${anna}, aldo@pec.alfa.example`, bruno)}\r\nx\r\n` },
      /più di un indirizzo/,
    ],
    ['several From fields', { fields: [`From: ${anna}`] }, /From è presente più di una volta/],
    ['no From', { raw: `To: ${bruno}\r\nSubject: x\r\n\r\nx\r\n` }, /From è assente/],
    ['no To', { raw: `From: ${anna}\r\nCc: ${bruno}\r\nSubject: x\r\n\r\nx\r\n` }, /To è assente/],
    [
      'an empty group in To',
      { raw: `From: ${anna}\r\nTo: undisclosed-recipients:;\r\nCc: ${bruno}\r\nSubject: x\r\n\r\nx\r\n` },
      /To non contiene alcun indirizzo/,
    ],
    [
      'a RCPT not in To or Cc',
      { recipients: [bruno, 'nascosto@pec.beta.example'] },
      /nascosto@pec\.beta\.example non appare nei campi To o Cc/,
    ],
    [
      'too many recipients',
      { to: ['1', '2', '3', '4'].map((name) => `${name}@pec.beta.example`) },
      /numero massimo di destinatari \(4 su 3\)/,
    ],
    [
      'size',
      { body: `${'parola '.repeat(300)}\r\n`.replace(/(.{70})/g, '$1\r\n') },
      /dimensione massima del messaggio \(/,
    ],
    [
      'size by recipients',
      {
        to: ['1', '2', '3'].map((name) => `${name}@pec.beta.example`),
        body: `${'riga di testo\r\n'.repeat(100)}`,
      },
      /moltiplicata per il numero dei destinatari/,
    ],
    ['a line over 998 octets', { body: `${'x'.repeat(999)}\r\n` }, /riga più lunga di 998/],
    [
      'a malformed header',
      { raw: `${head(anna, bruno)}questa non e una intestazione\r\n\r\nx\r\n` },
      /non è un campo valido/,
    ],
  ];
  for (const [what, sending, reason] of cases) {
    it(`decisions 13: ${what} -> 250, non-accettazione of the whole, nothing sent`, async () => {
      const { alfa } = here();
      const before = (await alfa.queue()).length;
      const id = await alfa.submit({ from: anna, to: [bruno], subject: 'Prova', ...sending });
      const notice = await noticeOf(alfa, id);
      assert.equal(label(notice), 'non-accettazione/altro');
      assert.match(said(notice).esteso ?? '', reason);
      assert.deepEqual(notice.flags, ['$NonAccettazione']);
      assert.equal((await alfa.queue()).length, before);
      assert.equal(await alfa.store.read('findOutgoing', { identificativo: id }), undefined);
      const events = await alfa.events(id);
      assert.deepEqual(
        events.map(({ event }) => event),
        ['non-accettazione'],
      );
      assert.match(events[0]?.detail.motivo ?? '', reason);
      assert.equal(postacertOf(notice), undefined, 'decisions 29: never the original');
    });
  }

  it('decisions 13: several faults are all named, once, in one notice', async () => {
    const { alfa } = here();
    const raw = `From: aldo@pec.alfa.example\r\nSubject: x\r\nBcc: y@z.example\r\n\r\n${'x'.repeat(1200)}\r\n`;
    const id = await alfa.submit({ from: anna, to: [bruno], raw });
    const { esteso = '' } = said(await noticeOf(alfa, id));
    for (const part of [/998/, /non coincide/, /To è assente/, /Bcc/]) assert.match(esteso, part);
  });

  it('CNIPA D-P.1, decisions 29, 13: a virus -> non-accettazione per virus, its name, no original; the message is kept', async () => {
    const { alfa } = here();
    const id = await alfa.submit({ from: anna, to: [bruno], body: `${EICAR}\r\n` });
    const notice = await noticeOf(alfa, id);
    assert.equal(label(notice), 'non-accettazione/virus');
    assert.equal(field(notice, 'X-VerificaSicurezza'), 'errore');
    assert.match(field(notice, 'Subject') ?? '', /^AVVISO DI NON ACCETTAZIONE PER VIRUS:/);
    assert.equal(said(notice).esteso, 'Eicar-Test-Signature');
    assert.ok(!notice.bytes.includes(EICAR) && postacertOf(notice) === undefined);
    const [event, ...others] = await alfa.events(id);
    assert.deepEqual(others, []);
    const [kept] = await quarantined(alfa, id);
    assert.deepEqual(event?.detail, {
      msgid: said(notice).msgid,
      virus: 'Eicar-Test-Signature',
      antivirus: 'builtin eicar',
      quarantena: kept?.id,
    });
    assert.deepEqual(
      [kept?.kind, kept?.gestore, kept?.sender, kept?.recipients, kept?.virus, kept?.engine],
      ['submission', alfa.name, anna, [bruno], 'Eicar-Test-Signature', 'builtin eicar'],
    );
    assert.ok(kept);
    const opened = await inTheClear(alfa, kept);
    assert.ok(opened.includes(EICAR));
    assert.equal(createHash('sha256').update(opened).digest('hex'), kept.sha256);
    assert.equal(dtdFault(daticertXml(notice)), undefined);
    assert.deepEqual(
      (await alfa.queue()).filter((row) => row.identificativo === id),
      [],
    );
  });

  it('decisions 15: a non-accettazione has an identificativo, and the answer names it', async () => {
    const { alfa } = here();
    const id = await alfa.submit({ from: anna, to: [bruno], fields: ['Bcc: x@y.example'] });
    const notice = await noticeOf(alfa, id);
    assert.match(id, /^ceralacca1\./);
    assert.notEqual((field(notice, 'Message-ID') ?? '').replace(/[<>]/g, ''), id);
  });
});
