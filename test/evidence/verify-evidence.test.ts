import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { readStructure } from '../../src/mime/index.js';
import { legalTime } from '../../src/pec/index.js';
import { Rope } from '../../src/rope/index.js';
import {
  AT,
  anomaly,
  certified,
  checksOf,
  envelope,
  everyNotice,
  HOUR,
  NOW,
  notice,
  original,
  RECIPIENT,
  reasonsOf,
  remarksOf,
  SENDER,
  sealed,
  type World,
  world,
} from './world.js';

let w: World;
before(async () => {
  w = await world();
});

const accettazione = (): Promise<Buffer> =>
  sealed(notice(w.pki.alfa, { kind: 'accettazione' }), w.pki.alfa.signer);
const busta = async (): Promise<Buffer> => sealed(await envelope(w.pki.alfa), w.pki.alfa.signer);

/** A message with one place changed; the place must be there. */
function changed(message: Buffer, from: string, to: string): Buffer {
  const text = message.toString('latin1');
  assert.ok(text.includes(from), `the message has no ${from}`);
  return Buffer.from(text.replace(from, to), 'latin1');
}

/** Where the signed entity begins and ends. */
async function signedRange(message: Buffer): Promise<{ start: number; end: number }> {
  const [entity] = (await readStructure(Rope.of(message))).children;
  assert.ok(entity !== undefined);
  return entity;
}

describe('an intact message', () => {
  it('is PROVEN, whichever notice it is, and says who, what, to whom, when', async () => {
    for (const { by, notification, title } of await everyNotice()) {
      const gestore = w.pki[by];
      const report = await w.verify(await sealed(notice(gestore, notification), gestore.signer));
      assert.deepEqual(reasonsOf(report), [], title);
      assert.equal(report.verdict, 'PROVEN', title);
      assert.equal(report.title.it, title);
      assert.equal(report.kind, notification.kind);
      const [said] = report.attests;
      for (const word of [gestore.name, certified.identificativo, 'Perché no', SENDER, legalTime(AT).ora])
        assert.ok(said?.it.includes(word) && said.en.includes(word), `${title}: ${word}`);
      assert.ok(report.doesNotProve.length > 0);
      assert.equal(report.directory?.providerName, gestore.name);
    }
  });

  it('is PROVEN as an envelope, with the digest of what it carries', async () => {
    const report = await w.verify(await busta());
    assert.equal(report.verdict, 'PROVEN');
    assert.equal(report.kind, 'posta-certificata');
    assert.match(report.original?.sha256 ?? '', /^[0-9a-f]{64}$/);
    assert.deepEqual(
      report.original?.parts.map(({ name, octets }) => [name, octets]),
      [['ricorso.pdf', 19]],
    );
    assert.ok(report.attests.some(({ it }) => it.includes(report.original?.sha256 ?? '?')));
    assert.ok(checksOf(report).includes('domain-managed'));
  });

  it('proves of an anomaly only that it was wrapped', async () => {
    const report = await w.verify(await sealed(await anomaly(w.pki.beta, original()), w.pki.beta.signer));
    assert.equal(report.verdict, 'PROVEN');
    assert.equal(report.kind, 'anomalia');
    assert.equal(report.certified, null);
    assert.ok(report.attests[0]?.it.includes('non averlo potuto certificare'));
  });

  it('does not prove reading, nor the content where it is not inside', async () => {
    const limits = async (by: 'alfa' | 'beta', index: number): Promise<string> => {
      const entry = (await everyNotice())[index];
      assert.ok(entry !== undefined);
      const report = await w.verify(await sealed(notice(w.pki[by], entry.notification), w.pki[by].signer));
      return report.doesNotProve.map(({ it }) => it).join(' ');
    };
    assert.match(await limits('beta', 4), /letto il messaggio/);
    assert.doesNotMatch(await limits('beta', 4), /Non contiene il messaggio/);
    assert.match(await limits('beta', 5), /soltanto l'impronta SHA-1/);
    assert.match(await limits('beta', 6), /Non contiene il messaggio/);
  });

  it('always says that the outer header is not signed', async () => {
    assert.ok(remarksOf(await w.verify(await accettazione())).includes('outer-header-unsigned'));
  });

  it('in a file with LF line ends is PROVEN once they are restored, and says so', async () => {
    const lf = Buffer.from((await busta()).toString('latin1').replaceAll('\r\n', '\n'), 'latin1');
    const report = await w.verify(lf);
    assert.equal(report.verdict, 'PROVEN');
    assert.ok(remarksOf(report).includes('line-ends-restored'));
  });
});

describe('a message that was changed', () => {
  it('is REFUTED wherever in the signed entity one byte differs', async () => {
    const message = await busta();
    const { start, end } = await signedRange(message);
    const step = Math.floor((end - start) / 40);
    for (let at = start; at < end; at += step) {
      const wrong = Buffer.from(message);
      wrong[at] = (wrong[at] ?? 0) ^ 1;
      const report = await w.verify(wrong);
      assert.equal(report.verdict, 'REFUTED', `octet ${at - start}`);
      assert.ok(reasonsOf(report).includes('altered'));
    }
  });

  it('is REFUTED with the daticert of another message', async () => {
    const other = { ...certified, identificativo: certified.identificativo.replace('cdef', 'cdee') };
    const one = await accettazione();
    const two = await sealed(notice(w.pki.alfa, { kind: 'accettazione' }, other), w.pki.alfa.signer);
    const part = /filename="daticert.xml"\r\n[\s\S]*?\r\n\r\n([\s\S]*?)\r\n--/;
    const mine = part.exec(one.toString('latin1'))?.[1] ?? '?';
    const theirs = part.exec(two.toString('latin1'))?.[1] ?? '?';
    assert.notEqual(mine, theirs);
    const report = await w.verify(changed(one, mine, theirs));
    assert.equal(report.verdict, 'REFUTED');
    assert.deepEqual(reasonsOf(report).slice(0, 1), ['altered']);
  });

  it('is REFUTED with the signature of another message', async () => {
    const p7s = /name="smime.p7s"\r\n[\s\S]*?\r\n\r\n([\s\S]*?)\r\n\r\n--/;
    const message = await accettazione();
    const theirs = p7s.exec((await busta()).toString('latin1'))?.[1] ?? '?';
    const mine = p7s.exec(message.toString('latin1'))?.[1] ?? '?';
    const report = await w.verify(changed(message, mine, theirs));
    assert.equal(report.verdict, 'REFUTED');
    assert.deepEqual(reasonsOf(report).slice(0, 1), ['altered']);
  });

  it('is not PROVEN with some line ends lost', async () => {
    const report = await w.verify(
      changed(await busta(), 'Si trasmette quanto in oggetto.\r\n', 'Si trasmette quanto in oggetto.\n'),
    );
    assert.equal(report.verdict, 'REFUTED');
    assert.ok(remarksOf(report).includes('line-ends-mixed'));
  });

  it('outside the signature stays PROVEN, and the report tells what contradicts the signed data', async () => {
    const report = await w.verify(changed(await busta(), 'Subject: POSTA', 'Subject: Altro: POSTA'));
    assert.equal(report.verdict, 'PROVEN');
    assert.equal(remarksOf(report).includes('outer-header-differs'), false, 'a prefix is no contradiction');
    const marker = await w.verify(
      changed(await accettazione(), 'X-Ricevuta: accettazione', 'X-Ricevuta: avvenuta-consegna'),
    );
    assert.equal(marker.kind, 'accettazione');
    assert.ok(remarksOf(marker).includes('outer-header-differs'));
    const to = await w.verify(changed(await accettazione(), `To: ${SENDER}`, 'To: altri@pec.alfa.example'));
    const remark = to.remarks.find(({ code }) => code === 'outer-header-differs');
    assert.match(remark?.it ?? '', /il campo To/);
    assert.equal(to.verdict, 'PROVEN');
  });

  it('with another From is INDETERMINATE', async () => {
    const message = changed(
      await accettazione(),
      'From: posta-certificata@pec.alfa',
      'From: posta-certificata@pec.beta',
    );
    assert.deepEqual(reasonsOf(await w.verify(message)), ['address-differs']);
  });
});

describe('what is no evidence', () => {
  it('ordinary mail, headers alone, nothing at all', async () => {
    for (const bytes of [
      original(),
      Buffer.from('Subject: x\r\n'),
      Buffer.alloc(0),
      Buffer.alloc(400_000, 'a'),
    ]) {
      const report = await w.verify(bytes);
      assert.equal(report.verdict, 'INDETERMINATE');
      assert.equal(report.kind, 'ordinario');
      assert.deepEqual(report.attests, []);
    }
  });

  it('a file cut short before its signature', async () => {
    const message = await busta();
    const { end } = await signedRange(message);
    const report = await w.verify(message.subarray(0, end));
    assert.deepEqual(reasonsOf(report), ['not-signed']);
    assert.match(report.reasons[0]?.it ?? '', /troncato/);
  });

  it('a signed message that is not of PEC', async () => {
    const entity = Rope.of('Content-Type: text/plain\r\n\r\nciao\r\n');
    const message = await sealed(
      { header: 'From: posta-certificata@pec.alfa.example\r\n', entity, boundary: 'b1' },
      w.pki.alfa.signer,
    );
    const report = await w.verify(message);
    assert.equal(report.kind, 'firmato');
    assert.deepEqual(reasonsOf(report), ['not-pec']);
  });

  it('an envelope signed without its daticert', async () => {
    const composed = await envelope(w.pki.alfa);
    const bytes = (await composed.entity.bytes()).toString('latin1').replaceAll('daticert.xml', 'altro.xml');
    const report = await w.verify(await sealed({ ...composed, entity: Rope.of(bytes) }, w.pki.alfa.signer));
    assert.deepEqual(reasonsOf(report), ['form-broken']);
    assert.match(report.reasons[0]?.it ?? '', /manca il file daticert\.xml/);
  });
});

describe('who may say what', () => {
  it('a gestore that does not manage the recipient does not prove the delivery', async () => {
    const lie = notice(w.pki.alfa, {
      kind: 'avvenuta-consegna',
      recipient: RECIPIENT,
      receipt: 'sintetica',
      form: 'sintetica',
    });
    assert.deepEqual(reasonsOf(await w.verify(await sealed(lie, w.pki.alfa.signer))), ['domain-not-managed']);
  });

  it("nor the sending of another's user", async () => {
    const lie = notice(w.pki.beta, { kind: 'accettazione' });
    assert.deepEqual(reasonsOf(await w.verify(await sealed(lie, w.pki.beta.signer))), ['domain-not-managed']);
  });

  it("a failed delivery may be told by the sender's gestore or the recipient's", async () => {
    for (const gestore of [w.pki.alfa, w.pki.beta]) {
      const failure = notice(gestore, {
        kind: 'errore-consegna',
        recipient: RECIPIENT,
        errore: 'altro',
        reason: '5.2.2',
      });
      assert.equal((await w.verify(await sealed(failure, gestore.signer))).verdict, 'PROVEN');
    }
  });

  it('a name that is not the one of the directory is remarked', async () => {
    const composed = notice({ ...w.pki.alfa, name: 'Alfa' }, { kind: 'accettazione' });
    const report = await w.verify(await sealed(composed, w.pki.alfa.signer));
    assert.equal(report.verdict, 'PROVEN');
    assert.ok(remarksOf(report).includes('provider-name-differs'));
  });
});

describe('time', () => {
  const signedAt = async (at: number) =>
    w.verify(await sealed(notice(w.pki.alfa, { kind: 'accettazione' }), w.pki.alfa.signer, at));

  it('a signature of the same moment agrees, one of another hour does not', async () => {
    assert.ok(checksOf(await signedAt(AT - 1000)).includes('signing-time-agrees'));
    const late = await signedAt(AT + 10 * 60_000);
    assert.equal(late.verdict, 'PROVEN');
    assert.ok(remarksOf(late).includes('signing-time-differs'));
    assert.deepEqual(reasonsOf(await signedAt(AT + 2 * HOUR)), ['signing-time-differs']);
  });

  it('a message from the future is not believed', async () => {
    const report = await w.verify(await accettazione(), { now: AT - HOUR });
    assert.ok(reasonsOf(report).includes('time-in-future'));
    assert.ok(NOW > AT);
  });
});

describe('messages inside messages', () => {
  const forwarding = (inner: Buffer, boundary = 'x'): Buffer =>
    Buffer.concat([
      Buffer.from(
        `From: a@b.example\r\nSubject: Fwd\r\nContent-Type: multipart/mixed; boundary=${boundary}\r\n\r\n--${boundary}\r\n\r\nvedi\r\n--${boundary}\r\nContent-Type: message/rfc822\r\nContent-Disposition: attachment; filename="ricevuta.eml"\r\n\r\n`,
      ),
      inner,
      Buffer.from(`\r\n--${boundary}--\r\n`),
    ]);

  it('a receipt forwarded in ordinary mail is judged by itself', async () => {
    const report = await w.verify(forwarding(await accettazione()));
    assert.equal(report.verdict, 'INDETERMINATE');
    assert.deepEqual(
      report.nested.map(({ file, kind, verdict }) => [file, kind, verdict]),
      [['messaggio.eml > ricevuta.eml', 'accettazione', 'PROVEN']],
    );
  });

  it('so is one saved with LF and attached in base64', async () => {
    const lf = (await accettazione()).toString('latin1').replaceAll('\r\n', '\n');
    const message = [
      'Content-Type: application/octet-stream; name="a.eml"',
      'Content-Transfer-Encoding: base64',
      '',
      Buffer.from(lf, 'latin1').toString('base64').replace(/.{76}/g, '$&\r\n'),
    ].join('\r\n');
    assert.equal((await w.verify(Buffer.from(message))).nested[0]?.verdict, 'PROVEN');
  });

  it('an anomaly around an altered envelope shows that envelope REFUTED', async () => {
    const altered = changed(await busta(), 'Si trasmette', 'Si ritira');
    const report = await w.verify(await sealed(await anomaly(w.pki.beta, altered), w.pki.beta.signer));
    assert.equal(report.verdict, 'PROVEN');
    assert.deepEqual(
      report.nested.map(({ kind, verdict }) => [kind, verdict]),
      [['posta-certificata', 'REFUTED']],
    );
  });

  it('depth is bounded', async () => {
    let message = forwarding(forwarding(await accettazione(), 'y'), 'z');
    assert.equal((await w.verify(message)).nested.length, 1);
    for (let depth = 0; depth < 6; depth += 1) message = forwarding(message, `x${depth}`);
    assert.deepEqual((await w.verify(message)).nested, []);
  });
});
