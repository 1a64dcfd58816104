import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { writeProviderRecord } from '../../src/directory/index.js';
import { readHeader } from '../../src/mime/index.js';
import { legalTime } from '../../src/pec/index.js';
import { Rope } from '../../src/rope/index.js';
import type { RevocationSource } from '../../src/smime/index.js';
import { extendedKeyUsage, keyUsage, subjectAltName } from '../../src/smime/keys/issue-certificate.js';
import { Purpose } from '../../src/smime/read/extensions.js';
import { forgedEnvelope, type Sealer } from '../support/forged.js';
import { field } from '../support/inbox.js';
import { aboutId, label, labels } from '../support/notices.js';
import { type Pair, sharedPair } from '../support/pair.js';
import { createAuthority, type Identity, type LeafOptions, signerOf } from '../support/pki.js';
import { DAY } from '../support/points.js';
import { anna, answers, bruno, fromAlfa } from './arrivals.js';

/** Everything durable at beta, and Bruno's mailbox. */
const traces = async ({ beta }: Pair): Promise<readonly number[]> => [
  (await beta.inbox(bruno)).length,
  (await beta.queue()).length,
  (
    await beta.store.read('listMessages', {
      mailboxId: (await beta.mailbox(beta.serviceMailbox)).id,
      folder: 'INBOX',
    })
  ).length,
];

/** What anybody can make of alfa's envelope who has a key of his own. */
const sealerOf = (identity: Identity): Sealer => ({
  name: 'Alfa PEC S.p.A.',
  mailDomain: 'pec.alfa.example',
  signer: signerOf(identity),
});

/** Ordinary mail: 550 after DATA, one `rifiuto` with the reason, nothing else. */
async function isOrdinary(pair: Pair, bytes: Uint8Array, reason: RegExp): Promise<void> {
  const { beta } = pair;
  const before = await traces(pair);
  const entries = (await beta.events()).length;
  await assert.rejects(beta.receive({ mailFrom: anna, recipients: [bruno], message: bytes }), {
    code: 550,
    enhanced: '5.7.1',
  });
  assert.deepEqual(await traces(pair), before);
  const [event, ...others] = (await beta.events()).slice(entries);
  assert.deepEqual(others, []);
  assert.equal(event?.event, 'rifiuto');
  assert.match(event?.detail.motivo ?? '', reason);
}

describe('decisions 21: existence, origin, validity, form', () => {
  const here = sharedPair();

  it('decisions 21: no signature at all -> ordinary mail', async () => {
    const pair = here();
    const plain = Buffer.from(
      `From: ${anna}\r\nTo: ${bruno}\r\nSubject: x\r\nX-Trasporto: posta-certificata\r\n\r\ntesto\r\n`,
    );
    await isOrdinary(pair, plain, /non è firmato da un gestore/);
    const { bytes } = await fromAlfa(pair);
    const unsigned = bytes.toString('latin1').replace('multipart/signed', 'multipart/mixed');
    await isOrdinary(pair, Buffer.from(unsigned, 'latin1'), /non è firmato da un gestore/);
  });

  it('decisions 21: a second author, or a boundary programs read differently, -> ordinary mail', async () => {
    const pair = here();
    const text = (await fromAlfa(pair)).bytes.toString('latin1');
    const changed = (from: RegExp, to: string): Buffer => {
      assert.match(text, from);
      return Buffer.from(text.replace(from, to), 'latin1');
    };
    const second = 'From: "Per conto di: procura@giustiziacert.it" <procura@giustiziacert.it>\r\n';
    await isOrdinary(pair, changed(/^From: /m, `${second}From: `), /un solo indirizzo email/);
    await isOrdinary(
      pair,
      changed(/^From: (.*)$/m, 'From: $1, procura@giustiziacert.it'),
      /un solo indirizzo email/,
    );
    const boundary = /(Content-Type: multipart\/signed;[\s\S]*?)boundary="([^"]+)"/;
    await isOrdinary(
      pair,
      changed(boundary, '$1boundary="altro"; boundary*=us-ascii\'\'$2'),
      /non è firmato da un gestore/,
    );
    await isOrdinary(
      pair,
      changed(boundary, '$1boundary="$2"; boundary="altro"'),
      /non è firmato da un gestore/,
    );
  });

  it('decisions 8: a peer\u2019s anomaly that does not look like one is wrapped in ours', async () => {
    const pair = here();
    const { alfa, beta, clock } = pair;
    const original = Buffer.from(
      'From: mario@gmail.example\r\nTo: x@pec.alfa.example\r\nSubject: Offerta\r\n\r\nciao\r\n',
    );
    const sealed = await alfa.issuer.anomaly({
      time: legalTime(clock.now),
      mailFrom: 'mario@gmail.example',
      recipients: ['x@pec.alfa.example'],
      receivedHeader: await readHeader(Rope.of(original)),
      original: Rope.of(original),
      eightBit: false,
      reason: 'il messaggio non è firmato da un gestore',
    });
    const bytes = await sealed.rope.bytes();
    const bring = async (message: Buffer): Promise<string> => {
      await beta.receive({ mailFrom: 'mario@gmail.example', recipients: [bruno], message });
      const last = (await beta.inbox(bruno)).at(-1);
      return last === undefined ? '' : (field(last, 'Subject') ?? '');
    };
    assert.equal(await bring(bytes), 'ANOMALIA MESSAGGIO: Offerta');
    const disguised = bytes
      .toString('latin1')
      .replace('ANOMALIA MESSAGGIO: Offerta', 'POSTA CERTIFICATA: atto');
    assert.equal(
      await bring(Buffer.from(disguised, 'latin1')),
      'ANOMALIA MESSAGGIO: POSTA CERTIFICATA: atto',
    );
  });

  it('decisions 21: a stranger\u2019s signature, of any kind, -> ordinary mail', async () => {
    const pair = here();
    const strangers = await createAuthority({ name: 'CA di nessuno' });
    const email = 'posta-certificata@pec.alfa.example';
    const self = await forgedEnvelope({
      by: sealerOf(await strangers.issue({ email })),
      sender: anna,
      recipients: [bruno],
      at: pair.clock.now,
    });
    await isOrdinary(pair, self.bytes, /non appartiene a un gestore/);
    // Issued by the right CA, with the right address, but not in the directory (RFC 6109 2.2.2, origin).
    const cousin = await pair.pki.authority.issue({ email });
    const known = await forgedEnvelope({
      by: sealerOf(cousin),
      sender: anna,
      recipients: [bruno],
      at: pair.clock.now,
    });
    await isOrdinary(pair, known.bytes, /non appartiene a un gestore/);
  });

  it('decisions 21: a tampered octet, in the signed part or in the signature, -> ordinary mail', async () => {
    const pair = here();
    const { bytes } = await fromAlfa(pair, { body: 'pagare cento euro\r\n' });
    const text = bytes.toString('latin1');
    const tampered = (from: string, to: string) => Buffer.from(text.replace(from, to), 'latin1');
    await isOrdinary(pair, tampered('pagare cento', 'pagare mille'), /modificato dopo la firma/);
    const place = text.lastIndexOf('Content-Disposition: attachment; filename="smime.p7s"') + 120;
    const swapped = Buffer.from(bytes);
    swapped[place + 900] = swapped[place + 900] === 0x41 ? 0x42 : 0x41;
    await isOrdinary(pair, swapped, /./);
    const cut = Buffer.concat([bytes.subarray(0, bytes.length - 600), bytes.subarray(bytes.length - 100)]);
    await isOrdinary(pair, cut, /./);
  });

  it('decisions 21: a From that is not the signer\u2019s, or of a domain its record does not manage, -> ordinary mail', async () => {
    const pair = here();
    const from = (address: string) =>
      fromAlfa(pair, {
        change: (composed) => ({
          ...composed,
          header: composed.header
            .toString('latin1')
            .replace(/<posta-certificata@pec\.alfa\.example>/, `<${address}>`),
        }),
      });
    await isOrdinary(
      pair,
      (await from('posta-certificata@pec.beta.example')).bytes,
      /non appartiene a un gestore/,
    );
    await isOrdinary(pair, (await from('altra@pec.alfa.example')).bytes, /non è intestato al mittente/);
  });

  it('decisions 21: signed by a gestore and of no form -> unconditional anomaly', async () => {
    const pair = here();
    const { bytes } = await fromAlfa(pair, {
      change: (composed) => ({
        ...composed,
        header: composed.header.toString('latin1').replace(/^X-Trasporto.*\r\n/m, ''),
      }),
    });
    await pair.beta.receive({ mailFrom: anna, recipients: [bruno], message: bytes });
    const last = (await pair.beta.inbox(bruno)).at(-1);
    assert.ok(last && label(last) === 'anomalia');
  });
});

/** A pair in which alfa's key has another certificate; beta has it in its directory. */
const withCertificate = (
  describeIt: string,
  options: (now: number) => LeafOptions,
  reason: RegExp | null,
): void => {
  describe(`decisions 21: ${describeIt}`, () => {
    const here = sharedPair();
    it(`decisions 21: ${describeIt} -> ${reason === null ? 'accepted' : 'ordinary mail'}`, async () => {
      const pair = here();
      const { beta, clock, pki } = pair;
      const leaf = await pki.authority.issue({
        name: pki.alfa.name,
        email: 'posta-certificata@pec.alfa.example',
        ...options(clock.now),
      });
      const record = {
        ...pair.alfa.directory.own(),
        certificates: [leaf.certificate],
        certificateHashes: [],
      };
      clock.advance(1000);
      const { certificatePem } = pki.authority;
      await beta.directory.import(Buffer.from(writeProviderRecord(record)), certificatePem, {
        replace: true,
      });
      const { id, bytes } = await forgedEnvelope({
        by: sealerOf(leaf),
        sender: anna,
        recipients: [bruno],
        at: clock.now,
      });
      if (reason !== null) {
        await isOrdinary(pair, bytes, reason);
        return;
      }
      await beta.receive({ mailFrom: anna, recipients: [bruno], message: bytes });
      assert.deepEqual(labels(aboutId(await beta.inbox(bruno), id)), ['posta-certificata']);
    });
  });
};

withCertificate(
  'an expired certificate',
  (now) => ({ notBefore: now - 9 * DAY, notAfter: now - DAY }),
  /è scaduto/,
);
withCertificate(
  'a certificate not valid yet',
  (now) => ({ notBefore: now + DAY, notAfter: now + 9 * DAY }),
  /non è ancora valido/,
);
withCertificate(
  'a certificate without digitalSignature',
  () => ({
    extensions: [
      keyUsage('keyEncipherment'),
      subjectAltName({ emails: ['posta-certificata@pec.alfa.example'] }),
    ],
  }),
  /keyUsage/,
);
withCertificate(
  'a certificate for servers only (extendedKeyUsage present)',
  () => ({
    extensions: [
      keyUsage('digitalSignature'),
      extendedKeyUsage(Purpose.serverAuth),
      subjectAltName({ emails: ['posta-certificata@pec.alfa.example'] }),
    ],
  }),
  /extendedKeyUsage/,
);
withCertificate(
  'no extendedKeyUsage at all (it is checked only if present)',
  () => ({
    extensions: [
      keyUsage('digitalSignature'),
      subjectAltName({ emails: ['posta-certificata@pec.alfa.example'] }),
    ],
  }),
  null,
);

/** What the revocation lists say in a test. */
const revocation: { answer: Awaited<ReturnType<RevocationSource['check']>> } = { answer: { status: 'good' } };

describe('decisions 21: revocation', () => {
  const here = sharedPair({ beta: { crls: { check: async () => revocation.answer } } });

  it('decisions 21: a revoked certificate -> ordinary mail', async () => {
    const pair = here();
    revocation.answer = { status: 'revoked', since: pair.clock.now - DAY };
    await isOrdinary(pair, (await fromAlfa(pair)).bytes, /è stato revocato/);
  });

  it('decisions 21: no list within the grace time -> 451, nothing written, and accepted when it is there', async () => {
    const pair = here();
    const { id, bytes } = await fromAlfa(pair);
    revocation.answer = { status: 'unavailable', temporary: true, reason: 'la lista di revoca manca' };
    const before = await traces(pair);
    const entries = (await pair.beta.events()).length;
    await assert.rejects(pair.beta.receive({ mailFrom: anna, recipients: [bruno], message: bytes }), {
      code: 451,
      enhanced: '4.7.5',
    });
    assert.deepEqual(await traces(pair), before);
    assert.equal((await pair.beta.events()).length, entries);
    revocation.answer = { status: 'good' };
    await pair.beta.receive({ mailFrom: anna, recipients: [bruno], message: bytes });
    assert.equal((await answers(pair.beta, id)).length, 2);
  });

  it('decisions 21: past the grace time -> as invalid', async () => {
    const pair = here();
    revocation.answer = { status: 'unavailable', temporary: false, reason: 'la lista di revoca è scaduta' };
    await isOrdinary(pair, (await fromAlfa(pair)).bytes, /revoca/);
  });

  it('decisions 21: a tampered message is refused at once, list or no list', async () => {
    const pair = here();
    revocation.answer = { status: 'unavailable', temporary: true, reason: 'la lista di revoca manca' };
    const text = (await fromAlfa(pair, { body: 'importo cento\r\n' })).bytes.toString('latin1');
    await isOrdinary(
      pair,
      Buffer.from(text.replace('importo cento', 'importo mille'), 'latin1'),
      /modificato/,
    );
    revocation.answer = { status: 'good' };
  });
});

describe('decisions 24: several records, one certificate', () => {
  const here = sharedPair();

  it('decisions 23: the presa in carico goes to the mailReceipt of the record that manages the sender, main or secondary', async () => {
    const pair = here();
    const { alfa, beta, clock, pki } = pair;
    const main = alfa.directory.own();
    const unit = {
      ...main,
      providerUnit: 'Ambiente secondario',
      mailReceipt: 'prese@pec.due.example',
      managedDomains: ['pec.due.example', 'pec.tre.example'],
    };
    clock.advance(1000);
    await beta.directory.import(
      Buffer.from(`${writeProviderRecord(main)}\n${writeProviderRecord(unit)}`),
      pki.authority.certificatePem,
    );
    const seen: string[] = [];
    for (const sender of [anna, 'ugo@pec.tre.example']) {
      const { id, bytes } = await fromAlfa(pair, { sender });
      await beta.receive({ mailFrom: sender, recipients: [bruno], message: bytes });
      seen.push(...(await answers(beta, id)));
    }
    assert.deepEqual(seen, [
      `notification presa-in-carico ${bruno} -> ricevute@pec.alfa.example`,
      `notification avvenuta-consegna ${bruno} -> ${anna}`,
      `notification presa-in-carico ${bruno} -> prese@pec.due.example`,
      `notification avvenuta-consegna ${bruno} -> ugo@pec.tre.example`,
    ]);
  });

  it('decisions 24: the secondary environment signs with its own address and its own certificate', async () => {
    const pair = here();
    const { alfa, beta, clock, pki } = pair;
    const leaf = await pki.authority.issue({ name: alfa.name, email: 'posta-certificata@pec.due.example' });
    const unit = {
      providerName: alfa.name,
      providerUnit: 'Due',
      mailReceipt: 'prese@pec.due.example',
      managedDomains: ['pec.due.example'],
      certificates: [leaf.certificate],
      certificateHashes: [],
    };
    const file = `${writeProviderRecord(alfa.directory.own())}\n${writeProviderRecord(unit)}`;
    clock.advance(1000);
    await beta.directory.import(Buffer.from(file), pki.authority.certificatePem);
    const by = { name: alfa.name, mailDomain: 'pec.due.example', signer: signerOf(leaf) };
    const sender = 'ugo@pec.due.example';
    const { id, bytes } = await forgedEnvelope({ by, sender, recipients: [bruno], at: clock.now });
    await beta.receive({ mailFrom: sender, recipients: [bruno], message: bytes });
    assert.deepEqual(labels(aboutId(await beta.inbox(bruno), id)), ['posta-certificata']);
    assert.equal((await beta.events(id))[0]?.gestore, alfa.name, 'one origin, whatever the environment');
  });

  it('a record that takes another gestore\u2019s certificate gains nothing by it', async () => {
    const pair = here();
    const { alfa, beta, clock, pki } = pair;
    const thief = {
      providerName: 'Ladra S.r.l.',
      mailReceipt: 'prese@pec.ladra.example',
      managedDomains: ['pec.ladra.example', 'pec.alfa.example'],
      certificates: [alfa.gestore.certificate],
      certificateHashes: [],
    };
    clock.advance(1000);
    await beta.directory.import(Buffer.from(writeProviderRecord(thief)), pki.authority.certificatePem);
    const { id, bytes } = await fromAlfa(pair);
    await beta.receive({ mailFrom: anna, recipients: [bruno], message: bytes });
    assert.equal((await beta.events(id))[0]?.gestore, alfa.name);
  });
});
