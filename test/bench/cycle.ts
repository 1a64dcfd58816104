import { createHash, generateKeyPairSync, sign, verify } from 'node:crypto';
import { readHeader } from '../../src/mime/index.js';
import {
  type Certified,
  classify,
  composeEnvelope,
  composeNotification,
  composePostacert,
  identificativo,
  legalTime,
  type Notification,
  type Provider,
  readEnvelope,
  readNotification,
} from '../../src/pec/index.js';
import { Rope } from '../../src/rope/index.js';
import {
  createTrustStore,
  readSigned,
  type Signer,
  seal,
  type TrustStore,
  verifySignature,
} from '../../src/smime/index.js';
import { createAuthority, signerOf } from '../support/pki.js';

/** How many times a second, by a loop that runs for at least `seconds`. */
export async function rateOf(seconds: number, run: () => Promise<void> | void): Promise<number> {
  for (let warm = 0; warm < 20; warm++) await run();
  const start = performance.now();
  let times = 0;
  while (performance.now() - start < seconds * 1000) {
    await run();
    times += 1;
  }
  return times / ((performance.now() - start) / 1000);
}

/** 4 RSA-2048 signatures and 3 verifications over what a 10 KB message makes one hash, one core. */
export function pureCrypto(): () => void {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const body = Buffer.alloc(10_240, 'a');
  const attributes = Buffer.alloc(200, 'b');
  const signature = sign('sha256', attributes, privateKey);
  return () => {
    for (let n = 0; n < 4; n++) {
      createHash('sha256').update(body).digest();
      sign('sha256', attributes, privateKey);
    }
    for (let n = 0; n < 3; n++) {
      createHash('sha256').update(body).digest();
      verify('sha256', attributes, publicKey, signature);
    }
  };
}

const alfa: Provider = { name: 'Alfa PEC S.p.A.', mailDomain: 'pec.alfa.example' };
const beta: Provider = { name: 'Beta PEC S.p.A.', mailDomain: 'pec.beta.example' };

/** Everything both gestori do to one message but SMTP, storage and antivirus: 4 signatures, 3 verifications, MIME, XML. */
export async function bareCycle(original: Buffer): Promise<() => Promise<void>> {
  const authority = await createAuthority({ keys: 'rsa-2048' });
  const signerFor = async ({ name, mailDomain }: Provider): Promise<Signer> =>
    signerOf(await authority.issue({ name, email: `posta-certificata@${mailDomain}`, keys: 'rsa-2048' }));
  const [alfaSigner, betaSigner] = [await signerFor(alfa), await signerFor(beta)];
  const trust = createTrustStore(authority.certificate);
  let number = 0;
  return async () => {
    number += 1;
    const time = legalTime(Date.now());
    const id = (who: Provider, what: string): string =>
      identificativo(time, `${what}${String(number).padStart(20, '0')}`, who.mailDomain);
    const rope = Rope.of(original);
    const header = await readHeader(rope);
    const certified: Certified = {
      identificativo: id(alfa, 'b'),
      msgid: header.raw('Message-ID') ?? '',
      sender: 'anna@pec.alfa.example',
      recipients: [{ address: 'bruno@pec.beta.example', kind: 'certificato' }],
      replyTo: 'anna@pec.alfa.example',
      subject: header.text('Subject') ?? '',
    };
    const notify = async (provider: Provider, signer: Signer, to: string, notification: Notification) => {
      const messageId = id(provider, notification.kind.slice(0, 3));
      const composed = composeNotification({ provider, time, messageId, to, certified, notification });
      return seal(composed, signer, time.epochMs);
    };
    await notify(alfa, alfaSigner, certified.sender, { kind: 'accettazione' });
    const postacert = composePostacert({
      original: rope,
      header,
      identificativo: certified.identificativo,
      received: 'Received: from bench\r\n',
    }).rope;
    const envelope = await seal(
      composeEnvelope({
        provider: alfa,
        time,
        certified,
        receiptType: 'completa',
        originalHeader: header,
        postacert,
        mailFrom: certified.sender,
        received: 'Received: from bench\r\n',
        eightBit: false,
      }),
      alfaSigner,
      time.epochMs,
    );
    const taken = await verified(envelope, `posta-certificata@${alfa.mailDomain}`, trust, time.epochMs);
    const presa = await notify(beta, betaSigner, 'ricevute@pec.alfa.example', {
      kind: 'presa-in-carico',
      recipients: ['bruno@pec.beta.example'],
    });
    const consegna = await notify(beta, betaSigner, certified.sender, {
      kind: 'avvenuta-consegna',
      recipient: 'bruno@pec.beta.example',
      receipt: 'completa',
      form: 'completa',
      original: taken.postacert,
      eightBit: false,
    });
    await verified(presa, `posta-certificata@${beta.mailDomain}`, trust, time.epochMs);
    await verified(consegna, `posta-certificata@${beta.mailDomain}`, trust, time.epochMs);
  };
}

async function verified(message: Rope, from: string, trust: TrustStore, at: number) {
  // As it comes off the wire: one buffer.
  const received = Rope.of(await message.bytes());
  const header = await readHeader(received);
  const claim = classify(header);
  const signed = await readSigned(received, header);
  if (signed === undefined) throw new Error('the message is not signed');
  const verdict = await verifySignature({ signed, from, trust, at });
  if (verdict.faults.length > 0) throw new Error(verdict.faults.map(({ text }) => text).join('; '));
  const form =
    claim.kind === 'envelope'
      ? await readEnvelope(header, signed.entity, 'anna@pec.alfa.example')
      : await readNotification(header, signed.entity);
  if (form.faults.length > 0) throw new Error(form.faults.join('; '));
  return form;
}
