/**
 * ASN.1 against the reader of signatures: lengths that lie, elements without an end, structures in structures, attributes that
 * are wrong, missing or doubled. Each is refused with a reason, by the reader and at the gate; none crashes nor holds it up.
 */
import assert from 'node:assert/strict';
import type { KeyObject } from 'node:crypto';
import { before, describe, it } from 'node:test';
import { Rope } from '../../src/rope/index.js';
import {
  createTrustStore,
  parseSignedData,
  readSigned,
  type TrustStore,
  type Verdict,
  verifySignature,
} from '../../src/smime/index.js';
import { anna, bruno, fromAlfa } from '../incoming-point/arrivals.js';
import { opensslComplaint } from '../support/notices.js';
import { type Pair, sharedPair } from '../support/pair.js';
import { newKey } from '../support/pki.js';
import { needs } from '../support/programs.js';
import { type Bytes, codeOf, joined, octets } from './ber.js';
import {
  genuineAttributes,
  resigned,
  unreadable,
  worthless,
  worthlessAttributes,
  wrongAttributes,
} from './cms-tortures.js';

/** The signed message with another CMS. */
function withCms(message: Buffer, cms: Bytes): Buffer {
  const text = message.toString('latin1');
  const start = text.indexOf('\r\n\r\n', text.lastIndexOf('filename="smime.p7s"')) + 4;
  const end = text.lastIndexOf('\r\n--');
  assert.ok(start > 4 && end > start);
  const base64 = Buffer.from(cms).toString('base64').replace(/.{64}/g, '$&\r\n');
  return Buffer.from(`${text.slice(0, start)}${base64}${text.slice(end)}`, 'latin1');
}

describe('a signature made to break its reader', { skip: needs('openssl') }, () => {
  const here = sharedPair();
  let message: Buffer;
  let cms: Bytes;
  let trust: TrustStore;
  let other: KeyObject;
  before(async () => {
    const pair = here();
    message = (await fromAlfa(pair)).bytes;
    cms = (await readSigned(Rope.of(message)))?.cms ?? assert.fail('no signature');
    trust = createTrustStore(pair.pki.authority.certificatePem);
    other = await newKey('p-256');
  });

  async function verdictOn(changed: Bytes): Promise<Verdict> {
    const signed = (await readSigned(Rope.of(message))) ?? assert.fail('no signature');
    const from = `posta-certificata@${here().pki.alfa.mailDomain}`;
    return verifySignature({ signed: { ...signed, cms: changed }, from, trust, at: here().clock.now });
  }

  /** What beta says to a message that bears it; nothing is delivered and nobody gets a receipt. */
  async function refusedAtTheGate({ beta }: Pair, changed: Bytes): Promise<void> {
    const [inbox, queue] = [await beta.inbox(bruno), await beta.queue()];
    const receive = beta.receive({ mailFrom: anna, recipients: [bruno], message: withCms(message, changed) });
    await assert.rejects(receive, { code: 550 });
    assert.equal((await beta.inbox(bruno)).length, inbox.length);
    assert.equal((await beta.queue()).length, queue.length);
  }

  for (const [what, [code, make]] of Object.entries(unreadable)) {
    it(`${what}: ${code}`, async () => {
      const changed = make(cms);
      assert.equal(
        codeOf(() => parseSignedData(changed)),
        code,
      );
      assert.deepEqual(
        (await verdictOn(changed)).faults.map((fault) => fault.code),
        ['malformed'],
      );
      await refusedAtTheGate(here(), changed);
    });
  }

  for (const [what, [code, change]] of Object.entries(wrongAttributes)) {
    it(`signed attributes, ${what}: ${code}`, async () => {
      const changed = resigned(cms, here().pki.alfa.key, change(genuineAttributes(cms)));
      assert.equal(
        codeOf(() => parseSignedData(changed)),
        code,
      );
      await refusedAtTheGate(here(), changed);
    });
  }

  for (const [what, [fault, change]] of Object.entries(worthlessAttributes)) {
    it(`signed attributes, ${what}: ${fault}`, async () => {
      const changed = resigned(cms, here().pki.alfa.key, change(genuineAttributes(cms)));
      assert.deepEqual(
        (await verdictOn(changed)).faults.map(({ code }) => code),
        [fault],
      );
      await refusedAtTheGate(here(), changed);
    });
  }

  for (const [what, [fault, make]] of Object.entries(worthless)) {
    it(`${what}: ${fault}`, async () => {
      const changed = make(cms, here().pki.alfa, other);
      assert.equal((await verdictOn(changed)).faults[0]?.code, fault);
      await refusedAtTheGate(here(), changed);
    });
  }

  it('signed anew as it was, it is taken: what is refused above is refused for what was changed', async () => {
    const { alfa, authority } = here().pki;
    const again = resigned(cms, alfa.key, genuineAttributes(cms).all);
    assert.deepEqual((await verdictOn(again)).faults, []);
    // X.690 11.6 sorts a SET OF; a signer that did not is believed where openssl believes it, over the octets as they stand.
    const unsorted = resigned(cms, alfa.key, [...genuineAttributes(cms).all].reverse());
    const complaint = opensslComplaint({ bytes: withCms(message, unsorted) }, authority.certificatePem);
    assert.equal(complaint, undefined);
    assert.deepEqual((await verdictOn(unsorted)).faults, []);
  });

  it('cut short at each octet it is truncated', () => {
    for (let length = 0; length < cms.length; length++)
      assert.equal(
        codeOf(() => parseSignedData(cms.subarray(0, length))),
        'truncated',
        `${length}`,
      );
  });

  it('changed in one octet, or without it, it proves what it proved or nothing', async () => {
    const genuine = await verdictOn(cms);
    assert.deepEqual(genuine.faults, []);
    let believed = 0;
    for (let place = 0; place < cms.length; place++) {
      const value = cms[place] ?? 0;
      const others = [0, 0x80, 0xff, value ^ 0x20, value ^ 1].filter((other) => other !== value);
      const changes = others.map((other) =>
        joined(cms.subarray(0, place), octets(other), cms.subarray(place + 1)),
      );
      for (const changed of [...changes, joined(cms.subarray(0, place), cms.subarray(place + 1))]) {
        const { faults, signer, signingTime, entityDigest } = await verdictOn(changed);
        if (faults.length > 0) continue;
        believed++;
        assert.deepEqual(
          { sha256: signer?.sha256, signingTime, entityDigest },
          {
            sha256: genuine.signer?.sha256,
            signingTime: genuine.signingTime,
            entityDigest: genuine.entityDigest,
          },
          `octet ${place}`,
        );
      }
    }
    assert.ok(believed < cms.length, `${believed} changes are believed`);
  });
});
