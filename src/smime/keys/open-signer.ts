import { createPrivateKey, type KeyObject, sign, X509Certificate } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { promisify } from 'node:util';
import forge from 'node-forge';
import { Oid } from '../read/algorithms.js';
import { type Certificate, readCertificate, readCertificates } from '../read/certificate.js';
import { CmsError } from '../read/cms-error.js';
import { sameName } from '../read/names.js';
import { startsLikePem } from '../read/pem.js';
import type { Signer } from '../sign/signer.js';
import { openPkcs12 } from './pkcs12.js';

export interface KeyFiles {
  /** Private key: PEM (PKCS#8 or PKCS#1, encrypted or not) or PKCS#12. */
  readonly file: string;
  readonly passphraseFile?: string | null | undefined;
  /** PEM or DER. May be left out when the key file is a PKCS#12 that holds it. */
  readonly certificateFile?: string | null | undefined;
  /** Intermediate certificates, PEM. */
  readonly chainFile?: string | null | undefined;
}

/** A signing key that cannot be used; the message names the file and what to do. */
export class SignerError extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'SignerError';
  }
}

const signAsync = promisify(sign);

/**
 * Opens a key kept in files. Signing runs in the thread pool.
 * @throws SignerError when a file cannot be read, the passphrase is wrong, key and certificate do not belong together,
 * or the key is neither RSA (2048 bits or more) nor ECDSA
 */
export async function openSigner(files: KeyFiles): Promise<Signer> {
  const secret = await readBytes(files.file);
  const passphrase = files.passphraseFile
    ? (await readBytes(files.passphraseFile)).toString('utf8').replace(/\r?\n$/, '')
    : undefined;
  const { key, certificates: enclosed } = openKey(secret, passphrase, files.file);
  const listed = files.certificateFile ? await readListed(files.certificateFile) : [];
  const certificate = pickCertificate(key, listed.length > 0 ? listed : enclosed, files);
  const chained = files.chainFile ? await readListed(files.chainFile) : [];
  checkKind(certificate, files.file);
  const chain = chainOf(certificate, [...listed, ...enclosed, ...chained]);
  const warnings = await modeWarnings([files.file, files.passphraseFile]);
  return signerFrom(key, Buffer.from(certificate.raw), chain, warnings);
}

/** A signer around a key in memory; the caller answers for key and certificate belonging together. */
export const signerFrom = (
  key: KeyObject,
  certificate: Buffer,
  chain: readonly Buffer[] = [],
  warnings: readonly string[] = [],
): Signer => ({
  certificate,
  chain,
  warnings,
  sign: (signedAttributes) => signAsync('sha256', signedAttributes, key),
  close: () => undefined,
});

async function readBytes(file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (error) {
    throw new SignerError(`${file}: cannot be read (${messageOf(error)})`, error);
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

async function readListed(file: string): Promise<Certificate[]> {
  try {
    const listed = readCertificates(await readBytes(file));
    if (listed.length > 0) return listed;
  } catch (error) {
    if (!(error instanceof CmsError)) throw error;
    throw new SignerError(`${file}: not a certificate (${error.message})`, error);
  }
  throw new SignerError(`${file}: holds no certificate`);
}

interface OpenedKey {
  readonly key: KeyObject;
  readonly certificates: readonly Certificate[];
}

function openKey(secret: Buffer, passphrase: string | undefined, file: string): OpenedKey {
  try {
    if (startsLikePem(secret)) return { key: openPem(secret, passphrase), certificates: [] };
    const { key, certificates } = openPkcs12(secret, passphrase ?? '');
    return { key, certificates: certificates.map(readCertificate) };
  } catch (error) {
    const hint =
      passphrase === undefined
        ? 'is it encrypted, and no passphrase file given?'
        : 'is the passphrase right?';
    throw new SignerError(`${file}: the private key cannot be opened; ${hint} (${messageOf(error)})`, error);
  }
}

function openPem(pem: Buffer, passphrase: string | undefined): KeyObject {
  const text = pem.toString('latin1');
  try {
    return createPrivateKey(passphrase === undefined ? text : { key: text, passphrase });
  } catch (error) {
    // OpenSSL 3 has put RC2 and single DES away; forge still reads them.
    const key =
      passphrase === undefined || !text.includes('ENCRYPTED PRIVATE KEY')
        ? null
        : decryptLegacy(text, passphrase);
    if (key === null) throw error;
    return key;
  }
}

function decryptLegacy(pem: string, passphrase: string): KeyObject | null {
  const info = forge.pki.decryptPrivateKeyInfo(forge.pki.encryptedPrivateKeyFromPem(pem), passphrase);
  if (!info) return null;
  const der = Buffer.from(forge.asn1.toDer(info).getBytes(), 'latin1');
  return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
}

function pickCertificate(key: KeyObject, candidates: readonly Certificate[], files: KeyFiles): Certificate {
  const found = candidates.find((candidate) => new X509Certificate(candidate.raw).checkPrivateKey(key));
  if (found !== undefined) return found;
  if (candidates.length === 0) throw new SignerError(`${files.file}: no certificate is given for this key`);
  throw new SignerError(
    `${files.certificateFile ?? files.file}: the certificate does not belong to the private key ${files.file}`,
  );
}

function checkKind(certificate: Certificate, file: string): void {
  const { keyAlgorithm, rsaBits } = certificate;
  if (keyAlgorithm === Oid.ecPublicKey) return;
  if (keyAlgorithm !== Oid.rsaEncryption) throw new SignerError(`${file}: only RSA and ECDSA keys sign here`);
  if ((rsaBits ?? 0) < 2048) throw new SignerError(`${file}: an RSA key of ${rsaBits} bits; 2048 are needed`);
}

/** Who issued whom, from the signer up, roots left out: whoever trusts a root has it, and nobody else should take ours. */
function chainOf(signer: Certificate, pool: readonly Certificate[]): Buffer[] {
  const left = new Set(pool.filter(({ subject, issuer }) => !sameName(subject, issuer)));
  const chain: Buffer[] = [];
  let current = new X509Certificate(signer.raw);
  for (;;) {
    const issued = [...left].find((candidate) => isIssuer(new X509Certificate(candidate.raw), current));
    if (issued === undefined) return chain;
    left.delete(issued);
    chain.push(Buffer.from(issued.raw));
    current = new X509Certificate(issued.raw);
  }
}

const isIssuer = (issuer: X509Certificate, child: X509Certificate): boolean =>
  child.checkIssued(issuer) && child.verify(issuer.publicKey);

/** Secrets are files of mode 0600. */
async function modeWarnings(files: readonly (string | null | undefined)[]): Promise<string[]> {
  const warnings: string[] = [];
  for (const file of files) {
    if (!file) continue;
    const { mode } = await stat(file);
    if ((mode & 0o077) !== 0) {
      warnings.push(`${file}: leggibile da altri (modo ${(mode & 0o777).toString(8)}); deve essere 600`);
    }
  }
  return warnings;
}
