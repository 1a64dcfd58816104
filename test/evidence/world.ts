import { certificateHash, writeProviderRecord } from '../../src/directory/index.js';
import {
  type EvidenceReport,
  type HashedFile,
  noTrust,
  readTrust,
  type TrustFile,
  verifyEvidence,
} from '../../src/evidence/index.js';
import { type Header, readHeader } from '../../src/mime/index.js';
import {
  briefForm,
  type Certified,
  type Composed,
  composeAnomaly,
  composeEnvelope,
  composeNotification,
  composePostacert,
  type LegalTime,
  legalTime,
  type Notification,
  type Provider,
} from '../../src/pec/index.js';
import { Rope } from '../../src/rope/index.js';
import { nodeCrypto, type Signer, seal } from '../../src/smime/index.js';
import { type Identity, signerOf, type TestGestore, type TestPki, testPki } from '../support/pki.js';

/** Two gestori, a message from a user of alfa to a user of beta, and a verifier that believes their CA. */

export const HOUR = 3_600_000;
export const DAY = 24 * HOUR;
export const NOW = Date.now();
/** When the messages of the tests were made: inside the validity of test certificates. */
export const AT = NOW - 6 * HOUR;

export const SENDER = 'mario.rossi@pec.alfa.example';
export const RECIPIENT = 'anna.bianchi@pec.beta.example';
export const IDENTIFICATIVO = 'ceralacca1.20261122120000.0123456789abcdef@pec.alfa.example';

export const original = (...text: string[]): Buffer =>
  Buffer.from(
    [
      'Message-ID: <1@client.example>',
      `From: Mario Rossi <${SENDER}>`,
      `To: ${RECIPIENT}`,
      'Subject: =?utf-8?q?Perch=C3=A9_no?=',
      'Date: Sun, 22 Nov 2026 09:00:00 +0100',
      'MIME-Version: 1.0',
      'Content-Type: multipart/mixed; boundary="confine"',
      '',
      '--confine',
      'Content-Type: text/plain; charset=utf-8',
      '',
      ...(text.length === 0 ? ['Si trasmette quanto in oggetto.'] : text),
      '--confine',
      'Content-Type: application/pdf; name="ricorso.pdf"',
      'Content-Disposition: attachment; filename="ricorso.pdf"',
      'Content-Transfer-Encoding: base64',
      '',
      'JVBERi0xLjQKJcOkw7zDtsOfCg==',
      '--confine--',
      '',
    ].join('\r\n'),
    'utf8',
  );

export const certified: Certified = {
  identificativo: IDENTIFICATIVO,
  msgid: '<1@client.example>',
  sender: SENDER,
  recipients: [{ address: RECIPIENT, kind: 'certificato' }],
  replyTo: SENDER,
  subject: 'Perché no',
};

const RECEIVED =
  'Received: from client.example by smtps.pec.alfa.example; Sun, 22 Nov 2026 09:00:01 +0100\r\n';

const headerOf = (bytes: Buffer): Promise<Header> => readHeader(Rope.of(bytes));

export const providerOf = ({ name, mailDomain }: TestGestore): Provider => ({ name, mailDomain });

/** What travels inside. */
export async function postacert(from: Buffer = original()): Promise<Rope> {
  const header = await headerOf(from);
  return composePostacert({
    original: Rope.of(from),
    header,
    identificativo: IDENTIFICATIVO,
    received: RECEIVED,
  }).rope;
}

export async function envelope(
  gestore: TestGestore,
  from: Buffer = original(),
  time: LegalTime = legalTime(AT),
): Promise<Composed> {
  return composeEnvelope({
    provider: providerOf(gestore),
    time,
    certified,
    receiptType: 'completa',
    originalHeader: await headerOf(from),
    postacert: await postacert(from),
    mailFrom: SENDER,
    received: RECEIVED,
  });
}

export const notice = (
  gestore: TestGestore,
  notification: Notification,
  about: Certified = certified,
  time: LegalTime = legalTime(AT),
): Composed =>
  composeNotification({
    provider: providerOf(gestore),
    time,
    messageId: `ceralacca1.20261122120001.fedcba9876543210@${gestore.mailDomain}`,
    to: ['presa-in-carico', 'rilevazione-virus'].includes(notification.kind)
      ? 'posta-certificata@pec.alfa.example'
      : about.sender,
    certified: about,
    notification,
  });

export async function anomaly(gestore: TestGestore, from: Buffer): Promise<Composed> {
  return composeAnomaly({
    provider: providerOf(gestore),
    time: legalTime(AT),
    mailFrom: SENDER,
    recipients: [RECIPIENT],
    receivedHeader: await headerOf(from),
    original: Rope.of(from),
    reason: 'la firma digitale del messaggio non risulta attendibile',
    messageId: 'ceralacca1.20261122120002.0011223344556677@pec.beta.example',
  });
}

/** A composed message signed, as the bytes of a file. */
export const sealed = async (composed: Composed, signer: Signer, at = AT): Promise<Buffer> =>
  (await seal(composed, signer, at)).bytes();

/** The directory as LDIF: who is a gestore with which certificate and domains. */
export const ldifOf = (
  ...gestori: readonly Pick<TestGestore, 'name' | 'mailDomain' | 'certificate'>[]
): Buffer =>
  Buffer.from(
    [
      'dn: o=postacert\nobjectclass: top\nobjectclass: organization\no: postacert\n',
      ...gestori.map(({ name, mailDomain, certificate }) =>
        writeProviderRecord({
          providerName: name,
          mailReceipt: `posta-certificata@${mailDomain}`,
          managedDomains: [mailDomain],
          certificates: [certificate],
          certificateHashes: [certificateHash(certificate)],
        }),
      ),
    ].join('\n'),
    'utf8',
  );

export interface Asked {
  readonly trust?: readonly TrustFile[] | 'none';
  readonly original?: Buffer;
  readonly files?: readonly HashedFile[];
  readonly now?: number;
}

export interface World {
  readonly pki: TestPki;
  /** The CA's certificate and the directory with both gestori. */
  readonly folder: readonly TrustFile[];
  verify(message: Buffer, asked?: Asked): Promise<EvidenceReport>;
  /** A gestore like alfa, with another certificate. */
  gestore(leaf: Identity): TestGestore;
  /** The folder of trust with that gestore's certificate in the directory, and more files. */
  folderFor(gestore: TestGestore, ...more: readonly TrustFile[]): readonly TrustFile[];
}

export async function world(): Promise<World> {
  const pki = await testPki();
  const ca: TrustFile = { name: 'ca.pem', bytes: Buffer.from(pki.authority.certificatePem) };
  const folder = [ca, { name: 'igpec.ldif', bytes: ldifOf(pki.alfa, pki.beta) }];
  return {
    pki,
    folder,
    async verify(message, asked = {}) {
      const now = asked.now ?? NOW;
      const files = asked.trust ?? folder;
      const trust = files === 'none' ? noTrust : await readTrust(files, { crypto: nodeCrypto, now });
      return verifyEvidence({
        file: 'messaggio.eml',
        bytes: message,
        original: asked.original && { name: 'originale.eml', bytes: asked.original },
        files: asked.files ?? [],
        trust,
        crypto: nodeCrypto,
        now,
      });
    },
    gestore: (leaf) => ({
      ...leaf,
      name: pki.alfa.name,
      mailDomain: pki.alfa.mailDomain,
      signer: signerOf(leaf),
    }),
    folderFor: (gestore, ...more) => [ca, { name: 'igpec.ldif', bytes: ldifOf(gestore, pki.beta) }, ...more],
  };
}

export const reasonsOf = ({ reasons }: EvidenceReport): string[] => reasons.map(({ code }) => code);
export const remarksOf = ({ remarks }: EvidenceReport): string[] => remarks.map(({ code }) => code);
export const checksOf = ({ checks }: EvidenceReport): string[] => checks.map(({ code }) => code);

/** Every notice, who signs it, and what it is called. */
export async function everyNotice(): Promise<
  readonly { readonly by: 'alfa' | 'beta'; readonly notification: Notification; readonly title: string }[]
> {
  const whole = await postacert();
  const delivered = { kind: 'avvenuta-consegna', recipient: RECIPIENT } as const;
  return [
    { by: 'alfa', notification: { kind: 'accettazione' }, title: 'Ricevuta di accettazione' },
    {
      by: 'alfa',
      notification: { kind: 'non-accettazione', reasons: ['il campo Bcc contiene un valore'] },
      title: 'Avviso di non accettazione',
    },
    {
      by: 'alfa',
      notification: { kind: 'non-accettazione', virus: 'Eicar-Test-Signature' },
      title: 'Avviso di non accettazione per virus',
    },
    {
      by: 'beta',
      notification: { kind: 'presa-in-carico', recipients: [RECIPIENT] },
      title: 'Ricevuta di presa in carico',
    },
    {
      by: 'beta',
      notification: { ...delivered, receipt: 'completa', form: 'completa', original: whole },
      title: 'Ricevuta completa di avvenuta consegna',
    },
    {
      by: 'beta',
      notification: { ...delivered, receipt: 'breve', form: 'breve', original: await briefForm(whole) },
      title: 'Ricevuta breve di avvenuta consegna',
    },
    {
      by: 'beta',
      notification: { ...delivered, receipt: 'completa', form: 'sintetica' },
      title: 'Ricevuta sintetica di avvenuta consegna',
    },
    {
      by: 'beta',
      notification: {
        kind: 'errore-consegna',
        recipient: RECIPIENT,
        errore: 'no-dest',
        reason: '5.1.1 - Beta PEC S.r.l. - indirizzo non valido',
      },
      title: 'Avviso di mancata consegna',
    },
    {
      by: 'alfa',
      notification: { kind: 'errore-consegna', recipient: RECIPIENT, virus: 'Eicar-Test-Signature' },
      title: 'Avviso di mancata consegna per virus',
    },
    {
      by: 'alfa',
      notification: { kind: 'preavviso-errore-consegna', recipient: RECIPIENT, step: '12h' },
      title: 'Avviso di mancata consegna per superamento del tempo massimo',
    },
    {
      by: 'beta',
      notification: { kind: 'rilevazione-virus', recipient: RECIPIENT, virus: 'Eicar-Test-Signature' },
      title: 'Avviso di rilevazione virus',
    },
  ];
}
