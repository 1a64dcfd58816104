import { type HashName, Oid } from './algorithms.js';
import { type Certificate, emailsOf, readCertificate } from './certificate.js';
import { type ChainPath, type ChainSearch, findPaths, servesMail } from './chain.js';
import { CmsError } from './cms-error.js';
import { ExtensionOid, Purpose } from './extensions.js';
import { NameType, nameText, sameName, valuesOf } from './names.js';
import type { CryptoPort } from './port.js';
import type { RevocationSource } from './revocation.js';
import { parseSignedData, type SignedData } from './signed-data.js';
import { hex, sameBytes } from './values.js';

export type FaultCode =
  | 'malformed'
  | 'digest'
  | 'signature'
  | 'no-certificate'
  | 'key-usage'
  | 'purpose'
  | 'sender'
  | 'validity'
  | 'untrusted'
  | 'revoked'
  | 'revocation-unavailable';

/** A reason against a signature; the text is Italian, for notices and the register. */
export interface Fault {
  readonly code: FaultCode;
  readonly text: string;
}

/** Something to tell the operator, not against the signature. */
export interface Warning {
  readonly code: 'revocation-unchecked' | 'sha1';
  readonly text: string;
}

/** The signer's certificate as the directory and the register want it. */
export interface SignerInfo {
  readonly certificate: Uint8Array;
  /** Of the DER, upper-case hexadecimal: the providerCertificateHash (RFC 6109 4.5.2). */
  readonly sha1: string;
  /** Of the DER, lower-case hexadecimal. */
  readonly sha256: string;
  readonly organization: string | undefined;
  readonly commonName: string | undefined;
  readonly emails: readonly string[];
  readonly issuer: string;
  readonly notBefore: number;
  readonly notAfter: number;
}

/** What a signature is worth. Valid only when `faults` is empty. */
export interface Verdict {
  readonly signer: SignerInfo | undefined;
  /** SHA-256 of the signed entity, hexadecimal (decisions 7). */
  readonly entityDigest: string;
  /** What the signer says, epoch milliseconds; no proof. */
  readonly signingTime: number | undefined;
  readonly digestAlgorithm: HashName | undefined;
  readonly faults: readonly Fault[];
  readonly warnings: readonly Warning[];
  /** The one thing against it is a revocation list that may yet come: answer with a temporary error. */
  readonly temporary: boolean;
}

/** Finds the paths of a signer; a caller may put a memory in front of `findPaths`. */
export type PathFinder = (signer: Certificate, others: readonly Certificate[]) => Promise<ChainSearch>;

export interface Examination {
  readonly cms: Uint8Array;
  /** The signed bytes of a detached signature. */
  readonly chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
  /**
   * What the signature is for: a message must be signed for its From address, a time stamp by who does nothing else, a
   * file only by someone trusted.
   */
  readonly use: { readonly kind: 'mail'; readonly from: string } | { readonly kind: 'file' | 'timestamp' };
  /** Epoch milliseconds: the instant at which all must be valid. */
  readonly at: number;
  readonly anchors: readonly Certificate[];
  readonly revocation: RevocationSource | undefined;
  readonly crypto: CryptoPort;
  readonly findPaths?: PathFinder;
  /** Reads the certificates inside a CMS; a caller may put a memory in front. */
  readonly readCertificates?: (certificates: readonly Uint8Array[]) => readonly Certificate[];
}

/**
 * Examines one signature: CMS form, digest, signature, certificate, chain, revocation. Everything about the bytes is
 * an entry of `faults`; only a failure to read `chunks` or of the ports is thrown.
 */
export async function examine(input: Examination): Promise<Verdict> {
  const parsed = tryParse(input.cms);
  const hash = parsed.data?.signer.digestAlgorithm ?? 'sha256';
  const digests = await input.crypto.digests(hash === 'sha256' ? ['sha256'] : ['sha256', hash], input.chunks);
  const base = { entityDigest: hex(digests.sha256), signingTime: undefined, digestAlgorithm: undefined };
  if (parsed.data === undefined) {
    const faults: Fault[] = [{ code: 'malformed', text: `la firma non è leggibile (${parsed.reason})` }];
    return { ...base, signer: undefined, faults, warnings: [], temporary: false };
  }
  const data = parsed.data;
  const digest = hash === 'sha256' ? digests.sha256 : digests[hash];
  const certificates = (input.readCertificates ?? readableCertificates)(
    data.certificates.slice(0, MAX_CERTIFICATES),
  );
  const signer = certificates.find((certificate) => identifies(data.signer.identifier, certificate));
  const said = { signingTime: data.signer.attributes?.signingTime, digestAlgorithm: hash };
  if (signer === undefined) {
    const faults: Fault[] = [{ code: 'no-certificate', text: 'il certificato del firmatario manca' }];
    return { ...base, ...said, signer: undefined, faults, warnings: [], temporary: false };
  }
  const warnings: Warning[] = [];
  if (hash === 'sha1') warnings.push({ code: 'sha1', text: 'la firma usa SHA-1' });
  const others = certificates.filter((certificate) => certificate !== signer);
  const trust = await trustFaults(input, signer, others, warnings);
  const faults = [
    ...(await signatureFaults(input, data, digest, signer)),
    ...certificateFaults(signer, input.use),
    ...trust.faults,
  ];
  return {
    ...base,
    ...said,
    signer: await describe(signer, input.crypto),
    faults,
    warnings,
    temporary: trust.temporary && faults.every((fault) => fault.code === 'revocation-unavailable'),
  };
}

function tryParse(cms: Uint8Array): { data: SignedData } | { data: undefined; reason: string } {
  try {
    return { data: parseSignedData(cms) };
  } catch (error) {
    if (error instanceof CmsError) return { data: undefined, reason: error.message };
    throw error;
  }
}

/** The certificates that can be read: one that cannot, among those a signer threw in, harms nobody but itself. */
export function readableCertificates(all: readonly Uint8Array[]): Certificate[] {
  return all.flatMap((der) => {
    try {
      return [readCertificate(der)];
    } catch (error) {
      if (error instanceof CmsError) return [];
      throw error;
    }
  });
}

/** Of those a signer threw in, so many are looked at. */
const MAX_CERTIFICATES = 16;

function identifies(identifier: SignedData['signer']['identifier'], certificate: Certificate): boolean {
  if (identifier.kind === 'key') return certificate.subjectKeyIdentifier === identifier.identifier;
  return certificate.serial === identifier.serial && sameName(certificate.issuer, identifier.issuer);
}

async function signatureFaults(
  input: Examination,
  data: SignedData,
  digest: Uint8Array,
  signer: Certificate,
): Promise<Fault[]> {
  const faults: Fault[] = [];
  const { attributes, scheme, signature } = data.signer;
  // A gestore's signature over something of another type was not made for a message.
  if (input.use.kind === 'mail' && data.contentType !== Oid.data) {
    faults.push({ code: 'malformed', text: 'la firma non è fatta per un messaggio' });
  }
  // RFC 8551 3.5.3.1: nothing is inside. A second content beside the one that travels is what another program may show.
  if (input.use.kind === 'mail' && data.content !== undefined) {
    const hash = data.signer.digestAlgorithm;
    const inside = (await input.crypto.digests([hash], [data.content]))[hash];
    if (!sameBytes(inside, digest))
      faults.push({ code: 'malformed', text: 'la firma contiene un testo diverso dal messaggio' });
  }
  // RFC 5652 5.3: without attributes the signature is over the content itself. Mail always has them.
  const bare = input.use.kind === 'file' && attributes === undefined && data.contentType === Oid.data;
  if (attributes?.contentType === undefined || attributes.messageDigest === undefined) {
    if (!bare)
      faults.push({ code: 'malformed', text: 'la firma è priva degli attributi firmati obbligatori' });
  } else if (attributes.contentType !== data.contentType) {
    faults.push({ code: 'malformed', text: 'il tipo di contenuto firmato non è quello dichiarato' });
  } else if (!sameBytes(attributes.messageDigest, digest)) {
    faults.push({ code: 'digest', text: 'il contenuto è stato modificato dopo la firma' });
  }
  const signed = attributes?.signedBytes ?? (bare ? data.content : undefined);
  if (signed !== undefined && !(await input.crypto.verify(signer.publicKey, scheme, signed, signature))) {
    faults.push({ code: 'signature', text: 'la firma non corrisponde al certificato' });
  }
  return faults;
}

function certificateFaults(signer: Certificate, use: Examination['use']): Fault[] {
  const faults: Fault[] = [];
  if (use.kind !== 'mail') {
    // RFC 3161 2.3: critical, and nothing else.
    const extension = signer.extensions.get(ExtensionOid.extendedKeyUsage);
    const [only, ...more] = signer.purposes ?? [];
    const stamps = extension?.critical === true && only === Purpose.timeStamping && more.length === 0;
    if (use.kind === 'timestamp' && !stamps) {
      faults.push({ code: 'purpose', text: 'il certificato non è di marche temporali (extendedKeyUsage)' });
    }
    const usage = signer.keyUsage;
    if (usage !== undefined && !usage.has('digitalSignature') && !usage.has('nonRepudiation')) {
      faults.push({ code: 'key-usage', text: 'il certificato non è abilitato alla firma (keyUsage)' });
    }
    return faults;
  }
  // RFC 6109 5.5.2: the key usage must be there and say so.
  if (signer.keyUsage?.has('digitalSignature') !== true) {
    faults.push({ code: 'key-usage', text: 'il certificato non è abilitato alla firma (keyUsage)' });
  }
  if (!servesMail(signer)) {
    faults.push({
      code: 'purpose',
      text: 'il certificato non è abilitato alla posta elettronica (extendedKeyUsage)',
    });
  }
  const address = use.from.toLowerCase();
  if (!emailsOf(signer).some((email) => email.toLowerCase() === address)) {
    faults.push({ code: 'sender', text: `il certificato non è intestato al mittente ${use.from}` });
  }
  return faults;
}

async function trustFaults(
  input: Examination,
  signer: Certificate,
  others: readonly Certificate[],
  warnings: Warning[],
): Promise<{ faults: Fault[]; temporary: boolean }> {
  const purpose = input.use.kind === 'timestamp' ? Purpose.timeStamping : Purpose.emailProtection;
  const find: PathFinder =
    input.findPaths ?? ((leaf, pool) => findPaths(leaf, pool, input.anchors, input.crypto, purpose));
  const { paths, reason } = await find(signer, others);
  if (paths.length === 0) {
    const faults: Fault[] = [{ code: 'untrusted', text: `il certificato non è attendibile: ${reason}` }];
    if (!isValidAt(signer, input.at)) faults.push(validityFault(signer, input.at));
    return { faults, temporary: false };
  }
  const current = paths.filter((path) => outdatedIn(path, input.at) === undefined);
  if (current.length === 0) {
    const outdated = paths.map((path) => outdatedIn(path, input.at))[0] ?? signer;
    return { faults: [validityFault(outdated, input.at)], temporary: false };
  }
  return revocationFaults(input, current, warnings);
}

const isValidAt = (certificate: Certificate, at: number): boolean =>
  // Certificates count in whole seconds; the last one belongs to them.
  certificate.notBefore <= at && at < certificate.notAfter + 1000;

/** The first certificate of a path that is not valid at an instant. */
function outdatedIn({ certificates }: ChainPath, at: number): Certificate | undefined {
  return certificates.find((certificate, depth) => {
    // An anchor is a key believed in (RFC 5280 6.1.1 d): AgID CA1 of 2021 renews the key of 2018, and what that one
    // issued holds on. Once ended it vouches for nothing.
    const isAnchor = depth === certificates.length - 1;
    return isAnchor ? at >= certificate.notAfter + 1000 : !isValidAt(certificate, at);
  });
}

function validityFault(certificate: Certificate, at: number): Fault {
  const when = at < certificate.notBefore ? 'non è ancora valido' : 'è scaduto';
  return { code: 'validity', text: `il certificato ${nameText(certificate.subject)} ${when}` };
}

/** The best answer of any path: a cross-signed CA has several, and one that holds is enough. */
async function revocationFaults(
  input: Examination,
  paths: readonly ChainPath[],
  warnings: Warning[],
): Promise<{ faults: Fault[]; temporary: boolean }> {
  let worst: { faults: Fault[]; temporary: boolean } | undefined;
  for (const path of paths) {
    const unchecked: string[] = [];
    const answer = await revocationOf(input, path, unchecked);
    if (answer.faults.length === 0) {
      for (const name of unchecked) {
        warnings.push({
          code: 'revocation-unchecked',
          text: `revoca non controllata per ${name}: nessuna lista indicata`,
        });
      }
      return answer;
    }
    if (worst === undefined || (answer.temporary && !worst.temporary)) worst = answer;
  }
  return worst ?? { faults: [], temporary: false };
}

async function revocationOf(
  input: Examination,
  path: ChainPath,
  unchecked: string[],
): Promise<{ faults: Fault[]; temporary: boolean }> {
  const faults: Fault[] = [];
  let temporary = true;
  for (const [depth, certificate] of path.certificates.entries()) {
    const issuer = path.certificates[depth + 1];
    if (issuer === undefined) break;
    const name = nameText(certificate.subject);
    const found = (await input.revocation?.check(certificate, issuer, input.at)) ?? { status: 'no-pointer' };
    if (found.status === 'no-pointer') unchecked.push(name);
    else if (found.status === 'revoked') {
      temporary = false;
      faults.push({ code: 'revoked', text: `il certificato ${name} è stato revocato` });
    } else if (found.status === 'unavailable') {
      temporary &&= found.temporary;
      faults.push({
        code: 'revocation-unavailable',
        text: `stato di revoca di ${name} non disponibile: ${found.reason}`,
      });
    }
  }
  return { faults, temporary: temporary && faults.length > 0 };
}

const described = new WeakMap<Certificate, SignerInfo>();

async function describe(signer: Certificate, crypto: CryptoPort): Promise<SignerInfo> {
  const known = described.get(signer);
  if (known !== undefined) return known;
  const { sha1, sha256 } = await crypto.digests(['sha1', 'sha256'], [signer.raw]);
  const info: SignerInfo = {
    certificate: signer.raw,
    sha1: hex(sha1).toUpperCase(),
    sha256: hex(sha256),
    organization: valuesOf(signer.subject, NameType.organization)[0],
    commonName: valuesOf(signer.subject, NameType.commonName)[0],
    emails: emailsOf(signer),
    issuer: nameText(signer.issuer),
    notBefore: signer.notBefore,
    notAfter: signer.notAfter,
  };
  described.set(signer, info);
  return info;
}
