import {
  createPrivateKey,
  createPublicKey,
  generateKeyPair,
  generateKeyPairSync,
  type KeyObject,
} from 'node:crypto';
import { promisify } from 'node:util';
import { createTrustStore, type Signer, signerFrom, type TrustStore } from '../../src/smime/index.js';
import {
  authorityKeyIdentifier,
  basicConstraints,
  derName,
  type ExtensionValue,
  extendedKeyUsage,
  issueCertificate,
  keyUsage,
  type NameParts,
  signatureAlgorithm,
  signedStructure,
  subjectAltName,
  subjectKeyIdentifier,
} from '../../src/smime/keys/issue-certificate.js';
import { Tag } from '../../src/smime/read/asn1.js';
import { serialOctets } from '../../src/smime/read/certificate.js';
import { der, derOid, derTime } from '../../src/smime/read/der.js';
import { ExtensionOid, Purpose } from '../../src/smime/read/extensions.js';
import { toPem } from '../../src/smime/read/pem.js';

const DAY = 86_400_000;

export type KeyKind = 'rsa-2048' | 'rsa-3072' | 'p-256';

/** A key with the certificate somebody issued for it. */
export interface Identity {
  /** DER. */
  readonly certificate: Buffer;
  readonly certificatePem: string;
  readonly key: KeyObject;
  /** PKCS#8. */
  readonly keyPem: string;
  readonly subject: NameParts;
}

/** What a certificate shall be like where it differs from the PEC profile. */
export interface LeafOptions {
  readonly name?: string;
  readonly subject?: NameParts;
  readonly email?: string;
  readonly keys?: KeyKind;
  readonly key?: KeyObject;
  /** Epoch milliseconds. */
  readonly notBefore?: number;
  readonly notAfter?: number;
  /** Takes the place of the profile's extensions, SKI and AKI apart. */
  readonly extensions?: readonly ExtensionValue[];
  /** Comes on top of them. */
  readonly more?: readonly ExtensionValue[];
}

export interface AuthorityOptions {
  readonly name?: string;
  readonly keys?: KeyKind;
  readonly issuer?: Authority;
  readonly notBefore?: number;
  readonly notAfter?: number;
  readonly pathLength?: number;
  readonly more?: readonly ExtensionValue[];
}

export interface CrlRequest {
  /** Certificates (DER) and when each was revoked, epoch milliseconds. */
  readonly revoked?: readonly { readonly certificate: Uint8Array; readonly at: number }[];
  readonly thisUpdate?: number;
  readonly nextUpdate?: number;
  readonly extensions?: readonly ExtensionValue[];
}

/** A certification authority of the tests. */
export interface Authority extends Identity {
  /** A signing certificate with the PEC profile (RFC 6109 5.5), unless told otherwise. */
  issue(options?: LeafOptions): Promise<Identity>;
  /** A revocation list, DER. */
  crl(request?: CrlRequest): Buffer;
  crlPem(request?: CrlRequest): string;
}

const newKeyPair = promisify(generateKeyPair);

export async function newKey(kind: KeyKind): Promise<KeyObject> {
  if (kind === 'p-256') return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  const { privateKey } = await newKeyPair('rsa', { modulusLength: kind === 'rsa-2048' ? 2048 : 3072 });
  return privateKey;
}

function identity(certificate: Buffer, key: KeyObject, subject: NameParts): Identity {
  return {
    certificate,
    certificatePem: toPem('CERTIFICATE', certificate),
    key,
    keyPem: key.export({ format: 'pem', type: 'pkcs8' }).toString(),
    subject,
  };
}

/** A root, or an authority under `issuer`. Keys are P-256 unless told otherwise: they are quick to make. */
export async function createAuthority(options: AuthorityOptions = {}): Promise<Authority> {
  const key = await newKey(options.keys ?? 'p-256');
  const publicKey = createPublicKey(key);
  const subject: NameParts = [
    ['C', 'IT'],
    ['O', 'Autorità di prova'],
    ['CN', options.name ?? 'CA di prova'],
  ];
  const now = Date.now();
  const issuerKey = options.issuer?.key ?? key;
  const certificate = issueCertificate({
    subject,
    issuer: options.issuer?.subject ?? subject,
    publicKey,
    issuerKey,
    notBefore: options.notBefore ?? now - DAY,
    notAfter: options.notAfter ?? now + 3650 * DAY,
    extensions: [
      basicConstraints(true, options.pathLength),
      keyUsage('keyCertSign', 'cRLSign'),
      subjectKeyIdentifier(publicKey),
      ...(options.issuer === undefined ? [] : [authorityKeyIdentifier(createPublicKey(issuerKey))]),
      ...(options.more ?? []),
    ],
  });
  const own = identity(certificate, key, subject);
  return {
    ...own,
    issue: (leaf = {}) => issueLeaf(own, leaf),
    crl: (request = {}) => issueCrl(own, request),
    crlPem: (request = {}) => toPem('X509 CRL', issueCrl(own, request)),
  };
}

async function issueLeaf(issuer: Identity, options: LeafOptions): Promise<Identity> {
  const key = options.key ?? (await newKey(options.keys ?? 'p-256'));
  const publicKey = createPublicKey(key);
  const subject: NameParts = options.subject ?? [
    ['C', 'IT'],
    ['O', options.name ?? 'Alfa PEC S.p.A.'],
    ['CN', 'Posta Certificata'],
  ];
  const now = Date.now();
  const profile = [
    keyUsage('digitalSignature'),
    extendedKeyUsage(Purpose.emailProtection),
    subjectAltName({ emails: [options.email ?? 'posta-certificata@pec.alfa.example'] }),
  ];
  const certificate = issueCertificate({
    subject,
    issuer: issuer.subject,
    publicKey,
    issuerKey: issuer.key,
    notBefore: options.notBefore ?? now - DAY,
    notAfter: options.notAfter ?? now + 365 * DAY,
    extensions: [
      ...(options.extensions ?? profile),
      ...(options.more ?? []),
      subjectKeyIdentifier(publicKey),
      authorityKeyIdentifier(createPublicKey(issuer.key)),
    ],
  });
  return identity(certificate, key, subject);
}

function issueCrl(issuer: Identity, request: CrlRequest): Buffer {
  const now = Date.now();
  const algorithm = signatureAlgorithm(issuer.key);
  const entries = (request.revoked ?? []).map(({ certificate, at }) =>
    der(Tag.sequence, der(Tag.integer, serialOctets(certificate)), derTime(at)),
  );
  const crlNumber = {
    oid: ExtensionOid.crlNumber,
    critical: false,
    value: der(Tag.integer, Uint8Array.of(1)),
  };
  const extensions = [
    authorityKeyIdentifier(createPublicKey(issuer.key)),
    crlNumber,
    ...(request.extensions ?? []),
  ];
  const tbs = der(
    Tag.sequence,
    der(Tag.integer, Uint8Array.of(1)),
    algorithm,
    derName(issuer.subject),
    derTime(request.thisUpdate ?? now - 3_600_000),
    derTime(request.nextUpdate ?? now + 7 * DAY),
    ...(entries.length === 0 ? [] : [der(Tag.sequence, ...entries)]),
    der(0xa0, der(Tag.sequence, ...extensions.map(derExtension))),
  );
  return signedStructure(tbs, algorithm, issuer.key);
}

const derExtension = ({ oid, critical, value }: ExtensionValue): Uint8Array =>
  der(
    Tag.sequence,
    derOid(oid),
    ...(critical ? [der(Tag.boolean, Uint8Array.of(0xff))] : []),
    der(Tag.octetString, value),
  );

/** A gestore of the tests. */
export interface TestGestore extends Identity {
  /** providerName of the directory, also O of the certificate. */
  readonly name: string;
  readonly mailDomain: string;
  readonly signer: Signer;
}

export interface TestPki {
  readonly authority: Authority;
  readonly trust: TrustStore;
  readonly alfa: TestGestore;
  readonly beta: TestGestore;
}

/** Two gestori under one authority: alfa signs with RSA-2048, beta with P-256. */
export async function testPki(): Promise<TestPki> {
  const authority = await createAuthority();
  const gestore = async (name: string, mailDomain: string, keys: KeyKind): Promise<TestGestore> => {
    const leaf = await authority.issue({ name, email: `posta-certificata@${mailDomain}`, keys });
    return { ...leaf, name, mailDomain, signer: signerOf(leaf) };
  };
  return {
    authority,
    trust: createTrustStore(authority.certificatePem),
    alfa: await gestore('Alfa PEC S.p.A.', 'pec.alfa.example', 'rsa-2048'),
    beta: await gestore('Beta PEC S.r.l.', 'pec.beta.example', 'p-256'),
  };
}

/** A signer in memory. */
export const signerOf = (identity: Identity, ...chain: readonly Buffer[]): Signer =>
  signerFrom(createPrivateKey(identity.keyPem), identity.certificate, chain);
