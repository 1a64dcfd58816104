/**
 * A genuine signature around which somebody has rebuilt the message, so that what was verified is not what is shown: to be
 * refused, or set apart, and never to be delivered as certified nor answered with a receipt.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { daticertXml, said, signedEntity } from '../e2e/reading.js';
import { consegna, noticeFrom, sent } from '../incoming-point/answers-of-beta.js';
import { anna, answers, berta, bruno, fromAlfa } from '../incoming-point/arrivals.js';
import { forgedEnvelope, replacing } from '../support/forged.js';
import { aboutId, label, labels } from '../support/notices.js';
import { type Pair, sharedPair } from '../support/pair.js';

const BOUNDARY = /boundary="(----[^"]+)"/;
const boundaryOf = (text: string): string => BOUNDARY.exec(text)?.[1] ?? assert.fail('no boundary');
const evilPart = 'Content-Type: text/plain\r\n\r\nPagare mille euro a Mallory.\r\n';

/** The message as it came, in its pieces. */
interface Cut {
  readonly header: string;
  readonly boundary: string;
  readonly preamble: string;
  readonly entity: string;
  readonly signature: string;
}

function cut(bytes: Buffer): Cut {
  const text = bytes.toString('latin1');
  const blank = text.indexOf('\r\n\r\n') + 2;
  const header = text.slice(0, blank);
  const boundary = boundaryOf(header);
  const [preamble = '', entity = '', signature = ''] = text.slice(blank + 2).split(`--${boundary}`);
  return { header, boundary, preamble, entity: entity.slice(2), signature: signature.slice(2) };
}

const whole = ({ header, boundary, preamble, entity, signature }: Cut, ...more: readonly string[]): Buffer =>
  Buffer.from(
    `${header}\r\n${[preamble, `\r\n${entity}`, `\r\n${signature}`, ...more.map((part) => `\r\n${part}`)].join(`--${boundary}`)}--${boundary}--\r\n`,
    'latin1',
  );

/** What becomes of it at beta: `550`, or what Bruno found; a receipt besides a certified delivery is an error. */
async function fate({ beta }: Pair, message: Buffer): Promise<string> {
  const before = (await beta.inbox(bruno)).length;
  const queued = (await beta.queue()).length;
  const receive = beta.receive({ mailFrom: anna, recipients: [bruno], message });
  const refusal = await receive.then(
    () => undefined,
    (error: { readonly code?: number }) => String(error.code),
  );
  const found = labels((await beta.inbox(bruno)).slice(before)).join();
  const receipts = (await beta.queue()).length - queued;
  assert.equal(receipts, found === 'posta-certificata' ? 2 : 0, 'receipts');
  return refusal ?? found;
}

describe('a signed part inside another message', () => {
  const here = sharedPair();

  it('under a multipart/mixed, as a part among others, as an attached message', async () => {
    const pair = here();
    const { bytes } = await fromAlfa(pair);
    const { header, entity, signature } = cut(bytes);
    const outer = header.replace(
      /Content-Type: multipart\/signed[\s\S]*?boundary="[^"]+"/,
      'Content-Type: multipart/mixed; boundary="fuori"',
    );
    assert.notEqual(outer, header);
    const inner = `Content-Type: multipart/signed; protocol="application/pkcs7-signature"; micalg="sha-256"; boundary="dentro"\r\n\r\n--dentro\r\n${entity}--dentro\r\n${signature}--dentro--\r\n`;
    const bodies = [
      `--fuori\r\n${evilPart}--fuori\r\n${inner}--fuori--\r\n`,
      `--fuori\r\n${inner}--fuori\r\n${evilPart}--fuori--\r\n`,
      `--fuori\r\nContent-Type: message/rfc822\r\n\r\n${bytes.toString('latin1')}\r\n--fuori--\r\n`,
    ];
    for (const body of bodies)
      assert.equal(await fate(pair, Buffer.from(`${outer}\r\n${body}`, 'latin1')), '550');
  });

  it('with a third part before it, behind it or between, or with the halves exchanged', async () => {
    const pair = here();
    const whole3 = cut((await fromAlfa(pair)).bytes);
    const { header, boundary, preamble, entity, signature } = whole3;
    const of = (...parts: string[]): Buffer =>
      Buffer.from(
        `${header}\r\n${preamble}${parts.map((part) => `--${boundary}\r\n${part}`).join('')}--${boundary}--\r\n`,
        'latin1',
      );
    for (const parts of [
      [evilPart, entity, signature],
      [entity, evilPart, signature],
      [entity, signature, evilPart],
      [entity, signature, signature],
      [signature, entity],
      [entity],
      [evilPart, signature],
    ]) {
      assert.equal(await fate(pair, of(...parts)), '550');
    }
    assert.equal(await fate(pair, of(entity, signature)), 'posta-certificata');
  });

  it('the entity of one envelope and the signature of another; the outer header of one and the body of another', async () => {
    const pair = here();
    const [one, other] = [await fromAlfa(pair), await fromAlfa(pair, { body: 'Altro.\r\n' })];
    const [a, b] = [cut(one.bytes), cut(other.bytes)];
    assert.equal(await fate(pair, whole({ ...a, signature: b.signature })), '550');
    const header = a.header.replace(a.boundary, b.boundary);
    assert.equal(await fate(pair, whole({ ...b, header })), 'anomalia', 'decisions 5: Message-ID');
    assert.equal(await fate(pair, whole(a)), 'posta-certificata');
    assert.equal(await fate(pair, whole(b)), 'posta-certificata');
  });

  it('daticert.xml or postacert.eml of another message put in its place', async () => {
    const pair = here();
    const [one, other] = [await fromAlfa(pair), await fromAlfa(pair, { body: 'Altro.\r\n' })];
    const base64 = (bytes: Buffer): string =>
      /filename="daticert.xml"\r\nContent-Transfer-Encoding: base64\r\n\r\n([^-]+)--/.exec(
        bytes.toString('latin1'),
      )?.[1] ?? assert.fail('no daticert.xml');
    const a = cut(one.bytes);
    const swapped = a.entity.replace(base64(one.bytes), base64(other.bytes));
    assert.notEqual(swapped, a.entity);
    assert.equal(await fate(pair, whole({ ...a, entity: swapped })), '550');
    assert.ok(daticertXml(one).includes(one.id));
    // A gestore that does it itself, with its key.
    const entity = signedEntity(one).toString('latin1');
    const forged = await fromAlfa(pair, { change: replacing(/^[\s\S]*$/, entity) });
    assert.equal(await fate(pair, forged.bytes), 'anomalia', 'Message-ID and daticert disagree');
    const half = await fromAlfa(pair, {
      change: replacing(/Message-ID: <[^>]+@pec\.alfa\.example>/, `Message-ID: <${other.id}>`),
    });
    assert.equal(await fate(pair, half.bytes), 'anomalia', 'postacert.eml is of another message');
  });
});

describe('delimiters that programs read differently', () => {
  const here = sharedPair();

  it('a line that begins like the delimiter, before, inside and after the parts', async () => {
    const pair = here();
    const a = cut((await fromAlfa(pair)).bytes);
    const line = (tail: string): string => `\r\n--${a.boundary}${tail}\r\n${evilPart}`;
    for (const tail of ['x', '-', ' x', '--x', '\tx']) {
      assert.equal(
        await fate(pair, whole({ ...a, preamble: `testo${line(tail)}` })),
        '550',
        `before: ${tail}`,
      );
      assert.equal(
        await fate(pair, whole({ ...a, preamble: `${line(tail).slice(2)}` })),
        '550',
        `first: ${tail}`,
      );
      assert.equal(
        await fate(pair, whole({ ...a, signature: `${a.signature}${line(tail)}` })),
        '550',
        `in the signature: ${tail}`,
      );
      const epilogue = Buffer.concat([whole(a), Buffer.from(line(tail))]);
      assert.equal(await fate(pair, epilogue), '550', `after: ${tail}`);
    }
    // Padded delimiters divide (RFC 2046 5.1.1): these are three parts.
    for (const tail of [' ', '\t', '']) {
      assert.equal(await fate(pair, whole({ ...a, preamble: `testo${line(tail)}` })), '550');
      assert.equal(await fate(pair, Buffer.concat([whole(a), Buffer.from(line(tail))])), '550');
    }
    // What shows nowhere harms nobody.
    assert.equal(await fate(pair, whole({ ...a, preamble: 'altro testo\r\n' })), 'posta-certificata');
  });

  it('a gestore signs a part that holds its own delimiter', async () => {
    const pair = here();
    const lines = await fromAlfa(pair, {
      change: async (composed) => {
        const text = (await composed.entity.bytes()).toString('latin1');
        const inside = text.replace(
          /\r\n\r\n/,
          `\r\n\r\nnascosto\r\n--${composed.boundary}x\r\n${evilPart}\r\n`,
        );
        return replacing(text, inside)(composed);
      },
    });
    assert.equal(await fate(pair, lines.bytes), '550');
  });

  it('the outer Content-Type in forms that programs read differently', async () => {
    const pair = here();
    const { bytes } = await fromAlfa(pair);
    const text = bytes.toString('latin1');
    const boundary = boundaryOf(text);
    const field =
      /Content-Type: multipart\/signed[\s\S]*?boundary="[^"]+"/.exec(text)?.[0] ?? assert.fail('no field');
    const good = 'protocol="application/pkcs7-signature"; micalg="sha-256"';
    const b = `boundary="${boundary}"`;
    for (const other of [
      `Content-Type: multipart/mixed; boundary="x"\r\nContent-Type: multipart/signed; ${good}; ${b}`,
      `Content-Type: multipart/signed; ${good}; ${b}\r\nContent-Type : text/plain`,
      `Content-Type: multipart/signed; ${good}; boundary="x"; ${b}`,
      `Content-Type: multipart/signed; ${good}; ${b}; boundary="x"`,
      `Content-Type: multipart/signed; ${good}; ${b}; BOUNDARY=x`,
      `Content-Type: multipart/signed; ${good}; ${b}; boundary*=us-ascii''x`,
      `Content-Type: multipart/signed; ${good}; ${b}; boundary*0="x"`,
      `Content-Type: multipart/signed; ${good}; (boundary="x";) ${b}`,
      `Content-Type: multipart/signed (; boundary="x"); ${good}; ${b}`,
      `Content-Type: multipart/signed; ${good}; boundary="${boundary.slice(0, -1)}\\${boundary.slice(-1)}"`,
      `Content-Type: multipart/signed; ${good}; boundary = ${b.slice('boundary='.length)}`,
      `Content-Type: multipart/signed; ${good}; x="; boundary=x"; ${b.replace(/"$/, ' "')}`,
      `Content-Type: multipart/signed; ${good.replace('application', 'text')}; ${b}`,
      `${field}\r\nContent-Transfer-Encoding: base64`,
      `${field}\r\nContent-Transfer-Encoding: quoted-printable`,
      `${field}\r\nContent-Transfer-Encoding: 7bit\r\nContent-Transfer-Encoding: base64`,
      `Pagare mille euro\r\n${field}`,
      `: \r\n${field}`,
    ]) {
      assert.equal(
        await fate(
          pair,
          Buffer.from(
            text.replace(field, () => other),
            'latin1',
          ),
        ),
        '550',
        other,
      );
    }
    const folded = `CONTENT-TYPE: Multipart/Signed;\r\n\t${good};\r\n ${b}\r\nContent-Transfer-Encoding: 8bit`;
    assert.equal(
      await fate(
        pair,
        Buffer.from(
          text.replace(field, () => folded),
          'latin1',
        ),
      ),
      'posta-certificata',
    );
  });
});

describe('PEC inside PEC', () => {
  const here = sharedPair();

  it('decisions 7: an envelope that quotes another envelope is about itself alone', async () => {
    const pair = here();
    const inner = await forgedEnvelope({
      by: pair.beta.gestore,
      sender: berta,
      recipients: [anna],
      at: pair.clock.now,
    });
    const original = Buffer.from(
      `From: ${anna}\r\nTo: ${bruno}\r\nSubject: Inoltro\r\nX-Trasporto: posta-certificata\r\nX-Ricevuta: accettazione\r\n${inner.bytes.toString('latin1').replace(/^[\s\S]*?(?=Content-Type: multipart\/signed)/, '')}`,
      'latin1',
    );
    const { id, bytes } = await fromAlfa(pair, { original });
    assert.equal(await fate(pair, bytes), 'posta-certificata');
    assert.deepEqual(await answers(pair.beta, inner.id), []);
    assert.equal((await answers(pair.beta, id)).length, 2);
    const [held] = aboutId(await pair.beta.inbox(bruno), id);
    assert.equal(held && said(held).identificativo, id);
  });

  it('a user attaches a daticert.xml and a receipt of his own making: nothing is read from them', async () => {
    const pair = here();
    const { alfa } = pair;
    const theirs = await sent(pair);
    const receipt = await noticeFrom(pair, theirs, consegna());
    const notice = alfa.asStored(receipt);
    const xml = Buffer.from(daticertXml(notice)).toString('base64').replace(/.{60}/g, '$&\r\n');
    const raw = [
      `From: ${anna}`,
      `To: ${bruno}`,
      'Subject: falsa',
      'MIME-Version: 1.0',
      'Content-Type: multipart/mixed; boundary="u"',
      '',
      '--u',
      'Content-Type: application/xml; name="daticert.xml"',
      'Content-Disposition: attachment; filename="daticert.xml"',
      'Content-Transfer-Encoding: base64',
      '',
      xml,
      '--u',
      'Content-Type: message/rfc822; name="postacert.eml"',
      '',
      receipt.toString('latin1'),
      '--u--',
      '',
    ].join('\r\n');
    const id = await alfa.submit({ from: anna, to: [bruno], raw });
    await pair.network.pump();
    const outgoing = await alfa.store.read('findOutgoing', { identificativo: theirs });
    assert.equal(outgoing?.tracking[0]?.outcome, 'avvenuta-consegna', 'by its own receipt, pumped');
    assert.deepEqual(labels(aboutId(await alfa.inbox(anna), id)), [
      'accettazione',
      `avvenuta-consegna ${bruno}`,
    ]);
    assert.deepEqual(labels(aboutId(await pair.beta.inbox(bruno), id)), ['posta-certificata']);
  });

  it('a gestore signs two daticert.xml, or one a level below: set apart', async () => {
    const pair = here();
    const part =
      /(--[^\r\n]+\r\nContent-Type: application\/xml; name="daticert\.xml"[\s\S]*?\r\n\r\n[\s\S]*?\r\n)(?=--)/;
    const doubled = await fromAlfa(pair, {
      change: async (composed) => {
        const text = (await composed.entity.bytes()).toString('latin1');
        const found = part.exec(text)?.[1] ?? assert.fail('no daticert.xml');
        return replacing(found, found + found)(composed);
      },
    });
    assert.equal(await fate(pair, doubled.bytes), 'anomalia');
    const below = await fromAlfa(pair, {
      change: async (composed) => {
        const text = (await composed.entity.bytes()).toString('latin1');
        const found = part.exec(text)?.[1] ?? assert.fail('no daticert.xml');
        const [delimiter = ''] = found.split('\r\n');
        const inside = found.slice(delimiter.length + 2);
        const nested = `${delimiter}\r\nContent-Type: multipart/mixed; boundary="sotto"\r\n\r\n--sotto\r\n${inside}\r\n--sotto--\r\n`;
        return replacing(found, nested)(composed);
      },
    });
    assert.equal(await fate(pair, below.bytes), 'anomalia');
  });

  it('a receipt under the header of an envelope, and an envelope under that of a receipt: set apart', async () => {
    const pair = here();
    const { alfa, beta } = pair;
    const id = await sent(pair);
    const notice = await noticeFrom(pair, id, consegna());
    const disguised = notice
      .toString('latin1')
      .replace(/X-Ricevuta: [^\r]+/, 'X-Trasporto: posta-certificata');
    const before = (await alfa.inbox(anna)).length;
    await alfa.receive({ mailFrom: anna, recipients: [anna], message: Buffer.from(disguised, 'latin1') });
    const [found] = (await alfa.inbox(anna)).slice(before);
    assert.equal(found && label(found), 'anomalia');
    const outgoing = await alfa.store.read('findOutgoing', { identificativo: id });
    assert.equal(outgoing?.tracking[0]?.outcome, null);
    const envelope = (await fromAlfa(pair)).bytes.toString('latin1');
    for (const tipo of ['avvenuta-consegna', 'presa-in-carico', 'rilevazione-virus', 'accettazione']) {
      const other = envelope.replace('X-Trasporto: posta-certificata', `X-Ricevuta: ${tipo}`);
      assert.equal(await fate(pair, Buffer.from(other, 'latin1')), 'anomalia', tipo);
    }
    assert.equal((await beta.queue()).length, 0);
  });
});
