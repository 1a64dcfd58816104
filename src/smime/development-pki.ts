import { generateKeyPair, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import { serviceAddress } from '../pec/index.js';
import {
  authorityKeyIdentifier,
  basicConstraints,
  type CertificateRequest,
  extendedKeyUsage,
  issueCertificate,
  keyUsage,
  type NameParts,
  subjectAltName,
  subjectKeyIdentifier,
} from './keys/issue-certificate.js';
import { Purpose } from './read/extensions.js';
import { toPem } from './read/pem.js';

export interface DevelopmentPkiRequest {
  /** The gestore's name, as in the directory. */
  readonly providerName: string;
  readonly mailDomain: string;
  /** Names of the TLS certificate beside `localhost`. */
  readonly hostNames: readonly string[];
  /** IP addresses of the TLS certificate beside 127.0.0.1. */
  readonly addresses?: readonly string[];
  readonly keyBits?: 2048 | 3072 | 4096;
  /** Epoch milliseconds. */
  readonly now: number;
}

export interface PemPair {
  readonly cert: string;
  /** PKCS#8. */
  readonly key: string;
}

export interface DevelopmentPki {
  readonly ca: PemPair;
  readonly tls: PemPair;
  readonly signing: PemPair;
}

const DAY = 86_400_000;
/** Clocks of peers may be behind. */
const HEAD_START = 5 * 60_000;
const YEAR = 365 * DAY;
/** Browsers refuse TLS certificates that live longer (CA/Browser Forum baseline 6.3.2). */
const TLS_LIFE = 397 * DAY;

interface Keys {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

/**
 * A certification authority of one's own with a TLS certificate and a signing certificate of the PEC profile
 * (RFC 6109 5.5), for trying things: no gestore believes it. Extensions are as a strict verifier wants them.
 */
export async function createDevelopmentPki(request: DevelopmentPkiRequest): Promise<DevelopmentPki> {
  const [ca, tls, signing] = await Promise.all([
    newKeys(request.keyBits ?? 2048),
    newKeys(request.keyBits ?? 2048),
    newKeys(request.keyBits ?? 2048),
  ]);
  const authority: NameParts = [
    ['C', 'IT'],
    ['O', request.providerName],
    ['CN', `${request.providerName} - CA di sviluppo`],
  ];
  const issue = (
    keys: Keys,
    life: number,
    rest: Pick<CertificateRequest, 'subject' | 'extensions'>,
  ): PemPair => {
    const certificate = issueCertificate({
      issuer: authority,
      publicKey: keys.publicKey,
      issuerKey: ca.privateKey,
      notBefore: request.now - HEAD_START,
      notAfter: request.now + life,
      ...rest,
    });
    return pemPair(certificate, keys);
  };
  const leaf = (keys: Keys) => [subjectKeyIdentifier(keys.publicKey), authorityKeyIdentifier(ca.publicKey)];
  return {
    ca: issue(ca, 10 * YEAR, {
      subject: authority,
      extensions: [
        basicConstraints(true),
        keyUsage('keyCertSign', 'cRLSign'),
        subjectKeyIdentifier(ca.publicKey),
      ],
    }),
    tls: issue(tls, TLS_LIFE, {
      subject: [
        ['C', 'IT'],
        ['O', request.providerName],
        ['CN', request.hostNames[0] ?? 'localhost'],
      ],
      extensions: [
        basicConstraints(false),
        keyUsage('digitalSignature', 'keyEncipherment'),
        extendedKeyUsage(Purpose.serverAuth),
        subjectAltName(tlsNames(request)),
        ...leaf(tls),
      ],
    }),
    signing: issue(signing, 3 * YEAR, {
      // RFC 6109 5.5.1: the gestore's name in O; 5.5.2: no basicConstraints, nothing critical but the key usage.
      subject: [
        ['C', 'IT'],
        ['O', request.providerName],
        ['CN', 'Posta Certificata'],
      ],
      extensions: [
        keyUsage('digitalSignature'),
        extendedKeyUsage(Purpose.emailProtection),
        subjectAltName({ emails: [serviceAddress(request.mailDomain)] }),
        ...leaf(signing),
      ],
    }),
  };
}

const newKeyPair = promisify(generateKeyPair);

const newKeys = (modulusLength: number): Promise<Keys> => newKeyPair('rsa', { modulusLength });

const pemPair = (certificate: Uint8Array, keys: Keys): PemPair => ({
  cert: toPem('CERTIFICATE', certificate),
  key: keys.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
});

function tlsNames({ hostNames, addresses = [] }: DevelopmentPkiRequest): {
  hosts: string[];
  addresses: string[];
} {
  const unspecified = ['0.0.0.0', '::'];
  return {
    hosts: [...new Set([...hostNames, 'localhost'])],
    addresses: [...new Set(['127.0.0.1', ...addresses])].filter((address) => !unspecified.includes(address)),
  };
}
