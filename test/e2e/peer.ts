// A gestore that is nothing but its keys: it seals what a test wants sealed, and a listener takes what is sent to it.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { certificateHash, writeProviderRecord } from '../../src/directory/index.js';
import { Issuer } from '../../src/issuing/index.js';
import { encodeBase64, readHeader } from '../../src/mime/index.js';
import { composeEnvelope, composePostacert, legalTime, type Recipient } from '../../src/pec/index.js';
import { Rope } from '../../src/rope/index.js';
import { seal } from '../../src/smime/index.js';
import { extendedKeyUsage, keyUsage, subjectAltName } from '../../src/smime/keys/issue-certificate.js';
import { Purpose } from '../../src/smime/read/extensions.js';
import { FakePeer, type PeerMessage } from '../smtp/fake-peer.js';
import { addRoute, type TestGestore } from '../support/gestore.js';
import { type Authority, createAuthority, type Identity, signerOf } from '../support/pki.js';
import { letter } from './letters.js';

const DAY = 86_400_000;

/** An envelope to make; what is left out is as it should be. */
export interface EnvelopeWish {
  readonly to: readonly string[];
  /** daticert's destinatari, where they are not `to`, all certified. */
  readonly recipients?: readonly Recipient[];
  readonly sender?: string;
  readonly signedBy?: Identity;
  readonly subject?: string;
  readonly identificativo?: string;
  /** What becomes of daticert.xml before it is signed. */
  readonly daticert?: (xml: string) => string;
}

export interface Envelope {
  readonly identificativo: string;
  readonly bytes: Buffer;
}

export class PeerGestore {
  readonly name = 'Gamma PEC S.c.a r.l.';
  readonly domain = 'pec.gamma.example';
  readonly listener = new FakePeer();
  #port = 0;

  private constructor(
    readonly authority: Authority,
    /** In the directory and valid. */
    readonly identity: Identity,
    /** In the directory, and past its time. */
    readonly expired: Identity,
    /** In the directory, and on the revocation list. */
    readonly revoked: Identity,
  ) {}

  static async open(): Promise<PeerGestore> {
    const authority = await createAuthority({ name: 'CA di Gamma' });
    const now = Date.now();
    const issue = (validity: { notBefore?: number; notAfter?: number } = {}): Promise<Identity> =>
      authority.issue({
        name: 'Gamma PEC S.c.a r.l.',
        email: 'posta-certificata@pec.gamma.example',
        ...validity,
      });
    const [good, expired, revoked] = await Promise.all([
      issue(),
      issue({ notBefore: now - 3 * DAY, notAfter: now - DAY }),
      issue(),
    ]);
    const peer = new PeerGestore(authority, good, expired, revoked);
    const tls = await authority.issue({
      subject: [['CN', 'mail.gamma.example']],
      extensions: [
        keyUsage('digitalSignature'),
        extendedKeyUsage(Purpose.serverAuth),
        subjectAltName({ hosts: ['mail.gamma.example'], addresses: ['127.0.0.1'] }),
      ],
    });
    peer.listener.behave({ tls: { key: tls.keyPem, cert: tls.certificatePem } });
    peer.#port = await peer.listener.listen();
    return peer;
  }

  get user(): string {
    return `gino@${this.domain}`;
  }

  get serviceMailbox(): string {
    return `ricevute@${this.domain}`;
  }

  /** Puts this peer into a gestore's directory, with its revocation list, and makes it reachable from there. */
  async introduceTo(gestore: TestGestore): Promise<void> {
    const certificates = [this.identity, this.expired, this.revoked].map(({ certificate }) => certificate);
    const record = writeProviderRecord({
      providerName: this.name,
      mailReceipt: this.serviceMailbox,
      managedDomains: [this.domain],
      certificates,
      certificateHashes: certificates.map(certificateHash),
    });
    const path = (name: string): string => join(gestore.dir, name);
    const crl = this.authority.crlPem({
      revoked: [{ certificate: this.revoked.certificate, at: Date.now() - 3_600_000 }],
    });
    writeFileSync(path('gamma.ldif'), record);
    writeFileSync(path('gamma-ca.pem'), this.authority.certificatePem);
    writeFileSync(path('gamma.crl'), crl);
    await gestore.run(['directory', 'import', path('gamma.ldif'), '--trust', path('gamma-ca.pem')]);
    await gestore.run(['config', 'set', 'directory.crl', JSON.stringify([{ file: path('gamma.crl') }])]);
    await addRoute(gestore, this.domain, this.#port, path('gamma-ca.pem'));
  }

  close(): Promise<void> {
    return this.listener.close();
  }

  /** What came for an address here, oldest first, dots unstuffed. */
  received(address: string): Buffer[] {
    return this.listener.messages
      .filter(({ recipients }: PeerMessage) => recipients.includes(address))
      .map(({ bytes }) => Buffer.from(bytes.toString('latin1').replace(/^\./gm, ''), 'latin1'));
  }

  /** A delivery receipt of this peer's, true or not. */
  async consegna(about: {
    readonly identificativo: string;
    readonly sender: string;
    readonly recipient: string;
  }): Promise<Buffer> {
    const { identificativo, sender, recipient } = about;
    const issuer = new Issuer({ name: this.name, mailDomain: this.domain }, () => signerOf(this.identity));
    const { rope } = await issuer.notification({
      time: legalTime(Date.now()),
      to: sender,
      certified: {
        identificativo,
        sender,
        recipients: [{ address: recipient, kind: 'certificato' }],
        replyTo: sender,
        subject: '',
      },
      notification: { kind: 'avvenuta-consegna', recipient, receipt: 'sintetica', form: 'sintetica' },
    });
    return rope.bytes();
  }

  /** A transport envelope from a user of this peer's. */
  async envelope(wish: EnvelopeWish): Promise<Envelope> {
    const provider = { name: this.name, mailDomain: this.domain };
    const signer = signerOf(wish.signedBy ?? this.identity);
    const issuer = new Issuer(provider, () => signer);
    const time = legalTime(Date.now());
    const mailFrom = wish.sender ?? this.user;
    const subject = wish.subject ?? 'Da Gamma';
    const original = Rope.of(letter({ from: mailFrom, to: wish.to, subject }));
    const originalHeader = await readHeader(original);
    const identificativo = wish.identificativo ?? issuer.newId(time);
    const received = `Received: from client.example by mail.gamma.example; ${time.date}\r\n`;
    const postacert = composePostacert({ original, header: originalHeader, identificativo, received }).rope;
    const composed = composeEnvelope({
      provider,
      time,
      certified: {
        identificativo,
        sender: mailFrom,
        recipients: wish.recipients ?? wish.to.map((address) => ({ address, kind: 'certificato' })),
        replyTo: mailFrom,
        subject,
      },
      receiptType: 'completa',
      originalHeader,
      postacert,
      mailFrom,
      received,
    });
    const entity = await withDaticert(composed.entity, wish.daticert ?? ((xml) => xml));
    const sealed = await seal({ ...composed, entity }, signer, time.epochMs);
    return { identificativo, bytes: await sealed.bytes() };
  }
}

/** The entity with another daticert.xml in the place of its own. */
async function withDaticert(entity: Rope, change: (xml: string) => string): Promise<Rope> {
  const text = (await entity.bytes()).toString('latin1');
  const head = 'filename="daticert.xml"\r\nContent-Transfer-Encoding: base64\r\n\r\n';
  const start = text.indexOf(head) + head.length;
  const end = text.indexOf('\r\n--', start);
  const xml = Buffer.from(text.slice(start, end), 'base64').toString('utf8');
  const encoded = encodeBase64(Buffer.from(change(xml)), 60);
  return Rope.of(Buffer.from(text.slice(0, start) + encoded.trimEnd() + text.slice(end), 'latin1'));
}
