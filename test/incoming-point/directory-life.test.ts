import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { bytesOf, recordOf } from '../directory/lonely.js';
import { forgedEnvelope, forgedNotice } from '../support/forged.js';
import { label, labels } from '../support/notices.js';
import { type Pair, sharedPair } from '../support/pair.js';
import { signerOf, type TestGestore } from '../support/pki.js';
import { consegna, errore, tracking } from './answers-of-beta.js';
import { anna, bruno } from './arrivals.js';

const CLIENT = 'pec.cliente.example';
const clara = `clara@${CLIENT}`;
const BASE = 'dn: o=postacert\nobjectclass: top\no: postacert\n\n';

/** What alfa knows of the others: what the keeper of the directory says, and nothing that was imported before. */
async function publish({ alfa, pki }: Pair, ...records: ReturnType<typeof recordOf>[]): Promise<void> {
  const imported = await alfa.store.read('listDirectorySources', {});
  if (imported.some(({ id }) => id === pki.beta.name))
    await alfa.store.write('removeDirectorySource', { id: pki.beta.name });
  await alfa.directory.import(Buffer.concat([Buffer.from(BASE), bytesOf(...records)]), '', { replace: true });
}

/** A third gestore, under the same authority. */
async function gammaOf({ pki }: Pair): Promise<TestGestore> {
  const mailDomain = 'pec.gamma.example';
  const leaf = await pki.authority.issue({ name: 'Gamma PEC', email: `posta-certificata@${mailDomain}` });
  return { ...leaf, name: 'Gamma PEC', mailDomain, signer: signerOf(leaf) };
}

/** Beta with a certificate of its own making. */
async function renewed({ pki }: Pair): Promise<TestGestore> {
  const { name, mailDomain } = pki.beta;
  const leaf = await pki.authority.issue({ name, email: `posta-certificata@${mailDomain}` });
  return { ...leaf, name, mailDomain, signer: signerOf(leaf) };
}

const envelopeBy = (by: TestGestore, at: number) =>
  forgedEnvelope({ by, sender: bruno, recipients: [anna], at });

const receive = async ({ alfa }: Pair, bytes: Buffer): Promise<string[]> => {
  const before = (await alfa.inbox(anna)).length;
  await alfa.receive({ mailFrom: bruno, recipients: [anna], message: bytes });
  return labels((await alfa.inbox(anna)).slice(before));
};

const noticeAbout = ({ clock }: Pair, id: string, by: TestGestore, notification = consegna(clara)) =>
  forgedNotice({
    by,
    to: anna,
    sender: anna,
    recipients: [clara],
    identificativo: id,
    at: clock.now,
    notification,
  });

describe('directory life: a certificate is renewed', () => {
  const here = sharedPair();

  it('RFC 6109 4.5.1: while the record shows both, both count; without the old one it counts no more', async () => {
    const pair = here();
    const { pki, clock } = pair;
    const next = await renewed(pair);
    const both = { ...recordOf(pki.beta.name, pki.beta, pki.beta.mailDomain) };
    const old = await envelopeBy(pki.beta, clock.now);
    await assert.rejects(receive(pair, (await envelopeBy(next, clock.now)).bytes), { code: 550 });

    const overlap = recordOf(pki.beta.name, next, pki.beta.mailDomain);
    await publish(pair, {
      ...both,
      certificates: [...both.certificates, ...overlap.certificates],
      certificateHashes: [...both.certificateHashes, ...overlap.certificateHashes],
    });
    assert.deepEqual(await receive(pair, old.bytes), ['posta-certificata']);
    assert.deepEqual(await receive(pair, (await envelopeBy(next, clock.now)).bytes), ['posta-certificata']);

    await publish(pair, overlap);
    const late = await envelopeBy(pki.beta, clock.now);
    await assert.rejects(receive(pair, late.bytes), { code: 550, enhanced: '5.7.1' });
    assert.deepEqual(await receive(pair, (await envelopeBy(next, clock.now)).bytes), ['posta-certificata']);
  });
});

describe('directory life: a domain moves from one gestore to another', () => {
  const here = sharedPair();

  /** Accepted while beta has the domain. */
  async function sentBeforeTheMove(pair: Pair): Promise<string> {
    const { pki, alfa } = pair;
    await publish(pair, recordOf(pki.beta.name, pki.beta, pki.beta.mailDomain, CLIENT));
    return alfa.submit({ from: anna, to: [clara] });
  }

  async function move(pair: Pair): Promise<TestGestore> {
    const gamma = await gammaOf(pair);
    const { pki } = pair;
    await publish(
      pair,
      recordOf(pki.beta.name, pki.beta, pki.beta.mailDomain),
      recordOf(gamma.name, gamma, gamma.mailDomain, CLIENT),
    );
    return gamma;
  }

  it('decisions 4: who has it now may answer', async () => {
    const pair = here();
    const id = await sentBeforeTheMove(pair);
    const gamma = await move(pair);
    const message = await noticeAbout(pair, id, gamma);
    await pair.alfa.receive({
      mailFrom: `posta-certificata@${gamma.mailDomain}`,
      recipients: [anna],
      message,
    });
    assert.equal((await tracking(pair, id, clara))?.outcome, 'avvenuta-consegna');
    const last = (await pair.alfa.inbox(anna)).at(-1);
    assert.ok(last !== undefined);
    assert.equal(label(last), `avvenuta-consegna ${clara}`);
  });

  it('decisions 4: so may who had it when the message was accepted; a third one may not', async () => {
    const pair = here();
    const id = await sentBeforeTheMove(pair);
    await move(pair);
    const { alfa, pki } = pair;
    const stranger = await gammaOf(pair);
    const from = `posta-certificata@${pki.beta.mailDomain}`;
    await assert.rejects(
      alfa.receive({
        mailFrom: `posta-certificata@${stranger.mailDomain}`,
        recipients: [anna],
        message: await noticeAbout(pair, id, stranger),
      }),
      { code: 550 },
      'of the name, and with a key that is not in the directory',
    );
    await alfa.receive({
      mailFrom: from,
      recipients: [anna],
      message: await noticeAbout(pair, id, pki.beta),
    });
    assert.equal((await tracking(pair, id, clara))?.outcome, 'avvenuta-consegna');
  });

  it('decisions 2: both answer: the first outcome counts, the other is an anomaly', async () => {
    const pair = here();
    const id = await sentBeforeTheMove(pair);
    const gamma = await move(pair);
    const { alfa, pki } = pair;
    const before = (await alfa.inbox(anna)).length;
    for (const [by, notification] of [
      [pki.beta, errore(clara)],
      [gamma, consegna(clara)],
    ] as const) {
      const message = await noticeAbout(pair, id, by, notification);
      await alfa.receive({ mailFrom: `posta-certificata@${by.mailDomain}`, recipients: [anna], message });
    }
    assert.equal((await tracking(pair, id, clara))?.outcome, 'errore-consegna');
    assert.deepEqual(labels((await alfa.inbox(anna)).slice(before)), [
      `errore-consegna/no-dest ${clara}`,
      'anomalia',
    ]);
  });

  it('what its former gestore seals for it afterwards is not certified', async () => {
    const pair = here();
    await sentBeforeTheMove(pair);
    await move(pair);
    const { bytes } = await forgedEnvelope({
      by: pair.pki.beta,
      sender: clara,
      recipients: [anna],
      at: pair.clock.now,
    });
    const before = (await pair.alfa.inbox(anna)).length;
    await pair.alfa.receive({ mailFrom: clara, recipients: [anna], message: bytes });
    assert.deepEqual(labels((await pair.alfa.inbox(anna)).slice(before)), ['anomalia']);
  });
});

describe('directory life: a gestore leaves', () => {
  const here = sharedPair();

  it('what it seals is ordinary mail; who writes to its domain writes to an ordinary address', async () => {
    const pair = here();
    const { alfa, pki, clock } = pair;
    await publish(pair, recordOf(pki.beta.name, pki.beta, pki.beta.mailDomain, CLIENT));
    const id = await alfa.submit({ from: anna, to: [clara] });
    const gamma = await gammaOf(pair);
    await publish(pair, recordOf(gamma.name, gamma, gamma.mailDomain));
    await assert.rejects(receive(pair, (await envelopeBy(pki.beta, clock.now)).bytes), {
      code: 550,
      enhanced: '5.7.1',
    });
    await assert.rejects(
      alfa.receive({
        mailFrom: `posta-certificata@${pki.beta.mailDomain}`,
        recipients: [anna],
        message: await noticeAbout(pair, id, pki.beta),
      }),
      { code: 550 },
    );
    assert.equal(
      (await tracking(pair, id, clara))?.outcome,
      null,
      'it stays open for the notices of silence',
    );
    const later = await alfa.submit({ from: anna, to: [clara] });
    assert.equal((await tracking(pair, later, clara))?.kind, 'esterno');
  });
});
